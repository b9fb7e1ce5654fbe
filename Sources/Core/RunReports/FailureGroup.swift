internal import DisbatchCore

/// Tasks that failed in the same way.
package struct FailureGroup: Equatable, Sendable {
    package var returnCode: Int
    package var ending: [UInt8]?
    /// The last line of the first one's standard error, fit to be shown; empty where there was none.
    package var message: String
    package var count = 0
    /// Seconds that they took.
    package var seconds = 0.0
    /// The first of them.
    package var tasks: [Int] = []
    package var example: [UInt8] = []
    package var nodes: [[UInt8]: Int] = [:]

    /// Nodes with how many failed there, the most first.
    package var nodesByCount: [(node: [UInt8], count: Int)] {
        nodes.map { (node: $0, count: $1) }.sorted { left, right in
            left.count != right.count ? left.count > right.count : NodeOrder.precedes(left.node, right.node)
        }
    }

    package var words: String { ReturnCodeText.words(returnCode, ending: ending) }

    package var reason: String? { ReturnCodeText.likelyReason(returnCode, ending: ending, message: message) }
}

/// Gathers failures by their causes: return code, how they ended, and the last line on standard error but for the
/// numbers in it.
package struct FailureGroups: Sendable {
    private struct Cause: Hashable {
        var returnCode: Int
        var ending: [UInt8]?
        var message: [UInt8]
    }

    /// Further causes are put together, by return code alone.
    static let mostCauses = 2_000
    private static let shownTasks = 8
    private var groups: [Cause: FailureGroup] = [:]

    package init() {}

    /// Takes a task that failed.
    package mutating func add(_ row: TaskRow) {
        let line = Self.message(of: row)
        let code = row.returnCode ?? -100
        // What ended by itself says no more than its code.
        let ending = row.ending.flatMap { $0 == Array("exited".utf8) ? nil : $0 }
        var cause = Cause(returnCode: code, ending: ending, message: Self.withoutNumbers(line))
        if groups.count >= Self.mostCauses, groups[cause] == nil {
            cause.message = Array("(other messages)".utf8)
        }
        let isOther = cause.message == Array("(other messages)".utf8)
        let empty = FailureGroup(
            returnCode: code, ending: ending, message: isOther ? "(other messages)" : Displayable.line(line))
        Self.add(row, to: &groups[cause, default: empty])
    }

    private static func add(_ row: TaskRow, to group: inout FailureGroup) {
        group.count += 1
        group.seconds += row.elapsed ?? 0
        group.nodes[row.node ?? [], default: 0] += 1
        if group.tasks.isEmpty { group.example = row.command }
        if group.tasks.count < shownTasks { group.tasks.append(row.id) }
    }

    /// The largest first.
    package var sorted: [FailureGroup] {
        groups.values.sorted { left, right in
            left.count != right.count ? left.count > right.count : (left.tasks.first ?? 0) < (right.tasks.first ?? 0)
        }
    }

    /// The last line of a task's standard error. Of a long one, that nobody kept whole, its end alone: what was cut out
    /// before it may be anywhere.
    static func message(of row: TaskRow) -> [UInt8] {
        guard let snippet = row.errSnippet, let count = row.errBytes, count > 80, snippet.count > 43 else {
            return lastLine(row.errSnippet ?? [])
        }
        let end = Array(snippet[43...])
        let line = lastLine(end)
        let isWhole = end.dropLast().contains { $0 == UInt8(ascii: "\n") }
        return isWhole ? line : Array("...".utf8) + line
    }

    /// The last line that is not blank.
    static func lastLine(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let line = lines.last { line in line.contains { $0 > 0x20 } } ?? []
        return Array(line.drop { $0 <= 0x20 })
    }

    /// Digits in a row are one `#`: so that what tells of task 17 is the same as what tells of task 18.
    static func withoutNumbers(_ line: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for byte in line {
            let isDigit = (0x30...0x39).contains(byte)
            if !isDigit { text.append(byte) } else if text.last != UInt8(ascii: "#") { text.append(UInt8(ascii: "#")) }
        }
        return text
    }
}

/// Nodes on which more fails than elsewhere.
package enum NodeComparison {
    /// A node that stands out.
    package struct Suspect: Equatable, Sendable {
        package var node: [UInt8]
        package var tasks: Int
        package var failed: Int
        /// The part of all other nodes' tasks that failed.
        package var rateElsewhere: Double
    }

    /// The nodes whose failures can hardly be chance: three or more, at more than twice the rate of all others, and
    /// above it by more than three standard deviations of a count that follows that rate.
    package static func suspects(_ nodes: [(node: [UInt8], tasks: Int, failed: Int)]) -> [Suspect] {
        let tasks = nodes.reduce(0) { $0 + $1.tasks }
        let failed = nodes.reduce(0) { $0 + $1.failed }
        return nodes.compactMap { node in
            let others = tasks - node.tasks
            guard node.failed >= 3, others > 0 else { return nil }
            // One failure more elsewhere, as none in a few tasks does not mean that there are none.
            let rate = min(1, Double(failed - node.failed + 1) / Double(others + 1))
            let expected = rate * Double(node.tasks)
            let excess = Double(node.failed) - expected
            guard Double(node.failed) > 2 * expected, excess * excess > 9 * expected * (1 - rate) else { return nil }
            let elsewhere = Double(failed - node.failed) / Double(others)
            return Suspect(node: node.node, tasks: node.tasks, failed: node.failed, rateElsewhere: elsewhere)
        }
    }
}

/// Tasks that took far longer than others.
package struct Stragglers: Equatable, Sendable {
    /// The time in seconds beyond which a task is one; infinite where there are too few tasks to tell.
    package let fence: Double

    /// - Parameter figures: elapsed times of all tasks that ended.
    package init(_ elapsed: Distribution) {
        // Tukey's outer fence, by the upper half alone, and never what is hardly longer than usual.
        let spread = elapsed.upperQuartile - elapsed.median
        let far = elapsed.upperQuartile + 6 * spread
        fence = elapsed.count < 4 ? .infinity : max(far, 2 * elapsed.median, elapsed.median + 1)
    }
}
