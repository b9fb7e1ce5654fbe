/// Slurm's short forms: of lists of nodes, `rack[1-2]node[01-03,7],login`, and of counts, `40,128(x3)`.
enum SlurmNodeList {
    /// More than any cluster has: a list that says so is damaged.
    static let limit = 100_000

    /// The names of a list, in its order; nil where it is none.
    static func names(_ list: String) -> [String]? {
        var names: [String] = []
        for entry in split(list[...]) {
            guard let expanded = expand(entry), names.count + expanded.count <= limit else { return nil }
            names += expanded
        }
        return names.isEmpty ? nil : names
    }

    /// The counts of nodes, in order; nil where the text is no list of such.
    static func counts(_ text: String) -> [Int]? {
        var counts: [Int] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let match = entry.wholeMatch(of: /([0-9]+)(?:\(x([0-9]+)\))?/), let count = Int(match.1) else {
                return nil
            }
            let times = match.2.map { Int($0) ?? 0 } ?? 1
            guard (1...limit).contains(times) else { return nil }
            counts += [Int](repeating: count, count: times)
            guard counts.count <= limit else { return nil }
        }
        return counts
    }

    /// Splits at commas that stand outside of brackets.
    private static func split(_ list: Substring) -> [Substring] {
        var entries: [Substring] = []
        var (start, depth) = (list.startIndex, 0)
        for place in list.indices {
            switch list[place] {
            case "[": depth += 1
            case "]": depth -= 1
            case "," where depth == 0:
                entries.append(list[start..<place])
                start = list.index(after: place)
            default: break
            }
        }
        return entries + [list[start...]]
    }

    /// One entry: what stands in its last brackets changes fastest.
    private static func expand(_ entry: Substring) -> [String]? {
        guard !entry.isEmpty, !entry.contains(where: { $0.isWhitespace || $0 == "/" }) else { return nil }
        var names = [""]
        var rest = entry
        while let open = rest.firstIndex(of: "[") {
            let prefix = rest[..<open]
            let inside = rest[rest.index(after: open)...]
            guard let close = inside.firstIndex(of: "]"), !prefix.contains("]"),
                let parts = ranges(inside[..<close]), names.count * parts.count <= limit
            else { return nil }
            names = names.flatMap { name in parts.map { "\(name)\(prefix)\($0)" } }
            rest = inside[inside.index(after: close)...]
        }
        return rest.contains("]") ? nil : names.map { $0 + rest }
    }

    /// `01-03,7`: numbers of as many digits as the first of their range has.
    private static func ranges(_ text: Substring) -> [String]? {
        var numbers: [String] = []
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            guard (1...2).contains(ends.count), ends.allSatisfy({ $0.wholeMatch(of: /[0-9]+/) != nil }),
                let first = Int(ends[0]), let last = Int(ends[ends.count - 1]), first <= last, last - first < limit
            else { return nil }
            if ends.count == 1 { numbers.append(String(ends[0])) }
            if ends.count == 2 { numbers += (first...last).map { String($0, digits: ends[0].count) } }
        }
        return numbers
    }
}
