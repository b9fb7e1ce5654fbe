/// The kinds of things that are assigned to engines.
package enum AssignmentKind: Equatable, Sendable {
    case task
    case perEngine(PerEnginePhase)
}

/// One task, or per-engine command, handed to one engine.
package struct Assignment: Equatable, Sendable {
    package var id: AssignmentID
    package var kind: AssignmentKind
    package var spec: TaskSpec
    /// Which attempt at the task this is, from 1.
    package var attempt: Int
    /// After this long it is ended as by `--task-timeout`; nil leaves it to the engine's configuration.
    package var timeLimit: Duration?

    package init(id: AssignmentID, kind: AssignmentKind, spec: TaskSpec, attempt: Int, timeLimit: Duration? = nil) {
        self.id = id
        self.kind = kind
        self.spec = spec
        self.attempt = attempt
        self.timeLimit = timeLimit
    }
}

/// A message for the user, to be shown at once.
package enum SchedulerWarning: Equatable, Sendable {
    case engineLost(EngineID, node: String, startedTasks: Int)
    /// An engine has left a lease token unanswered for some time.
    case engineQuiet(EngineID, node: String, seconds: Int)
    /// The engine answers again.
    case engineAnswers(EngineID, node: String)
    case startCommandFailed(EngineID, node: String, returnCode: Int32, engineUsed: Bool)
    /// A per-engine command takes long, and those of so many other engines do too. The first has number 1.
    case commandSlow(EngineID, node: String, PerEnginePhase, number: Int, seconds: Int, others: Int)
    case taskGivenUp(TaskID, losses: Int)
    /// A task that was lost with others, more than once, is run alone.
    case runsAlone(TaskID, EngineID, losses: Int)
    case checkFailed(Barrier)
    case failedFast(TaskID)
    /// An engine is given no more tasks: its last ones all failed at once, while others' succeed.
    case quarantined(EngineID, node: String, failures: Int)
}

/// Something for the driver to do. Performing one never asks the scheduler anything back.
package enum SchedulerAction: Equatable, Sendable {
    /// Read more items from the source, and tell them by ``SchedulerEvent/itemsRead(_:)``. Asked once at a time.
    case readItems
    case assign(EngineID, Assignment)
    /// Ask an engine to give back up to `count` of the tasks that wait on it, the latest first.
    case recall(EngineID, count: Int)
    /// Send an engine a lease token with the time of sending.
    case renewLease(EngineID)
    /// End an engine's tasks: SIGTERM, then SIGKILL after `--kill-after`; with `atOnce`, SIGKILL now.
    case endTasks(EngineID, atOnce: Bool)
    /// End one task as by ``endTasks(_:atOnce:)``; one that waits there is not to be started.
    case endTask(EngineID, AssignmentID, atOnce: Bool)
    /// Tell an engine that it is no longer needed.
    case shutDown(EngineID)
    /// Give an engine up: close its channel and end its launcher.
    case abandon(EngineID)
    /// Append a task's row to the status file: its result, or what came after it was given up.
    case record(RecordedTask)
    case recordPerEngine(RecordedTask, PerEnginePhase)
    /// An attempt that gets no row: superseded by a later one, or ended by the run's own stop. Run record only.
    case keepAttempt(RecordedTask)
    /// Append the row of a task that is given up with its engine, or that its user ended before it started.
    case recordLost(LostAttempt)
    /// A lost attempt that is followed by another. Run record only.
    case keepLostAttempt(LostAttempt)
    case recordBarrier(Barrier, reached: Instant, met: Instant)
    /// Tell by ``SchedulerEvent/rowsWritten`` when every row so far is in the status file and synced.
    case awaitRows
    case warn(SchedulerWarning)
    /// The run is over: all engines are gone and all rows are written.
    case finish(RunEnding)
}
