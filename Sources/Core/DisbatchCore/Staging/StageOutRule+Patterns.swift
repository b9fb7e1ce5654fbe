extension StageOutRule {
    /// The patterns, less what ``fixedPart(of:)`` is and without braces, of which one must match the path of a file
    /// that comes home from a task, or of a directory that it is in.
    package func patterns(ofFilesFrom task: TaskID) -> [[UInt8]] {
        let pattern = pattern(for: task)
        let fixed = directory == nil ? [] : Self.fixedPart(of: pattern)
        return Self.alternatives(of: fixed.isEmpty ? pattern : Array(pattern.dropFirst(fixed.count + 1)))
    }

    /// Expands a pattern's braces: `a{b,c}` to `ab` and `ac`. Braces that are not closed stand for themselves.
    package static func alternatives(of pattern: [UInt8]) -> [[UInt8]] {
        var place = 0
        while place < pattern.count {
            switch pattern[place] {
            case UInt8(ascii: "\\"): place += 2
            case UInt8(ascii: "{"):
                guard let (parts, end) = parts(of: pattern, from: place) else { return [pattern] }
                return parts.flatMap { alternatives(of: pattern[..<place] + $0 + pattern[end...]) }
            default: place += 1
            }
        }
        return [pattern]
    }

    /// The parts between a brace, its commas and its end, and the place behind that; nil where it is not closed.
    private static func parts(of pattern: [UInt8], from start: Int) -> (parts: [[UInt8]], end: Int)? {
        var parts: [[UInt8]] = [[]]
        var depth = 1
        var place = start + 1
        while place < pattern.count {
            let byte = pattern[place]
            switch byte {
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return (parts, place + 1) }
            default: break
            }
            if byte == UInt8(ascii: "\\"), place + 1 < pattern.count {
                parts[parts.count - 1] += pattern[place...place + 1]
                place += 2
                continue
            }
            if byte == UInt8(ascii: ","), depth == 1 { parts.append([]) } else { parts[parts.count - 1].append(byte) }
            place += 1
        }
        return nil
    }
}
