import Testing

@testable import DisbatchCore

/// A driver's machine with nothing around it: a test tells it what happens, and names every action that it answers
/// with. Lines of the log are kept apart.
final class DriverScript {
    private(set) var machine: DriverMachine
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    private(set) var log: [String] = []
    /// Actions that the test has not named yet.
    private var pending: [DriverAction] = []
    private var assignments: [TaskID: (id: AssignmentID, at: Instant)] = [:]
    private let lease: Duration

    /// - Parameter lease: so long, unless a test is about it, that nothing but what a test tells happens.
    init(
        lease: Duration = .seconds(3000), _ setPolicy: (inout DriverPolicy) -> Void = { _ in },
        configure: (inout SchedulerConfiguration) -> Void = { _ in }
    ) {
        self.lease = lease
        var policy = DriverPolicy()
        policy.version = "1"
        policy.lease = lease
        setPolicy(&policy)
        var configuration = SchedulerConfiguration()
        configuration.lease = lease
        configuration.heartbeat = .seconds(1_000_000)
        configure(&configuration)
        machine = DriverMachine(policy, configuration)
    }

    /// Tells the machine one thing; what came of the last must have been named.
    func tell(_ event: DriverEvent, at location: SourceLocation = #_sourceLocation) {
        #expect(pending.isEmpty, "not expected", sourceLocation: location)
        var actions = ActionList()
        machine.handle(event, at: now, into: &actions)
        while !actions.isEmpty {
            let action = actions.removeFirst()
            if case .log(_, let text) = action { log.append(text) } else { pending.append(action) }
        }
        #expect(machine.scheduler.checkInvariants() == nil, sourceLocation: location)
    }

    /// What came of the last event: these actions, in this order, and no others.
    func expect(_ actions: DriverAction..., at location: SourceLocation = #_sourceLocation) {
        expect(all: actions, at: location)
    }

    func expect(all actions: [DriverAction], at location: SourceLocation = #_sourceLocation) {
        #expect(pending == actions, sourceLocation: location)
        pending.removeAll()
    }

    /// Lets time pass, and tells of it whenever the machine wants that, as a driver that is awake does.
    func wait(_ duration: Duration, at location: SourceLocation = #_sourceLocation) {
        #expect(pending.isEmpty, "not expected", sourceLocation: location)
        let end = now + duration
        var rounds = 0
        while machine.nextDeadline <= end, rounds < 10_000 {
            now = max(now, machine.nextDeadline)
            let unnamed = pending
            pending.removeAll()
            tell(.timePassed, at: location)
            pending = unnamed + pending
            rounds += 1
        }
        #expect(rounds < 10_000, "the machine never rests", sourceLocation: location)
        now = end
    }

    /// Lets time pass while the driver stands still.
    func standStill(_ duration: Duration) { now = now + duration }

    // MARK: Steps that many tests take

    /// Begins a run of so many tasks: all of its contexts, and a source that is read whole.
    func begin(_ contexts: NewContext..., tasks: Int = 1, at location: SourceLocation = #_sourceLocation) {
        for (index, context) in contexts.enumerated() {
            tell(.contextAdded(context), at: location)
            let launches = context.isRelayed ? launching(ContextID(index), context.plan.engines.indices) : []
            expect(all: (index == 0 ? [.tasks(.readItems)] : []) + launches, at: location)
        }
        tell(.tasks(.itemsRead(TaskItem.tasks(0...tasks - 1))), at: location)
        expect(.tasks(.readItems), at: location)
        tell(.tasks(.sourceEnded(.complete)), at: location)
        tell(.runBegan, at: location)
        guard let own = contexts.first, !own.isRelayed else { return }
        tell(.engineNeeded, at: location)
        let engines = own.plan.engines
        let isLeased = engines.contains { $0.place != .here }
        let launches = launching(ContextID(0), engines.indices, leased: isLeased)
        expect(all: launches, at: location)
    }

