/// The end of a task, as its engine reported it.
package struct TaskExit: Equatable, Sendable {
    package var engine: EngineID
    package var assignment: AssignmentID
    package var cylinder: Int
    package var outcome: TaskOutcome

    package init(engine: EngineID, assignment: AssignmentID, cylinder: Int, outcome: TaskOutcome) {
        self.engine = engine
        self.assignment = assignment
        self.cylinder = cylinder
        self.outcome = outcome
    }
}

/// Task exits that a resource manager's signal may have caused.
///
/// A manager that ends a job may signal its tasks too, and these end before engine or driver hear of it. Such an exit
/// is undecided for ``grace``: it is a stop where the engine or the driver was signalled meanwhile, or is gone; else it
/// is the task's own, and a result. Within ``grace`` of an engine's signal every exit there is a stop: a shell whose
/// child was signalled goes on, and may end with 0.
package struct SuspectExits: Sendable {
    /// How long word of the manager's signal is waited for.
    package static let grace = Duration.seconds(1)

    private static let managersSignals: Set<Int32> = [
        SignalNumber.terminate, SignalNumber.user1, SignalNumber.user2, SignalNumber.kill,
    ]

    /// Undecided exits, in the order in which they came.
    private var waiting: [(exit: TaskExit, due: Instant)] = []

    package init() {}

    /// Whether an exit in a job may be a manager's doing. (A shell that had the signal later than what it waited for
    /// tells of it by 128 and the signal's number.)
    package static func isSuspect(_ outcome: TaskOutcome) -> Bool {
        outcome.ending == .exited
            && (managersSignals.contains(-outcome.returnCode) || managersSignals.contains(outcome.returnCode - 128))
    }

    /// Keeps an exit undecided.
    package mutating func add(_ exit: TaskExit, at now: Instant) { waiting.append((exit, now + Self.grace)) }

    /// The undecided exits of an engine that was signalled or is gone, of all where none is named: these were stops.
    package mutating func takeStops(of engine: EngineID?) -> [TaskExit] {
        guard !waiting.isEmpty else { return [] }
        let stops = waiting.filter { engine == nil || $0.exit.engine == engine }.map { Self.stopped($0.exit) }
        waiting.removeAll { engine == nil || $0.exit.engine == engine }
        return stops
    }

    /// The exits whose time is over without any word: these are results.
    package mutating func takeResults(at now: Instant) -> [TaskExit] {
        let count = waiting.prefix { now >= $0.due }.count
        defer { waiting.removeFirst(count) }
        return waiting.prefix(count).map(\.exit)
    }

    /// Lets all wait anew, after the driver stood still: word may be among what it has not read.
    package mutating func restart(at now: Instant) {
        for index in waiting.indices { waiting[index].due = now + Self.grace }
    }

    /// When the next exit counts as a result.
    package var nextDeadline: Instant { waiting.first?.due ?? .distantFuture }

    /// An exit as the run's own stop would have caused it.
    package static func stopped(_ exit: TaskExit) -> TaskExit {
        var result = exit
        result.outcome.ending = .stopped
        return result
    }
}
