internal import DisbatchCore

/// The post-mortem as text for a terminal.
package struct ReportText {
    private let report: RunReport
    private let time: (Double) -> String
    private static let shownGroups = 20
    private static let shownNodes = 12
    private static let shownStragglers = 10

    /// - Parameter time: an instant, in seconds since 1970, for people.
    package init(_ report: RunReport, time: @escaping (Double) -> String) {
        self.report = report
        self.time = time
    }

    /// The whole of it.
    package var text: String {
        let parts = [heading, tasks, failures, nodes, stragglers, slots, retry]
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    private var heading: [String] {
        var lines = ["Run \(Displayable.line(report.facts.name)): \(report.state(time))"]
        if let command = report.facts.commandLine {
            lines.append("  command      \(Displayable.line(command))")
        }
        if let directory = report.facts.workingDirectory {
            lines.append("  in           \(Displayable.line(directory))")
        }
        lines.append("  status file  \(Displayable.line(report.facts.statusPath))")
        return lines + report.notes.map { "  note: \($0)" }
    }

    private var tasks: [String] { ["Tasks: \(report.countsText)"] }

    private var failures: [String] {
        guard !report.failures.isEmpty else { return [] }
        let count = report.failures.reduce(0) { $0 + $1.count }
        var lines = [
            "Failures: \(NumberText.count(count, "task")), \(NumberText.count(report.failures.count, "cause"))"
        ]
        for group in report.failures.prefix(Self.shownGroups) { lines += describe(group) }
        let more = report.failures.dropFirst(Self.shownGroups)
        if !more.isEmpty {
            lines.append(
                "  and \(more.reduce(0) { $0 + $1.count }) more of \(NumberText.count(more.count, "other cause"))")
        }
        return lines
    }

    private func describe(_ group: FailureGroup) -> [String] {
        var lines = ["  \(group.count) x \(group.words)" + (group.message.isEmpty ? "" : ": \(group.message)")]
        if let reason = group.reason { lines.append("      likely: \(reason)") }
        let more = group.count > group.tasks.count ? ", ..." : ""
        lines.append("      tasks:  \(group.tasks.map(String.init).joined(separator: ", "))\(more)")
        lines.append("      nodes:  \(group.nodesText)")
        lines.append("      such as \(Displayable.line(group.example))")
        return lines
    }

    private var nodes: [String] {
        guard report.nodes.count > 1 else { return [] }
        var lines = ["Nodes: \(report.nodes.count)"]
        lines += report.suspects.map { "  " + $0.text }
        if report.suspects.isEmpty, report.statistics.failed > 0 {
            lines.append("  none fails clearly more than the others")
        }
        let rows = report.nodes.sorted { $0.tasks > $1.tasks }.prefix(Self.shownNodes)
        lines += StatisticsText.nodeTable(rows.sorted { NodeOrder.precedes($0.node, $1.node) }).map { "  " + $0 }
        if report.nodes.count > Self.shownNodes {
            lines.append("  and \(report.nodes.count - Self.shownNodes) more: dbutil --stats has all")
        }
        return lines
    }

    private var stragglers: [String] {
        guard !report.stragglers.isEmpty else { return [] }
        let usual = NumberText.duration(report.figures.elapsed.median)
        var lines = [
            "Stragglers: \(NumberText.count(report.stragglerCount, "task")) took more than "
                + "\(NumberText.duration(report.fence)); half of all took at most \(usual)"
        ]
        for row in report.stragglers.prefix(Self.shownStragglers) {
            let soFar = row.finish == nil ? " so far" : ""
            lines.append(
                "  task \(row.id)  \(NumberText.duration(report.length(row)))\(soFar)  "
                    + "on \(Displayable.line(row.node ?? []))  \(Displayable.line(row.command))")
        }
        return lines
    }

    private var slots: [String] {
        guard report.use.mostBusy > 0 else { return [] }
        var lines = ["Slots: \(report.slotsText)"]
        let most = max(report.use.mostAvailable, report.use.mostBusy)
        lines.append("  busy |\(Self.bars(report.use.mean(parts: 60, of: report.use.busy), most: most))|")
        lines.append("       \(time(report.use.start)) to \(time(report.use.finish))")
        return lines
    }

    /// Blocks of eight heights.
    static func bars(_ values: [Double], most: Double) -> String {
        let blocks: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        return String(values.map { blocks[min(8, max($0 > 0 ? 1 : 0, Int(($0 / most * 8).rounded())))] })
    }

    private var retry: [String] {
        guard report.hasRest else { return [] }
        let left = "dbutil --remaining --failed writes what is left as a task file"
        guard let command = report.retryCommand else { return ["What is left: \(left)"] }
        return ["To retry the failures and run what is left:", "  \(Displayable.line(command))"]
    }
}

extension FailureGroup {
    /// Its nodes, those with the most first.
    var nodesText: String {
        let shown = nodesByCount.prefix(6).map { item in
            let name = item.node.isEmpty ? "(unknown)" : Displayable.line(item.node)
            return nodes.count == 1 ? name : "\(name) (\(item.count))"
        }
        let more = nodes.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}

extension NodeComparison.Suspect {
    /// A sentence.
    var text: String {
        let rate = NumberText.percent(Double(failed) / Double(tasks))
        return "\(Displayable.line(node)): \(failed) of \(tasks) failed (\(rate)); "
            + "elsewhere \(NumberText.percent(rateElsewhere))"
    }
}

extension RunReport {
    /// How the run stands, in one line.
    func state(_ time: (Double) -> String) -> String {
        var text = facts.isActive ? "still running" : facts.state
        if let finish = facts.finish, !facts.isActive { text += " \(time(finish))" }
        if let start = facts.start { text += ", after \(NumberText.duration((facts.finish ?? now) - start))" }
        if facts.finish == nil, !facts.isActive { text = "broken off: its driver ended without a word" }
        if let status = facts.exitStatus, !facts.isActive { text += ", exit status \(status)" }
        return text
    }

    /// Notes that a reader of the report must know.
    var notes: [String] {
        var notes: [String] = []
        if facts.isFromStatus {
            notes.append("from the status file alone: CPU time, memory and earlier attempts are not known")
        }
        if facts.dropped > 0 || facts.failure != nil {
            let why = facts.failure.map { ": " + Displayable.line($0) } ?? ""
            notes.append("the run record is incomplete\(why); dbutil --rebuild makes it anew from the status file")
        }
        if facts.failedPerEngine > 0 {
            let count = NumberText.count(facts.failedPerEngine, "PERENGINE command")
            notes.append("\(count) failed: see the status file's rows with P as the fourth flag")
        }
        if facts.runCount > 1 {
            notes.append("the record has \(facts.runCount) runs; times of the slots are those of the last")
        }
        return notes
    }

    /// How many tasks are in which state.
    var countsText: String {
        let parts = TaskState.allCases.compactMap { state in
            statistics.counts[state].map { "\($0) \(state.rawValue)" }
        }
        var text = parts.isEmpty ? "none" : parts.joined(separator: ", ")
        if statistics.extraAttempts > 0 {
            text +=
                "; \(NumberText.count(statistics.retriedTasks, "task")) took "
                + "\(statistics.extraAttempts) more \(statistics.extraAttempts == 1 ? "attempt" : "attempts")"
        }
        return text
    }

    /// How slots were used, in one line.
    var slotsText: String {
        var parts: [String] = []
        if use.knowsSlots {
            parts.append("\(engines.map(\.slots).reduce(0, +)) in \(NumberText.count(engines.count, "engine"))")
        }
        if let used = use.usedPart { parts.append("\(NumberText.percent(used)) of their time used") }
        parts.append("at most \(NumberText.fixed(use.mostBusy, decimals: 0)) busy")
        let tail = use.tailSeconds
        if tail > max(1, (use.finish - use.start) / 20), !facts.isActive {
            parts.append("the last \(NumberText.duration(tail)) with less than half busy")
        }
        return parts.joined(separator: "; ")
    }
}