    private func launching(_ context: ContextID, _ engines: Range<Int>, leased: Bool = true) -> [DriverAction] {
        let lease: [DriverAction] = leased && !engines.isEmpty ? [.noteLease] : []
        return [.recordContext(context)] + lease + engines.prefix(LaunchQueue.atOnce).map { .launch(EngineID($0)) }
    }

    /// An engine says what it is.
    func greet(_ engine: Int, lostGuards: [String] = [], at location: SourceLocation = #_sourceLocation) {
        let id = EngineID(engine)
        tell(.engineSpoke(id), at: location)
        expect(at: location)
        tell(.engineGreeted(id, .guarded(by: "g\(engine)")), at: location)
        expect(.configure(id, lostGuards: lostGuards), .renewLease(id, leaseOf(engine)), at: location)
    }

    /// An engine of one slot says what it is and is ready: it gets a task, or none.
    func join(
        _ engine: Int, task: Int? = nil, attempt: Int = 1, lostGuards: [String] = [],
        at location: SourceLocation = #_sourceLocation
    ) {
        greet(engine, lostGuards: lostGuards, at: location)
        tell(.engineReady(EngineID(engine), slots: 1), at: location)
        var actions: [DriverAction] = [.recordEngine(EngineID(engine), slots: 1)]
        actions += lostGuards.map { .forgetGuard($0) }
        if leaseOf(engine) != nil { actions.append(.noteGuard("g\(engine)", node: node(engine))) }
        if let task { actions.append(handed(task, to: engine, attempt: attempt)) }
        expect(all: actions, at: location)
    }

    /// Reports the end of a task that was handed out.
    func end(
        _ task: Int, on engine: Int, _ outcome: TaskOutcome = .good, at location: SourceLocation = #_sourceLocation
    ) {
        let exit = TaskExit(engine: EngineID(engine), assignment: id(of: task), cylinder: 0, outcome: outcome)
        tell(.taskEnded(exit), at: location)
    }

    /// An engine's carrier ends.
    func engineEnds(
        _ engine: Int, status: Int32, reason: String? = nil, isHopeless: Bool = false,
        at location: SourceLocation = #_sourceLocation
    ) {
        let end = EngineEnd(status: status, reason: reason, printedBefore: "", isHopeless: isHopeless)
        tell(.engineEnded(EngineID(engine), end), at: location)
    }

    /// The rows are written, and the run ends so.
    func finish(_ ending: RunEnding, at location: SourceLocation = #_sourceLocation) {
        tell(.tasks(.rowsWritten), at: location)
        expect(.tasks(.finish(ending)), at: location)
    }

    // MARK: Actions

    /// That a task is handed to an engine, under whatever number.
    func handed(_ task: Int, to engine: Int, attempt: Int = 1) -> DriverAction {
        let spec = TaskSpec.task(task)
        for case .tasks(.assign(_, let assignment)) in pending where assignment.spec.id == spec.id {
            assignments[spec.id] = (assignment.id, now)
        }
        return .tasks(
            .assign(EngineID(engine), Assignment(id: id(of: task), kind: .task, spec: spec, attempt: attempt)))
    }

    /// The row of a task's result.
    func row(
        _ task: Int, on engine: Int, attempt: Int = 1, _ outcome: TaskOutcome = .good
    ) -> DriverAction {
        .tasks(.record(recorded(task, on: engine, attempt, outcome)))
    }

    /// That a task's attempt is kept, for another to follow.
    func kept(_ task: Int, on engine: Int, attempt: Int = 1, _ outcome: TaskOutcome) -> DriverAction {
        .tasks(.keepAttempt(recorded(task, on: engine, attempt, outcome)))
    }

    /// That a task was lost with its engine, now, and is to be run again; and that the user is told of the engine.
    func lost(_ task: Int, with engine: Int, attempt: Int = 1) -> [DriverAction] {
        let loss = LostAttempt(
            kind: .task, spec: .task(task), attempt: attempt, engine: EngineID(engine), node: node(engine),
            assigned: assignments[TaskID(task)]?.at ?? now, lost: now)
        return [
            .tasks(.keepLostAttempt(loss)),
            .tasks(.warn(.engineLost(EngineID(engine), node: node(engine), startedTasks: 1))),
        ]
    }

