import DisbatchCore

/// Counts rows, in one byte for each task: what can be said of a run of any size.
struct RowLedger {
    private var rows: [UInt8]
    private(set) var succeeded = 0
    private(set) var failed = 0
    /// The first thing that was wrong.
    private(set) var violation: String?

    init(tasks: Int) { rows = Array(repeating: 0, count: tasks) }

    mutating func note(_ action: SchedulerAction) {
        switch action {
        case .record(let record) where record.kind == .task: add(record.spec.id, failed: record.outcome.failed)
        case .recordLost(let lost) where lost.kind == .task: add(lost.spec.id, failed: true)
        default: break
        }
    }

    private mutating func add(_ task: TaskID, failed hasFailed: Bool) {
        guard rows.indices.contains(task.rawValue) else {
            violation = "a row for \(task.rawValue), which is no task"
            return
        }
        if rows[task.rawValue] > 0, violation == nil { violation = "a second row for task \(task.rawValue)" }
        rows[task.rawValue] &+= 1
        if hasFailed { failed += 1 } else { succeeded += 1 }
    }

    /// Returns what is wrong with the rows of a run that ended, or nil.
    func checkEnd(_ ending: RunEnding, totals: RunTotals) -> String? {
        if let violation { return violation }
        if ending == .completed, let task = rows.firstIndex(of: 0) {
            return "the run completed, but \(task) has no row"
        }
        if totals.finished != succeeded + failed || totals.failed != failed {
            return "\(succeeded + failed) rows, \(failed) of failed tasks, counted \(totals.finished), \(totals.failed)"
        }
        return nil
    }
}
