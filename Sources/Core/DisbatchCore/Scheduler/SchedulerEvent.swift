/// The ways in which a task source comes to its end.
package enum SourceEnd: Equatable, Sendable {
    /// Every item was read.
    case complete
    /// `--limit` was reached with tasks left behind it.
    case limited
    /// A line of a stream could not be understood; what was read before it still runs.
    case broken
}

/// The reasons to stop a run.
package enum StopReason: Equatable, Sendable {
    /// A signal to the driver (SIGINT, SIGTERM), by its number.
    case interrupted(signal: Int32)
    /// The status file can't be written any more.
    case recordBroken
}

/// The engines that a drain is for.
package enum DrainScope: Equatable, Sendable {
    case run
    case context(ContextID)
    case engine(EngineID)
}

/// Something that happened, as the scheduler is told of it.
package enum SchedulerEvent: Equatable, Sendable {
    /// The source yielded these items, in order; the answer to ``SchedulerAction/readItems``.
    case itemsRead([TaskItem])
    case sourceEnded(SourceEnd)
    /// A context came to be; with a limit it ends after that many assignments.
    case contextOpened(ContextID, taskLimit: Int?)
    /// Whether a run without engines is to wait for contexts.
    case contextsExpected(Bool)
    /// Whether engines would be launched again if they were lost: then a run without engines waits for them.
    case enginesExpected(Bool)
    /// Whether engines may come to a context later, so that it is not over without any.
    case contextMayGrow(ContextID, Bool)
    /// Engines of a context may go before the end of the run, once nothing is left for them; those of the driver's own
    /// node, if it is named, stay.
    case retirementAllowed(ContextID, keeping: String?)
    /// An engine's command was launched, or is about to be; it has not been heard of yet. One that is `leased` may live
    /// on where its channel ended; of another the end of the channel soon brings the proof that it is gone.
    case engineLaunched(EngineID, in: ContextID, node: String, leased: Bool)
    /// An engine is ready for work. `roundTrip` is the time of a message there and back.
    case engineJoined(EngineID, slots: Int, roundTrip: Duration)
    case taskStarted(EngineID, AssignmentID)
    /// A task ended well, and its slot is free; its end is told of when its files are at home.
    case filesAwaited(EngineID, AssignmentID)
    case taskFinished(EngineID, AssignmentID, cylinder: Int, TaskOutcome)
    /// The answer to ``SchedulerAction/recall(_:count:)``: these had not been started, and won't be.
    case assignmentsReturned(EngineID, [AssignmentID])
    /// An engine that was to end a task had not started it, and won't.
    case assignmentWithdrawn(EngineID, AssignmentID)
    /// The user wants a task that an engine has to end, and not to be run again. Told again: at once.
    case killRequested(TaskID)
    /// An engine acknowledged the lease token that was sent at this time.
    case leaseAcknowledged(EngineID, sentAt: Instant)
    /// An engine's channel ended, without proof that its tasks are dead.
    case engineSilent(EngineID)
    /// An engine and all its tasks are known to be no more.
    case engineGone(EngineID)
    /// The answer to ``SchedulerAction/awaitRows``.
    case rowsWritten
    case drainRequested(DrainScope)
    /// A context's time is nearly over: what runs there is ended, for others to do. Told again: at once.
    case contextEnding(ContextID)
    case stopRequested(StopReason)
    /// Whether no task is to be started for now, because rows can't be written; what engines have not started is asked
    /// back.
    case startingHeld(Bool)
    /// The driver stood still: what was sent to it meanwhile is told from now on. Leases are given anew before any is
    /// judged.
    case woke
    /// Nothing but time went by.
    case timePassed
}
