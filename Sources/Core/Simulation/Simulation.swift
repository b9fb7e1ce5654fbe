import DisbatchCore

/// A run of the driver's real machine on a virtual clock, with fake engines, a fake network and what can go wrong with
/// them, and with the driver.
package final class Simulation {
    let parameters: SimulationParameters
    var random: SplitMix64
    var queue = TimedQueue<SimulatedEvent>()
    /// Nanoseconds; the driver's clock.
    var now: Int64 = 1_000_000_000
    var machine: DriverMachine
    var engines: [FakeEngine] = []
    var hosts: [FakeHost]
    var source: SimulatedTasks
    var oracle: Oracle?
    private var ledger: RowLedger?
    var violation: String?
    var ending: RunEnding?

    /// Whether the driver stands still, or goes on just now.
    private var isAsleep = false
    private(set) var isWaking = false
    /// Tasks that ended well on their engines, whether that was reported or not.
    var endedWell: Set<TaskID> = []
    /// Events that a driver that stands still has not seen.
    private var unseen: [SimulatedEvent] = []
    var driverTimer = Int64.max
    /// The latest request for rows to be synced, which is the one that is answered.
    var syncRequest = 0
    var engineActions: [EngineAction] = []
    private var actions = ActionList()
    var report: SimulationReport
    private let clock: (() -> UInt64)?
    /// Told of each thing that happens, to follow a run.
    package var trace: ((String) -> Void)?

    /// - Parameter clock: the nanoseconds of a real clock, to measure the scheduler alone: rows alone are checked then,
    ///   and sources must hold nothing but tasks.
    package init(_ parameters: SimulationParameters, clock: (() -> UInt64)? = nil) {
        self.parameters = parameters
        self.clock = clock
        random = SplitMix64(seed: UInt64(truncatingIfNeeded: parameters.seed))
        source = SimulatedTasks(parameters)
        hosts = Array(repeating: FakeHost(), count: parameters.engines)
        report = SimulationReport(parameters: parameters)
        let configuration = Self.configuration(parameters)
        machine = DriverMachine(Self.policy(parameters), configuration)
        if clock == nil {
            oracle = Oracle(parameters, configuration)
        } else {
            ledger = RowLedger(tasks: parameters.tasks)
        }
    }

    private static func configuration(_ parameters: SimulationParameters) -> SchedulerConfiguration {
        var result = SchedulerConfiguration()
        result.retries = parameters.retries
        result.maxLost = parameters.maxLost
        result.failsFast = parameters.failFast != 0
        result.isStartStrict = parameters.strictStart != 0
        result.lease = parameters.lease > 0 ? .nanoseconds(parameters.lease.nanoseconds) : nil
        result.startTimeout = .seconds(60)
        result.lowWaterMark = parameters.lowWater
        return result
    }

    /// Plays the run to its end, or to the first thing that is wrong.
    package func run() -> SimulationReport {
        begin()
        while ending == nil, violation == nil { step() }
        if let ending, violation == nil {
            violation =
                oracle?.checkEnd(ending, scheduler: machine.scheduler) ?? checkHosts(ending)
                ?? ledger?.checkEnd(ending, totals: machine.scheduler.totals)
        }
        report.rows = oracle.map { $0.finished } ?? ledger.map { $0.succeeded + $0.failed } ?? 0
        report.looks = machine.scheduler.looks
        report.violation = violation
        report.ending = ending
        report.seconds = Double(now) / 1e9
        report.totals = machine.scheduler.totals
        return report
    }

    private static func policy(_ parameters: SimulationParameters) -> DriverPolicy {
        var policy = DriverPolicy()
        policy.reconnects = parameters.reconnects
        if parameters.lease > 0 { policy.lease = .nanoseconds(parameters.lease.nanoseconds) }
        return policy
    }

    private func begin() {
        for context in 0..<contextCount { tell(.contextAdded(newContext(context))) }
        tell(.runBegan)
        tell(.engineNeeded)
        planDriver()
        if parameters.drainAt > 0, parameters.drainScope == 3 {
            queue.add(.atDriver(.tasks(.startingHeld(true))), at: time(parameters.drainAt))
            let end = parameters.drainAt + random.between(0, parameters.likelySeconds)
            queue.add(.atDriver(.tasks(.startingHeld(false))), at: time(end))
        } else if parameters.drainAt > 0 {
            queue.add(.atDriver(.tasks(.drainRequested(drainScope()))), at: time(parameters.drainAt))
        }
        let ended = ContextID(parameters.endAt > 0 ? random.whole(0...max(0, parameters.contexts - 1)) : 0)
        for second in [parameters.endAt, parameters.endAgainAt] where second > 0 {
            queue.add(.atDriver(.tasks(.contextEnding(ended))), at: time(second))
        }
        for _ in 0..<parameters.kills {
            queue.add(.userKills, at: time(random.between(0, parameters.likelySeconds)))
        }
        let reason = parameters.stopReason == 0 ? StopReason.interrupted(signal: 2) : .recordBroken
        for second in [parameters.stopAt, parameters.stopAgainAt] where second > 0 {
            queue.add(.atDriver(.tasks(.stopRequested(reason))), at: time(second))
        }
    }

    /// The user picks one of the tasks that engines hold; some he wants to end at once.
    private func killOne() {
        let assigned = oracle?.assignments.values.sorted() ?? []
        guard !assigned.isEmpty else { return }
        let task = TaskID(assigned[random.whole(0...assigned.count - 1)])
        tell(.tasks(.killRequested(task)))
        guard random.chance(0.4) else { return }
        queue.add(.atDriver(.tasks(.killRequested(task))), at: now + Int64(random.between(0, 2e9)))
    }

    private func time(_ seconds: Double) -> Int64 { now + seconds.nanoseconds }

    private func drainScope() -> DrainScope {
        switch parameters.drainScope {
        case 0: .run
        case 1: .context(ContextID(random.whole(0...max(0, parameters.contexts - 1))))
        default: .engine(EngineID(random.whole(0...max(0, parameters.engines - 1))))
        }
    }

    /// Virtual seconds and events that no run may need.
    private var longestSeconds: Double {
        let attempts = Double((parameters.tasks + 10) * (parameters.retries + parameters.maxLost + 2))
        return attempts * (parameters.taskSeconds + parameters.delay + 1) * 30 + parameters.lease * 100 + 1e5
            + parameters.blackoutSeconds + parameters.sleepSeconds
    }

    private var mostEvents: Int {
        let attempts = (parameters.tasks + 100) * (parameters.retries + parameters.maxLost + 2)
        return attempts * 50 + Int(longestSeconds) * parameters.engines * (parameters.reconnects + 2)
    }

    private func step() {
        guard let (time, happening) = queue.popFirst() else {
            violation = "nothing will happen any more, and the run has not ended"
            return
        }
        now = time
        trace?("\(Double(now) / 1e9) \(happening)")
        if Double(now) / 1e9 > longestSeconds { violation = "the run does not end: \(longestSeconds) s went by" }
        if report.events > mostEvents { violation = "the run does not end: \(mostEvents) events went by" }
        play(happening)
    }

    private func play(_ happening: SimulatedEvent) {
        if isAsleep, happening.isAtDriver { return unseen.append(happening) }
        switch happening {
        case .driverTimer:
            guard now >= driverTimer else { return }
            driverTimer = .max
            if Instant(nanoseconds: now) >= machine.nextDeadline { tell(.timePassed) } else { setDriverTimer() }
        case .sourceReady: readSource()
        case .rowsSynced(let request): if request == syncRequest { tell(.tasks(.rowsWritten)) }
        case .atDriver(let event): tell(event)
        case .userKills: killOne()
        case .toDriver(let engine, let frame): arrive(frame, from: engine, happening)
        case .carrierEnded(let engine, let status):
            if comesThrough(happening, from: engine, status: status) { carrierEnded(engine, status) }
        case .confirmedGone(let engine):
            // Where its end was not known yet, nothing more is tried there.
            if ![.silent, .gone].contains(machine.engines[engine].stage) { hosts[engines[engine].host].isFinal = true }
            tell(.engineConfirmedGone(engines[engine].id))
        case .speechDue(let engine): speechDue(engine)
        case .answered(let purpose, let answer):
            tell(.commandEnded(purpose, answer, wallClock: Timestamp(microseconds: now / 1000)))
        case .driverSleeps(let until): sleep(until: until)
        case .driverWakes: wake()
        case .blackout(let until): blackout(until: until)
        case .hostsBack: hostsAreBack()
        case .allocationEnds: endAllocation()
        case .fault(let engine, let fault): strike(engine, fault)
        case .thaw(let engine): thaw(engine)
        case .linkBack(let engine): linkBack(engine)
        default: playOnNode(happening)
        }
    }

    private func sleep(until: Int64) {
        isAsleep = true
        queue.add(.driverWakes, at: until)
    }

    /// The driver goes on: what came meanwhile it sees at once, and then the time.
    private func wake() {
        isAsleep = false
        isWaking = true
        let missed = unseen
        unseen = []
        report.wakes += 1
        for happening in missed { if case .driverTimer = happening { continue } else { play(happening) } }
        isWaking = false
        driverTimer = .max
        tell(.timePassed)
    }

    // MARK: The driver

    /// Tells the machine of an event, checks what comes of it, and does it.
    func tell(_ event: DriverEvent) {
        guard ending == nil, violation == nil else { return }
        report.events += 1
        machine.transcript = oracle == nil ? nil : []
        let before = clock?() ?? 0
        machine.handle(event, at: Instant(nanoseconds: now), into: &actions)
        if let clock { report.schedulerNanoseconds &+= clock() &- before }
        judge()
        while violation == nil, !actions.isEmpty {
            let action = actions.removeFirst()
            trace?("    \(action)")
            perform(action)
        }
        setDriverTimer()
        guard oracle != nil, violation == nil, ending == nil else { return }
        oracle?.checkIdleSlots(at: now)
        if let found = oracle?.violation { violation = found }
    }

    /// Lets the oracle judge what the scheduler was told and what it ordered.
    private func judge() {
        for entry in machine.transcript ?? [] where violation == nil {
            switch entry {
            case .event(let event):
                if case .engineLaunched(let id, let context, _, _) = event { add(id, in: context) }
                oracle?.note(event)
                check(event)
            case .action(let action): oracle?.note(action, at: now)
            }
        }
        guard oracle == nil else { return }
        while engines.count < machine.engines.count {
            let engine = machine.engines[engines.count]
            add(engine.id, in: engine.context)
        }
    }

    private func check(_ event: SchedulerEvent) {
        if let engine = event.engine { violation = machine.scheduler.checkEngine(engine) }
        // It looks at all engines: so seldom that its share does not grow with them.
        if report.events % max(200, engines.count) == 0 || engines.count < 20 && report.events % 20 == 0 {
            violation = violation ?? machine.scheduler.checkInvariants()
        }
        violation = violation.map { "scheduler after \(event): \($0)" }
    }

    private func setDriverTimer() {
        let deadline = machine.nextDeadline
        guard deadline != .distantFuture, deadline.nanoseconds < driverTimer else { return }
        driverTimer = deadline.nanoseconds
        queue.add(.driverTimer, at: max(now, driverTimer))
    }

    private func readSource() {
        let (items, end) = source.read()
        if !items.isEmpty { tell(.tasks(.itemsRead(items))) }
        if let end { tell(.tasks(.sourceEnded(end))) }
    }

    private func perform(_ action: DriverAction) {
        switch action {
        case .tasks(let action):
            ledger?.note(action)
            perform(action)
        case .launch(let id): launch(id.rawValue)
        case .configure(let id, _):
            send(.configure(EngineConfiguration(rank: id, slots: 1, workingDirectory: [])), to: id)
        case .renewLease(let id, let lease):
            send(.lease(sentAt: Instant(nanoseconds: now), lease: lease), to: id)
        case .shutDown(let id): send(.shutDown, to: id)
        case .close(let id, _): close(id.rawValue)
        case .forget(let id): engines[id.rawValue].isWrittenOff = true
        case .run(_, let purpose): ask(purpose)
        case .recordContext, .recordEngine, .recordEngineEnd, .noteLease, .noteGuard, .forgetGuard, .tellDemand,
            .release, .forgetRelay, .log, .show:
            break
        }
    }

    private func perform(_ action: SchedulerAction) {
        switch action {
        case .readItems: queue.add(.sourceReady, at: now + Int64(random.between(0, 1e6)))
        case .assign(let engine, let assignment): send(.run(assignment), to: engine)
        case .recall(let engine, let count):
            report.recalls += 1
            send(.recall(count: count), to: engine)
        case .endTasks(let engine, let atOnce): send(.endTasks(atOnce: atOnce), to: engine)
        case .endTask(let engine, let id, let atOnce): send(.endTask(id, atOnce: atOnce), to: engine)
        case .record(let task):
            if task.kind == .givenUp { report.lateReports += 1 }
            if task.kind == .task, task.outcome.returnCode == -SignalNumber.terminate, task.outcome.ending == .exited {
                violation = "task \(task.spec.id.rawValue), which the manager ended, has a result"
            }
        case .awaitRows:
            syncRequest += 1
            queue.add(.rowsSynced(syncRequest), at: now + Int64(random.between(0, 2e7)))
        case .finish(let ending): self.ending = ending
        case .recordPerEngine, .keepAttempt, .recordLost, .keepLostAttempt, .recordBarrier, .warn, .renewLease,
            .shutDown, .abandon:
            break
        }
    }
}

extension SchedulerEvent {
    /// The engine it is about.
    var engine: EngineID? {
        switch self {
        case .engineLaunched(let engine, _, _, _), .engineJoined(let engine, _, _), .taskStarted(let engine, _),
            .taskFinished(let engine, _, _, _), .filesAwaited(let engine, _), .assignmentsReturned(let engine, _),
            .assignmentWithdrawn(let engine, _), .leaseAcknowledged(let engine, _), .engineSilent(let engine),
            .engineGone(let engine):
            engine
        default: nil
        }
    }
}

extension Double {
    /// This number of seconds, in nanoseconds.
    var nanoseconds: Int64 { Int64(self * 1e9) }
}
