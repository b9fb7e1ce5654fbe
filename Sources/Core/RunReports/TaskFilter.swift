internal import DisbatchCore

/// Which tasks are wanted: conditions that must all hold.
package struct TaskFilter: Equatable, Sendable {
    enum Comparison: String, CaseIterable, Sendable {
        // The longer ones first: as they are looked for.
        case notEqual = "!="
        case notAbove = "<="
        case notBelow = ">="
        case equal = "="
        case below = "<"
        case above = ">"
    }

    enum Operand: Equatable, Sendable {
        case number(Double)
        /// Any of these patterns.
        case patterns([GlobPattern])
    }

    struct Condition: Equatable, Sendable {
        var field: TaskField
        var comparison: Comparison
        var operand: Operand
    }

    var conditions: [Condition]

    /// All tasks.
    package init() { conditions = [] }

    /// Reads `state=failed,elapsed>60`.
    package init(_ text: String) throws(ReportError) {
        conditions = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            conditions.append(try Self.condition(part))
        }
    }

    /// Whether a task is wanted. A condition on what is not known does not hold.
    package func matches(_ row: TaskRow) -> Bool { conditions.allSatisfy { $0.holds(for: row[$0.field]) } }

    /// Whether no task that an earlier run did, or that waits, can match: so that it need not be looked for.
    package var excludesWaiting: Bool {
        conditions.contains { condition in
            if condition.field == .state { return !condition.holds(for: .bytes(Array("waiting".utf8))) }
            return ![.id, .line, .repeatIndex, .attempts, .command].contains(condition.field)
        }
    }

    private static func condition(_ text: Substring) throws(ReportError) -> Condition {
        guard let start = text.firstIndex(where: { "=<>!".contains($0) }),
            let comparison = Comparison.allCases.first(where: { text[start...].hasPrefix($0.rawValue) })
        else {
            throw ReportError(
                "--filter: \(Displayable.quoted(String(text))) is no condition; "
                    + "write FIELD=VALUE, or with !=, <, <=, > or >=, such as state=failed or elapsed>60")
        }
        let field = try TaskField.named(String(text[..<start]), in: "--filter")
        var value = text[text.index(start, offsetBy: comparison.rawValue.count)...]
        if comparison == .equal, value.first == "=" { value = value.dropFirst() }
        return Condition(field: field, comparison: comparison, operand: try operand(field, comparison, String(value)))
    }

    private static func operand(
        _ field: TaskField, _ comparison: Comparison, _ value: String
    ) throws(ReportError) -> Operand {
        guard field.kind == .text else {
            if let number = number(value, field.kind) { return .number(number) }
            let example =
                switch field.kind {
                case .seconds: "a number of seconds, or such as 90s, 10m, 2h, 1d"
                case .bytes: "a number of bytes, or such as 100K, 500M, 2G"
                case .time: "a number of seconds since 1970"
                default: "a whole number"
                }
            throw ReportError(
                "--filter: \(field.rawValue) is compared with \(example); not \(Displayable.quoted(value))")
        }
        guard comparison == .equal || comparison == .notEqual else {
            throw ReportError("--filter: \(field.rawValue) is text; compare it by = or !=, with * for anything")
        }
        let words = value.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        var patterns: [GlobPattern] = []
        for word in words { patterns.append(field == .state ? try state(word) : GlobPattern(word)) }
        return .patterns(patterns)
    }

    private static func state(_ word: String) throws(ReportError) -> GlobPattern {
        let word = word == "succeeded" ? TaskState.done.rawValue : word
        let pattern = GlobPattern(word)
        if TaskState.allCases.contains(where: { pattern.matches(Array($0.rawValue.utf8)) }) { return pattern }
        let known = TaskState.allCases.map(\.rawValue).joined(separator: ", ")
        throw ReportError("--filter: there is no state \(Displayable.quoted(word)). States are:\n  \(known)")
    }

    /// A number with a unit that fits the field's kind; nil for what is none.
    static func number(_ text: String, _ kind: TaskField.Kind) -> Double? {
        let units: [Character: Double] =
            switch kind {
            case .seconds: ["s": 1, "m": 60, "h": 3600, "d": 86400]
            case .bytes: ["K": 1024, "M": 1_048_576, "G": 1_073_741_824, "T": 1_099_511_627_776]
            case .text, .count, .time: [:]
            }
        var digits = Substring(text)
        var scale = 1.0
        if let unit = text.last.flatMap({ units[kind == .bytes ? Character($0.uppercased()) : $0] }) {
            scale = unit
            digits = text.dropLast()
        }
        let plain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D }
        guard plain, kind != .count || Int(digits) != nil, let number = Double(digits) else { return nil }
        return number * scale
    }
}

extension TaskFilter.Condition {
    func holds(for value: FieldValue) -> Bool {
        switch (value, operand) {
        case (.integer(let number), .number(let other)): return holds(Double(number), other)
        case (.real(let number), .number(let other)): return holds(number, other)
        case (.bytes(let bytes), .patterns(let patterns)):
            return patterns.contains { $0.matches(bytes) } == (comparison == .equal)
        default: return false
        }
    }

    private func holds(_ number: Double, _ other: Double) -> Bool {
        switch comparison {
        case .equal: number == other
        case .notEqual: number != other
        case .below: number < other
        case .notAbove: number <= other
        case .above: number > other
        case .notBelow: number >= other
        }
    }
}

/// A pattern of a shell over bytes: `*` is anything, `?` one character, all else itself.
package struct GlobPattern: Equatable, Sendable {
    private let pattern: [UInt8]

    package init(_ text: String) { pattern = Array(text.utf8) }

    /// Whether the whole of `bytes` is what the pattern says. In time that is linear but for few stars.
    package func matches(_ bytes: [UInt8]) -> Bool {
        var (place, index) = (0, 0)
        var (star, resumed) = (-1, 0)
        while index < bytes.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                (star, resumed) = (place, index)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") {
                place += 1
                index += 1
                while index < bytes.count, bytes[index] & 0xC0 == 0x80 { index += 1 }
            } else if place < pattern.count, pattern[place] == bytes[index] {
                place += 1
                index += 1
            } else if star >= 0 {
                resumed += 1
                (place, index) = (star + 1, resumed)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
