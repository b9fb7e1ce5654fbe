/// An engine of a run, for how its slots were used.
package struct EngineSpan: Equatable, Sendable {
    package var node: [UInt8]
    package var slots: Int
    /// Seconds since 1970.
    package var joined: Double
    package var ended: Double?
    package var reason: String?

    package init(node: [UInt8], slots: Int, joined: Double, ended: Double?, reason: String? = nil) {
        self.node = node
        self.slots = slots
        self.joined = joined
        self.ended = ended
        self.reason = reason
    }
}

/// All that a post-mortem says.
package struct RunReport: Sendable {
    package var facts: RunFacts
    /// When it was made, in seconds since 1970.
    package var now: Double
    package var statistics = RunStatistics()
    package var figures = TaskFigures()
    package var nodes: [NodeFigures] = []
    package var failures: [FailureGroup] = []
    package var suspects: [NodeComparison.Suspect] = []
    package var fence = Double.infinity
    /// The longest tasks beyond the fence, the longest first.
    package var stragglers: [TaskRow] = []
    package var stragglerCount = 0
    package var use: SlotUse
    package var engines: [EngineSpan] = []
    package var histogram = Histogram([])
    /// The command that does what is left; nil where nothing is, or where it is not known.
    package var retryCommand: String?

    /// Whether a task failed or is left.
    package var hasRest: Bool {
        statistics.failed + statistics.count(.stopped, .abandoned, .retrying, .waiting) > 0
            || !facts.isActive && statistics.count(.running) > 0
    }
}

/// Gathers a report from the tasks of a run, one by one. It keeps three numbers of a task, and the longest ones.
package struct ReportBuilder: Sendable {
    private var report: RunReport
    private var groups = FailureGroups()
    private var longest: [TaskRow] = []
    private static let kept = 50
    private static let parts = 240

    /// - Parameter now: seconds since 1970.
    package init(_ facts: RunFacts, now: Double) {
        let start = facts.start ?? now
        report = RunReport(
            facts: facts, now: now, use: SlotUse(start: start, finish: facts.finish ?? now, parts: Self.parts))
    }

    /// Takes a task.
    package mutating func add(_ row: TaskRow) {
        report.statistics.add(row)
        if row.hasFailed { groups.add(row) }
        guard let start = row.start, row.state != .skipped else { return }
        let finish = row.finish ?? (report.facts.isActive ? report.now : start)
        report.use.addBusy(from: start, to: finish)
        keep(row, finish - start)
    }

    /// Takes an attempt that was not a task's last.
    package mutating func addEarlierAttempt(from start: Double, to finish: Double) {
        report.use.addBusy(from: start, to: finish)
    }

    /// Takes an engine.
    package mutating func add(_ engine: EngineSpan) {
        report.engines.append(engine)
        report.use.addSlots(engine.slots, from: engine.joined, to: engine.ended ?? report.use.finish)
    }

    private mutating func keep(_ row: TaskRow, _ seconds: Double) {
        if longest.count == Self.kept, let last = longest.last, length(last) >= seconds { return }
        let place = longest.firstIndex { length($0) < seconds } ?? longest.count
        longest.insert(row, at: place)
        if longest.count > Self.kept { longest.removeLast() }
    }

    /// Seconds that a task took, or takes so far.
    private func length(_ row: TaskRow) -> Double { report.length(row) }

    /// The report, when all was taken.
    package consuming func finish() -> RunReport {
        var report = report
        let elapsed = report.statistics.sortedElapsed()
        report.figures = report.statistics.figures()
        report.nodes = report.statistics.nodeFigures()
        report.failures = groups.sorted
        report.suspects = NodeComparison.suspects(report.nodes.map { ($0.node, $0.tasks, $0.failed) })
        report.fence = Stragglers(report.figures.elapsed).fence
        report.stragglers = longest.filter { report.length($0) > report.fence }
        report.stragglerCount = max(report.stragglers.count, elapsed.count { $0 > report.fence })
        report.histogram = Histogram(elapsed)
        if report.hasRest { report.retryCommand = report.facts.retryCommand }
        return report
    }
}

extension RunReport {
    /// Seconds that a task took, or takes so far.
    package func length(_ row: TaskRow) -> Double {
        guard let start = row.start else { return 0 }
        return (row.finish ?? (facts.isActive ? now : start)) - start
    }
}

/// How many tasks took how long, each step of time the double of the one before.
package struct Histogram: Equatable, Sendable {
    /// The first step's lower end, in seconds.
    package private(set) var lowest = 0.0
    package private(set) var counts: [Int] = []

    /// Of elapsed times in rising order.
    package init(_ sorted: [Double]) {
        guard let last = sorted.last else { return }
        let least = max(0.001, sorted[0])
        lowest = 0.001
        while lowest * 2 <= least { lowest *= 2 }
        var upper = lowest * 2
        var count = 0
        for value in sorted {
            while value >= upper {
                counts.append(count)
                count = 0
                upper *= 2
            }
            count += 1
        }
        counts.append(count)
        precondition(last < upper, "the last step holds the longest")
    }

    /// The lower end of a step, in seconds.
    package func lowerEnd(_ step: Int) -> Double {
        var end = lowest
        for _ in 0..<step { end *= 2 }
        return end
    }
}
