/// The ways in which a run comes to its end.
package enum RunEnding: Equatable, Sendable {
    /// Every task that was read ended.
    case completed
    /// A BARRIER CHECK found a failed task.
    case checkFailed
    /// A task failed under `--fail-fast`.
    case failedFast
    case interrupted(signal: Int32)
    /// The run was told to start nothing new, or its contexts' limits were reached.
    case drained
    /// No engine was left, or none ever started, with tasks remaining.
    case noEngine
    /// The status file can't be written.
    case recordBroken
}

/// The numbers of a run.
package struct RunTotals: Equatable, Sendable {
    /// Tasks whose final attempt ended in this run, and those of them that failed (lost ones included).
    package var finished = 0
    package var failed = 0
    /// Tasks given up after their engines were lost.
    package var lost = 0
    /// Tasks that an earlier run completed, and those of them that had failed.
    package var skipped = 0
    package var skippedFailed = 0
    /// Attempts that were followed by another.
    package var retried = 0
    /// Per-engine commands that failed.
    package var perEngineFailed = 0
    package var enginesLost = 0

    package init() {}
}

/// The exit status of `disbatch`: the first of these that holds.
package enum ExitStatus {
    package static let success: Int32 = 0
    package static let tasksFailed: Int32 = 1
    package static let usage: Int32 = 2
    package static let runBroke: Int32 = 3
    package static let tasksLeft: Int32 = 4

    /// The status of a run that ended so.
    ///
    /// - Parameters:
    ///   - sourceBroke: a line of a stream could not be understood.
    ///   - tasksLeft: tasks that this run should have come to were not run.
    ///   - failsOnTaskFailure: whether failed tasks make the status 1 (`-e`).
    package static func of(
        _ ending: RunEnding, totals: RunTotals, sourceBroke: Bool, tasksLeft left: Bool, failsOnTaskFailure: Bool
    ) -> Int32 {
        switch ending {
        case .noEngine, .recordBroken: return runBroke
        case .interrupted(let signal): return 128 + signal
        case .checkFailed, .failedFast: return tasksFailed
        case .completed, .drained: break
        }
        if sourceBroke { return usage }
        if failsOnTaskFailure, totals.failed + totals.skippedFailed + totals.perEngineFailed > 0 { return tasksFailed }
        return left ? tasksLeft : success
    }
}
