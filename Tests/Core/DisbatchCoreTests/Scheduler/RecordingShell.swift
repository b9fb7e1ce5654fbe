import Testing

@testable import DisbatchCore

/// A scheduler with nothing around it: a test tells it what happens, and names every action that it answers with.
final class RecordingShell {
    private(set) var scheduler: Scheduler
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    /// Actions that the test has not named yet.
    private var pending: [SchedulerAction] = []
    private var assignments: [TaskID: (id: AssignmentID, at: Instant)] = [:]

    init(_ configure: (inout SchedulerConfiguration) -> Void = { _ in }) {
        var configuration = SchedulerConfiguration()
        // Without a lease nothing but what a test tells happens.
        configuration.heartbeat = .seconds(1_000_000)
        configuration.startTimeout = nil
        configure(&configuration)
        scheduler = Scheduler(configuration: configuration)
    }

    /// Tells the scheduler one thing; what came of the last must have been named.
    func tell(_ event: SchedulerEvent, at location: SourceLocation = #_sourceLocation) {
        #expect(pending.isEmpty, "not expected", sourceLocation: location)
        pending += scheduler.orders(after: event, at: now)
        #expect(scheduler.checkInvariants() == nil, sourceLocation: location)
    }

    /// What came of the last event: these actions, in this order, and no others.
    func expect(_ actions: SchedulerAction..., at location: SourceLocation = #_sourceLocation) {
        expect(all: actions, at: location)
    }

    func expect(all actions: [SchedulerAction], at location: SourceLocation = #_sourceLocation) {
        #expect(pending == actions, sourceLocation: location)
        pending.removeAll()
    }

    var hasTasksLeft: Bool { scheduler.hasTasksLeft }

    func pass(seconds: Int64) { now = now + .seconds(seconds) }

    // MARK: Steps that many tests take

    /// Reads a whole source, before any engine is there.
    func read(_ items: [TaskItem], contextLimit: Int? = nil, at location: SourceLocation = #_sourceLocation) {
        tell(.contextOpened(ContextID(0), taskLimit: contextLimit), at: location)
        expect(.readItems, at: location)
        tell(.itemsRead(items), at: location)
        expect(.readItems, at: location)
        tell(.sourceEnded(.complete), at: location)
    }

    func launch(_ engines: Int..., at location: SourceLocation = #_sourceLocation) {
        for engine in engines {
            tell(.engineLaunched(EngineID(engine), in: ContextID(0), node: "n\(engine)", leased: true), at: location)
        }
    }

    func join(_ engine: Int, slots: Int = 1, at location: SourceLocation = #_sourceLocation) {
        tell(.engineJoined(EngineID(engine), slots: slots, roundTrip: .milliseconds(1)), at: location)
    }

    /// Reports the end of a task that was handed out.
    func finish(
        _ task: Int, on engine: Int, _ outcome: TaskOutcome = .good, at location: SourceLocation = #_sourceLocation
    ) {
        tell(.taskFinished(EngineID(engine), id(of: task), cylinder: 0, outcome), at: location)
    }

    /// Engines that were sent away go, and the run ends so.
    func leave(_ engines: Int..., ending: RunEnding, at location: SourceLocation = #_sourceLocation) {
        for engine in engines { tell(.engineGone(EngineID(engine)), at: location) }
        expect(.awaitRows, at: location)
        tell(.rowsWritten, at: location)
        expect(.finish(ending), at: location)
    }

    // MARK: Actions

    /// That a task is handed to an engine, under whatever number.
    func handed(_ task: Int, to engine: Int, attempt: Int = 1) -> SchedulerAction {
        handed(.task(task), kind: .task, to: engine, attempt: attempt)
    }

    func handed(
        _ spec: TaskSpec, kind: AssignmentKind, to engine: Int, attempt: Int = 1, timeLimit: Duration? = nil
    ) -> SchedulerAction {
        for case .assign(_, let assignment) in pending where assignment.spec.id == spec.id {
            assignments[spec.id] = (assignment.id, now)
        }
        return .assign(
            EngineID(engine),
            Assignment(id: id(of: spec.id.rawValue), kind: kind, spec: spec, attempt: attempt, timeLimit: timeLimit))
    }

    /// The number under which a task, or per-engine command, was handed out last.
    func id(of task: Int) -> AssignmentID { assignments[TaskID(task)]?.id ?? AssignmentID(0) }

    func row(
        _ task: Int, on engine: Int, kind: RowKind = .task, attempt: Int = 1, _ outcome: TaskOutcome = .good
    ) -> RecordedTask {
        RecordedTask(
            kind: kind, spec: .task(task), attempt: attempt, engine: EngineID(engine), node: "n\(engine)", cylinder: 0,
            outcome: outcome)
    }

    /// A task that is lost with an engine now.
    func loss(_ task: Int, on engine: Int, attempt: Int = 1) -> LostAttempt {
        LostAttempt(
            kind: .task, spec: .task(task), attempt: attempt, engine: EngineID(engine), node: "n\(engine)",
            assigned: assignments[TaskID(task)]?.at ?? now, lost: now)
    }

    func lostWarning(_ engine: Int, startedTasks: Int) -> SchedulerAction {
        .warn(.engineLost(EngineID(engine), node: "n\(engine)", startedTasks: startedTasks))
    }
}

extension Scheduler {
    /// What it wants done after an event.
    mutating func orders(after event: SchedulerEvent, at now: Instant) -> [SchedulerAction] {
        var actions = ActionList()
        handle(event, at: now, into: &actions)
        var orders: [SchedulerAction] = []
        while !actions.isEmpty, case .tasks(let order) = actions.removeFirst() { orders.append(order) }
        return orders
    }
}

extension TaskSpec {
    static func task(_ number: Int) -> TaskSpec {
        TaskSpec(id: TaskID(number), streamIndex: number + 1, command: Array("true".utf8))
    }
}

extension TaskItem {
    static func tasks(_ numbers: ClosedRange<Int>) -> [TaskItem] { numbers.map { .task(.task($0)) } }
}

extension TaskOutcome {
    /// Took ten seconds, so that nothing is handed out ahead of need.
    static let good = ended(0)
    static let bad = ended(1)
    /// Took a tenth of a second, so that each slot gets one task ahead.
    static let quick = ended(0, milliseconds: 100)
    static let stopped = ended(-15, .stopped)

    static func ended(_ code: Int32, _ ending: Ending = .exited, milliseconds: Int64 = 10_000) -> TaskOutcome {
        TaskOutcome(
            pid: 7, returnCode: code, ending: ending, start: Timestamp(microseconds: 0),
            finish: Timestamp(microseconds: milliseconds * 1000))
    }
}