    /// What comes first of every end of an engine.
    func gone(_ engine: Int, _ reason: String) -> [DriverAction] {
        [.recordEngineEnd(EngineID(engine), reason: reason), .forget(EngineID(engine))]
    }

    func isTriedAgain(_ engine: Int, _ reason: String, seconds: Int) -> DriverAction {
        .show(.warning, "engine \(engine) on \(node(engine)): \(reason); trying again in \(seconds) s")
    }

    func isOver(_ engine: Int, _ reason: String) -> DriverAction {
        .show(.error, "engine \(engine) on \(node(engine)): \(reason)")
    }

    var wasSignalled: Bool { machine.wasSignalled }

    func stage(_ engine: Int) -> EngineStage { machine.engines[engine].stage }

    private func id(of task: Int) -> AssignmentID { assignments[TaskID(task)]?.id ?? AssignmentID(0) }

    private func node(_ engine: Int) -> String { machine.engines[engine].node }

    private func leaseOf(_ engine: Int) -> Duration? {
        let engine = machine.engines[engine]
        return machine.contexts[engine.context.rawValue].isLeased(engine.plan) ? lease : nil
    }

    private func recorded(_ task: Int, on engine: Int, _ attempt: Int, _ outcome: TaskOutcome) -> RecordedTask {
        RecordedTask(
            kind: .task, spec: .task(task), attempt: attempt, engine: EngineID(engine), node: node(engine), cylinder: 0,
            outcome: outcome)
    }
}

extension EngineHello {
    /// Of this driver's version.
    static func guarded(by name: String, version: String = "1", protocolVersion: Int = EngineProtocol.version)
        -> EngineHello
    {
        EngineHello(
            version: version, protocolVersion: protocolVersion, pid: 7, host: "h", cores: 1, guardName: name)
    }
}

extension EnginePlan {
    /// An engine of one slot on this machine.
    static func local(_ node: String = "here") -> EnginePlan { EnginePlan(node: node, slots: 1, coresPerTask: 1) }

    /// An engine of one slot on a host that is reached by SSH.
    static func ssh(_ node: String) -> EnginePlan {
        var engine = EnginePlan.local(node)
        engine.place = .ssh(host: node)
        return engine
    }

    /// An engine of one slot on a node of Slurm's.
    static func slurm(_ node: String) -> EnginePlan {
        var engine = EnginePlan.local(node)
        engine.place = .launched(Launcher(.slurm, "srun", []))
        return engine
    }
}

extension NewContext {
    static func of(_ engines: [EnginePlan], kind: String = "ssh", label: String = "C") -> NewContext {
        let plan = ContextPlan(label: label, kind: kind, engines: engines, bindsCores: false, notes: [])
        return NewContext(plan: plan, policy: ContextPolicy())
    }

    /// Hosts of one slot each.
    static func hosts(_ names: String...) -> NewContext { .of(names.map { .ssh($0) }) }

    static func local() -> NewContext { .of([.local()], kind: "local") }

    /// A job of Slurm's, whose end is not asked for.
    static func job(_ nodes: String...) -> NewContext {
        var context = NewContext.of(nodes.map { .slurm($0) }, kind: "slurm")
        context.plan.job = "1"
        context.policy.retirement = .none
        return context
    }

    /// Hosts that a relay brings.
    static func relayed(_ names: String..., label: String = "R") -> NewContext {
        var context = NewContext.of(names.map { .ssh($0) }, label: label)
        context.isRelayed = true
        return context
    }

    /// A context whose engines are offered as they can be had.
    static func elastic() -> NewContext {
        var context = NewContext.relayed(label: "E")
        context.isElastic = true
        return context
    }
}
