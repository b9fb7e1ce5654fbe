/// The distribution of many numbers.
package struct Distribution: Equatable, Sendable {
    package var count = 0
    package var sum = 0.0
    package var median = 0.0
    /// Three quarters of the numbers are not above it.
    package var upperQuartile = 0.0
    /// 95 of 100 numbers are not above it.
    package var percentile95 = 0.0
    package var maximum = 0.0

    package init() {}

    /// Of `values`, in any order.
    package init(_ values: [Double]) { self.init(sorted: values.sorted()) }

    /// Of values in rising order.
    package init(sorted values: [Double]) {
        guard let last = values.last else { return }
        count = values.count
        sum = values.reduce(0, +)
        median = Self.percentile(50, ofSorted: values)
        upperQuartile = Self.percentile(75, ofSorted: values)
        percentile95 = Self.percentile(95, ofSorted: values)
        maximum = last
    }

    /// The least of the values that at least so many per cent of them are not above (nearest rank): always one of
    /// them.
    static func percentile(_ percent: Int, ofSorted values: [Double]) -> Double {
        let rank = (percent * values.count + 99) / 100
        return values[max(0, rank - 1)]
    }
}

/// Elapsed time, CPU time and peak memory of tasks that ended.
package struct TaskFigures: Equatable, Sendable {
    package var elapsed = Distribution()
    /// CPU seconds.
    package var cpu = Distribution()
    /// Bytes.
    package var memory = Distribution()
}

/// The tasks of one node.
package struct NodeFigures: Equatable, Sendable {
    package var node: [UInt8]
    package var tasks: Int
    package var failed: Int
    package var figures: TaskFigures
}

/// Counts and figures of a run's tasks. Kept of each ended task are three numbers, in memory.
package struct RunStatistics: Equatable, Sendable {
    package private(set) var counts: [TaskState: Int] = [:]
    package private(set) var failed = 0
    /// Tasks that took more than one attempt, and the attempts beyond their first.
    package private(set) var retriedTasks = 0
    package private(set) var extraAttempts = 0
    private var nodes: [[UInt8]: Values] = [:]

    private struct Values: Equatable, Sendable {
        var tasks = 0
        var failed = 0
        var elapsed: [Double] = []
        var cpu: [Double] = []
        var memory: [Double] = []

        static func + (left: Values, right: Values) -> Values {
            Values(
                tasks: left.tasks + right.tasks, failed: left.failed + right.failed,
                elapsed: left.elapsed + right.elapsed, cpu: left.cpu + right.cpu, memory: left.memory + right.memory)
        }

        var figures: TaskFigures {
            TaskFigures(elapsed: Distribution(elapsed), cpu: Distribution(cpu), memory: Distribution(memory))
        }
    }

    package init() {}

    /// Takes a task. What an earlier run did counts as skipped, and not among times.
    package mutating func add(_ row: TaskRow) {
        counts[row.state, default: 0] += 1
        if row.hasFailed { failed += 1 }
        if row.attempts > 1 {
            retriedTasks += 1
            extraAttempts += row.attempts - 1
        }
        guard [.done, .failed, .lost].contains(row.state), let elapsed = row.elapsed else { return }
        let isFailure = row.hasFailed
        let (cpu, memory) = (row.cpu, row.memory)
        modify(&nodes[row.node ?? [], default: Values()]) { values in
            values.tasks += 1
            if isFailure { values.failed += 1 }
            values.elapsed.append(elapsed)
            if let cpu { values.cpu.append(cpu) }
            if let memory { values.memory.append(Double(memory)) }
        }
    }

    private func modify(_ values: inout Values, _ body: (inout Values) -> Void) { body(&values) }

    /// All tasks.
    package var total: Int { counts.values.reduce(0, +) }

    /// How many tasks are in one of these states.
    package func count(_ states: TaskState...) -> Int { states.reduce(0) { $0 + (counts[$1] ?? 0) } }

    /// Of all ended tasks.
    package func figures() -> TaskFigures { nodes.values.reduce(Values(), +).figures }

    /// Of each node, in the order of names, numbers in them by value.
    package func nodeFigures() -> [NodeFigures] {
        nodes.map { NodeFigures(node: $0, tasks: $1.tasks, failed: $1.failed, figures: $1.figures) }
            .sorted { NodeOrder.precedes($0.node, $1.node) }
    }

    /// The elapsed times of all ended tasks in rising order.
    package func sortedElapsed() -> [Double] { nodes.values.flatMap(\.elapsed).sorted() }
}

/// The order of nodes' names: `n2` before `n10`.
package enum NodeOrder {
    /// Whether a node comes before another.
    package static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        let (first, second) = (parts(left), parts(right))
        for (one, other) in zip(first, second) where one != other {
            if let number = one.number, let another = other.number, number != another { return number < another }
            return one.bytes.lexicographicallyPrecedes(other.bytes)
        }
        return first.count < second.count
    }

    private struct Part: Equatable {
        var bytes: ArraySlice<UInt8>
        var number: Int?
    }

    private static func parts(_ name: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var rest = name[...]
        while let first = rest.first {
            let isDigit = (0x30...0x39).contains(first)
            let part = rest.prefix { (0x30...0x39).contains($0) == isDigit }
            parts.append(Part(bytes: part, number: isDigit ? Int(String(decoding: part, as: UTF8.self)) : nil))
            rest = rest.dropFirst(part.count)
        }
        return parts
    }
}
