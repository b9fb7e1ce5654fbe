import DisbatchCore
import LinuxSystem

/// A run's last words: how many tasks ran, how they fared, where the record is, and what to do next.
struct RunSummary {
    var totals: RunTotals
    var ending: RunEnding
    var hasTasksLeft: Bool
    var elapsed: Duration
    var statusPath: String
    /// The command that retries the failures and runs what is left.
    var retryCommand: String
    /// Where there is no engine that should be there, and why.
    var engineFailures: [String] = []
    /// Whether somebody took the status file away, or changed it, while the run went on.
    var statusWasTouched = false
    /// Messages about engines that failed everything.
    var quarantined: [String] = []

    var text: String {
        var lines = ["disbatch: \(headline)"]
        lines += quarantined.map { "  \($0)" }
        if ending == .noEngine { lines += engineFailures.map(indented) }
        if totals.enginesLost > 0 { lines.append("  \(count(totals.enginesLost, "engine")) lost") }
        lines.append("  status file: \(statusPath)")
        if statusWasTouched { lines.append("  somebody touched the status file while the run went on, see above") }
        if needsRetry { lines.append("  \(retryAdvice): \(retryCommand)") }
        return lines.joined(separator: "\n")
    }

    private func indented(_ reason: String) -> String {
        "  " + reason.split(separator: "\n").joined(separator: "\n    ")
    }

    private var headline: String {
        var parts = ["\(count(totals.finished, "task")) ended"]
        if totals.failed > 0 { parts.append("\(totals.failed) failed") }
        if totals.lost > 0 { parts.append("\(totals.lost) of these lost with their engines") }
        if totals.retried > 0 { parts.append("\(totals.retried) retried") }
        if totals.skipped > 0 {
            let failed = totals.skippedFailed > 0 ? ", \(totals.skippedFailed) of these failed" : ""
            parts.append("\(totals.skipped) skipped\(failed)")
        }
        if totals.perEngineFailed > 0 { parts.append("\(count(totals.perEngineFailed, "per-engine command")) failed") }
        if hasTasksLeft { parts.append("some left undone") }
        let time = Quantity.time(Double(elapsed.wholeNanoseconds) / 1e9)
        return parts.joined(separator: ", ") + " in \(time)" + endingText
    }

    private var endingText: String {
        switch ending {
        case .completed: ""
        case .checkFailed: "; ended by a failed BARRIER CHECK"
        case .failedFast: "; ended by --fail-fast"
        case .interrupted(let signal): "; ended by \(SignalName.of(signal))"
        case .drained: "; drained"
        case .noEngine: "; no engine is left"
        case .recordBroken: "; the status file can't be written"
        }
    }

    var needsRetry: Bool { totals.failed + totals.skippedFailed > 0 || hasTasksLeft }

    private var retryAdvice: String {
        if ending == .drained, hasTasksLeft, totals.failed + totals.skippedFailed > 0 {
            return "to run the rest (with -R, the failures too)"
        }
        return totals.failed + totals.skippedFailed == 0
            ? "to run the rest" : hasTasksLeft ? "to retry the failures and run the rest" : "to retry the failures"
    }

    private func count(_ number: Int, _ noun: String) -> String { NumberText.count(number, noun) }
}
