/// Decides all that a driver decides: what runs where (``Scheduler``), and what becomes of engines and contexts. It is
/// a value without clock, random or I/O, and large: it can't be copied, so that nobody does by looking into it.
///
/// Events go in by ``handle(_:at:into:)``, actions come out; the driver performs them, the simulator plays them.
package struct DriverMachine: ~Copyable, Sendable {
    package let policy: DriverPolicy
    package private(set) var scheduler: Scheduler
    /// All engines of the run, by rank.
    package internal(set) var engines: [DriverEngine] = []
    /// All contexts of the run, in the order in which they came. The first is the run's own, unless it has none.
    package internal(set) var contexts: [DriverContext] = []
    package internal(set) var guards: GuardLedger
    var launches = LaunchQueue()
    var suspects = SuspectExits()
    var gate: JoinGate
    /// When the first of the engines that have not sent their hello is given up.
    var greetingDeadline = Instant.distantFuture
    /// Engines that are on their way to this driver, less those of relays that can't be reached.
    var onTheirWay = 0
    /// Engines that would be launched again if they were lost now.
    var returningEngines = 0
    private var toldReturning = false
    /// How many more engines of this machine may take the place of lost ones before any task ends again.
    /// Engines of this machine that were lost in a row, since a task ended.
    var lossesInARow = 0
    private var ownEnginesAreLaunched = false
    /// Whether this process was told to end.
    package internal(set) var wasSignalled = false
    /// Where there is no engine that should be there, and why.
    package internal(set) var engineFailures: [String] = []

    var actions = ActionList()
    /// The scheduler's orders from the first on that concerns an engine's life, while they are decided on.
    private var undecided = ActionList()
    private var isDeciding = false
    var now = Instant(nanoseconds: 0)
    /// Events that the scheduler was told of and actions that it ordered, in their order; nil where nobody judges them.
    package var transcript: [TranscriptEntry]?

    /// Engines of this machine that are replaced at once in a row, and that are replaced at all where they had no task.
    static let replacementLimit = 3
    /// A machine that is told of the time this much later than it asked for has stood still.
    private static let standstill = Duration.seconds(1)

    package init(_ policy: DriverPolicy, _ configuration: SchedulerConfiguration) {
        self.policy = policy
        scheduler = Scheduler(configuration: configuration)
        guards = GuardLedger(earlier: policy.earlierGuards)
        gate = JoinGate(limit: policy.grace)
    }

    /// Takes one event, and appends what is to be done, in this order, to `actions`.
    package mutating func handle(_ event: DriverEvent, at now: Instant, into actions: inout ActionList) {
        swap(&self.actions, &actions)
        self.now = now
        let due = scheduler.nextDeadline
        if now > due, now - due > Self.standstill { wake() }
        switch event {
        case .tasks(let event): tell(event)
        case .taskEnded(let exit): taskEnded(exit)
        default:
            take(event)
            tellOfReturning()
        }
        swap(&self.actions, &actions)
    }

    /// When to tell of ``DriverEvent/timePassed`` at the latest.
    package var nextDeadline: Instant {
        let deadline = min(
            scheduler.nextDeadline, greetingDeadline, suspects.nextDeadline, gate.nextDeadline,
            launches.nextDeadline(onTheirWay: onTheirWay))
        return contexts.reduce(deadline) { min($0, $1.nextDeadline) }
    }

    /// The name of an engine's step, in an allocation that others may use too.
    package func stepName(of engine: EngineID) -> String { "\(policy.stepPrefix)-\(engine.rawValue)" }

    private mutating func take(_ event: DriverEvent) {
        switch event {
        case .tasks, .taskEnded: break
        case .engineNeeded: launchOwnEngines()
        case .signalled(let number): signalled(number)
        case .runBegan:
            if policy.waitsForContexts || policy.helperBringsContext { tell(.contextsExpected(true)) }
            tell(.timePassed)
        case .timePassed: timePassed()
        case .runEnded: releaseRelays()
        case .contextAdded(let new): add(new)
        case .relayLost(let context): relayLost(context.rawValue)
        case .relayReturned(let context): relayReturned(context.rawValue)
        case .relaySignalled(let context, let number): relaySignalled(context.rawValue, number)
        case .contextStopped(let context): stop(context.rawValue)
        case .engineOffered(let context, let plan): offered(plan, in: context.rawValue)
        case .contextComplete(let context): endGrowth(of: context.rawValue)
        case .commandEnded(let purpose, let answer, let wallClock): commandEnded(purpose, answer, wallClock)
        case .launchFailed(let id, let reason): launchFailed(id.rawValue, reason)
        case .engineSpoke(let id): spoke(id.rawValue)
        case .engineGreeted(let id, let hello): greeted(id.rawValue, hello)
        case .engineReady(let id, let slots): ready(id.rawValue, slots: slots)
        case .engineRefused(let id, let reason): refuse(id.rawValue, reason)
        case .engineMisbehaved(let id, let reason): misbehaved(id.rawValue, reason)
        case .engineSignalled(let id, let number): engineSignalled(id.rawValue, number)
        case .engineEnded(let id, let end): ended(id.rawValue, end)
        case .engineConfirmedGone(let id): confirmedGone(id.rawValue)
        }
    }

    // MARK: The scheduler

    /// Tells the scheduler of an event. What it wants done for engines' lives is decided here; the rest is handed on.
    mutating func tell(_ event: SchedulerEvent) {
        transcript?.append(.event(event))
        guard !isDeciding else {
            // Decided on after what was wanted before.
            let known = undecided.end
            scheduler.handle(event, at: now, into: &undecided)
            transcript?.append(contentsOf: undecided.orders(from: known))
            return
        }
        let known = actions.end
        scheduler.handle(event, at: now, into: &actions)
        transcript?.append(contentsOf: actions.orders(from: known))
        guard let orders = actions.takeOrdersOfLife() else { return }
        undecided = orders
        isDeciding = true
        while !undecided.isEmpty { decide(on: undecided.removeFirst()) }
        isDeciding = false
    }

    private mutating func decide(on action: DriverAction) {
        switch action {
        case .tasks(.renewLease(let engine)): actions.append(.renewLease(engine, scheduler.lease(of: engine)))
        case .tasks(.shutDown(let engine)):
            if !engines[engine.rawValue].stage.isOver { setStage(.leaving, of: engine.rawValue) }
            actions.append(.shutDown(engine))
        case .tasks(.abandon(let engine)): abandon(engine.rawValue)
        default: actions.append(action)
        }
    }

    private mutating func tellOfReturning() {
        guard (returningEngines > 0) != toldReturning else { return }
        toldReturning.toggle()
        tell(.enginesExpected(toldReturning))
    }

    // MARK: Tasks

    /// Tells the scheduler of a task's end, once it is clear whose doing that was.
    private mutating func taskEnded(_ exit: TaskExit) {
        lossesInARow = 0
        let index = exit.engine.rawValue
        let context = engines[index].context.rawValue
        if !contexts[context].failures.isEmpty { finishedOne(on: index) }
        guard contexts[context].plan.job != nil, exit.outcome.ending == .exited else { return tellEnd(exit) }
        let isSuspect = SuspectExits.isSuspect(exit.outcome)
        let isOfMoment = engines[index].signalledAt.map { now < $0 + SuspectExits.grace } ?? false
        let isStop = isOfMoment || isSuspect && (wasSignalled || engines[index].signalledAt != nil)
        guard isSuspect || isStop else { return tellEnd(exit) }
        isStop ? tellEnd(SuspectExits.stopped(exit)) : suspects.add(exit, at: now)
    }

    /// An engine that finishes tasks is as good as new.
    private mutating func finishedOne(on index: Int) {
        contexts[engines[index].context.rawValue].failures[engines[index].planIndex] = nil
        countReturning(index)
        tellOfReturning()
    }

    private mutating func tellEnd(_ exit: TaskExit) {
        tell(.taskFinished(exit.engine, exit.assignment, cylinder: exit.cylinder, exit.outcome))
    }

    /// Takes undecided exits for the doing of whoever signalled an engine, or all where none is named.
    mutating func attributeToManager(_ engine: EngineID?) {
        for exit in suspects.takeStops(of: engine) { tellEnd(exit) }
    }

    // MARK: Time

    /// Notes that the driver stood still. What was sent to it meanwhile is told from now on: nothing that had to come
    /// by now is judged late before that.
    private mutating func wake() {
        log(.warning, "the driver stood still for \((now - scheduler.nextDeadline).components.seconds) s or more")
        tell(.woke)
        suspects.restart(at: now)
        greetingDeadline = .distantFuture
        for index in engines.indices {
            guard case .greeting = engines[index].stage else { continue }
            awaitGreeting(of: index)
        }
    }

    private mutating func timePassed() {
        if now >= scheduler.nextDeadline { tell(.timePassed) }
        if now >= greetingDeadline { endSilentEngines() }
        if now >= suspects.nextDeadline { for exit in suspects.takeResults(at: now) { tellEnd(exit) } }
        if now >= gate.nextDeadline { serveGate() }
        for index in contexts.indices where now >= contexts[index].nextDeadline { keepTime(of: index) }
        launchDue()
    }

    /// Launches the engines whose time has come.
    mutating func launchDue() {
        while let engine = launches.takeNext(at: now, onTheirWay: onTheirWay) {
            setStage(.connecting, of: engine.rawValue)
            actions.append(.launch(engine))
        }
    }

    private mutating func launchOwnEngines() {
        guard !ownEnginesAreLaunched else { return }
        ownEnginesAreLaunched = true
        if let context = contexts.first, !context.isRelayed { launchEngines(of: 0) }
    }

    // MARK: Signals

    private mutating func signalled(_ number: Int32) {
        let name = SignalName.of(number)
        switch number {
        case SignalNumber.user2 where contexts.first.map { $0.traits.warnsBySIGUSR2 && !$0.isRelayed } == true:
            show(.info, "\(name): the job is about to end; ending what runs, for a later run")
            log(.warning, "ending the job's tasks after \(name)")
            tell(.contextEnding(ContextID(0)))
        case SignalNumber.user1, SignalNumber.user2:
            show(.info, "\(name): no new task starts; the run ends when the running ones have")
            log(.warning, "draining after \(name)")
            tell(.drainRequested(.run))
        default:
            show(.info, "\(name): ending the running tasks (again: at once)")
            log(.warning, "stopping after \(name)")
            tell(.stopRequested(.interrupted(signal: number)))
            wasSignalled = true
            attributeToManager(nil)
        }
    }

    // MARK: Words

    mutating func log(_ level: LogLevel, _ text: String) { actions.append(.log(level, text)) }
    mutating func show(_ level: LogLevel, _ text: String) { actions.append(.show(level, text)) }

    /// One text for the log and the user.
    mutating func report(_ level: LogLevel, _ text: String) {
        show(level, text)
        log(level, text)
    }

    func title(of index: Int) -> String { "engine \(index) on \(engines[index].node)" }
}

/// An event or action that passed between a ``DriverMachine`` and its scheduler.
package enum TranscriptEntry: Equatable, Sendable {
    case event(SchedulerEvent)
    case action(SchedulerAction)
}
