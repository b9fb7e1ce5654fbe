package import DisbatchCore

/// How a simulated run went.
package struct SimulationReport: Equatable, Sendable {
    package var parameters: SimulationParameters
    /// The first thing that was wrong; nil if all was well.
    package var violation: String?
    package var ending: RunEnding?
    /// Events that the scheduler was told of.
    package var events = 0
    package var seconds = 0.0
    package var totals = RunTotals()
    /// Reports that came after their assignments had been given up.
    package var lateReports = 0
    package var recalls = 0
    /// Engines that were launched in the place of lost ones.
    package var relaunches = 0
    /// Times that the driver went on after it had stood still.
    package var wakes = 0
    /// Times that all hosts were cut off, and that the first context's allocation ended.
    package var blackouts = 0
    package var allocationEnds = 0
    /// Tasks that were begun again after they had ended well: their reports did not come.
    package var repeats = 0
    /// Tasks with a row.
    package var rows = 0
    /// How often the scheduler looked at an engine that an event was not about.
    package var looks = 0
    /// Nanoseconds spent in the scheduler, where they were measured.
    package var schedulerNanoseconds: UInt64 = 0

    /// The text to print: the outcome, and for a violation how to see it again.
    package var text: String {
        var text =
            "seed \(parameters.seed): \(ending.map { "\($0)" } ?? "no end"), \(totals.finished) tasks "
            + "(\(totals.failed) failed, \(totals.lost) lost, \(totals.skipped) skipped), \(totals.retried) retried, "
            + "\(totals.enginesLost) engines lost, \(lateReports) late reports, \(recalls) recalls, "
            + "\(events) events in \(seconds) s"
        if schedulerNanoseconds > 0, events > 0 {
            let each = schedulerNanoseconds / UInt64(events)
            let looks = (Double(looks) / Double(events) * 100).rounded() / 100
            text += "\n  scheduler: \(each) ns and \(looks) looks at other engines an event; \(rows) rows"
        }
        if let violation { text += "\nVIOLATION: \(violation)\n  again: \(parameters.command)" }
        return text
    }
}
