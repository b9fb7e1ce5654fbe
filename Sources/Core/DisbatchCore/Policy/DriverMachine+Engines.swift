/// Engines from their launch until they have tasks.
extension DriverMachine {
    // MARK: Launching

    /// Adds the engines that a context's plan has.
    mutating func launchEngines(of context: Int) {
        let plan = contexts[context].plan
        if contexts[context].retirementCommand != nil {
            tell(.retirementAllowed(ContextID(context), keeping: plan.home))
        }
        actions.append(.recordContext(ContextID(context)))
        if plan.engines.contains(where: contexts[context].isLeased) { actions.append(.noteLease) }
        for index in plan.engines.indices { schedule(index, in: context, at: now) }
        launchDue()
    }

    /// Adds an engine that is launched at a time.
    mutating func schedule(_ planIndex: Int, in context: Int, at due: Instant) {
        let plan = contexts[context].plan.engines[planIndex]
        let id = EngineID(engines.count)
        engines.append(DriverEngine(id: id, context: ContextID(context), planIndex: planIndex, plan: plan))
        contexts[context].liveEngines += 1
        launches.add(id, due: due)
        tell(
            .engineLaunched(
                id, in: ContextID(context), node: plan.node, leased: contexts[context].isLeased(plan)))
    }

    mutating func launchFailed(_ index: Int, _ reason: String) {
        guard engines[index].stage == .connecting else { return }
        failed(index, reason)
        setStage(.gone, of: index)
        actions.append(.forget(engines[index].id))
        tell(.engineGone(engines[index].id))
        launchDue()
    }

    // MARK: Stages

    /// Moves an engine on, and keeps the counts that follow from it.
    mutating func setStage(_ stage: EngineStage, of index: Int) {
        let before = engines[index].stage
        let context = engines[index].context.rawValue
        engines[index].stage = stage
        if before.isOnItsWay != stage.isOnItsWay, !contexts[context].isCutOff {
            onTheirWay += stage.isOnItsWay ? 1 : -1
        }
        if before.isOver != stage.isOver { contexts[context].liveEngines += stage.isOver ? -1 : 1 }
        countReturning(index)
    }

    /// Counts an engine among those that would be launched again if they were lost, or not.
    mutating func countReturning(_ index: Int) {
        let counts = wouldReturn(index)
        guard counts != engines[index].countsAsReturning else { return }
        engines[index].countsAsReturning = counts
        returningEngines += counts ? 1 : -1
    }

    private func wouldReturn(_ index: Int) -> Bool {
        let engine = engines[index]
        let context = contexts[engine.context.rawValue]
        return engine.stage.mayHaveTasks && engine.complaint == nil && isRemote(index) && !context.isElastic
            && !context.isCutOff && !context.isOver
            && context.failures[engine.planIndex, default: 0] < policy.reconnects
    }

    /// Whether this machine does not have the engine: then what is to be known of it is only what is heard.
    func isRemote(_ index: Int) -> Bool {
        engines[index].plan.carrier != .none || contexts[engines[index].context.rawValue].isRelayed
    }

    // MARK: Greeting

    mutating func spoke(_ index: Int) {
        guard engines[index].stage == .connecting else { return }
        awaitGreeting(of: index)
    }

    mutating func awaitGreeting(of index: Int) {
        let due = now + policy.greetingTimeout
        setStage(.greeting(due: due), of: index)
        greetingDeadline = min(greetingDeadline, due)
    }

    /// Ends what spoke as an engine, and did not send its hello in time.
    mutating func endSilentEngines() {
        greetingDeadline = .distantFuture
        for index in engines.indices {
            guard case .greeting(let due) = engines[index].stage else { continue }
            guard now >= due else {
                greetingDeadline = min(greetingDeadline, due)
                continue
            }
            let seconds = policy.greetingTimeout.components.seconds
            cutOff(index, "it did not answer within \(seconds) s", .killingCarrier)
        }
    }

    mutating func greeted(_ index: Int, _ hello: EngineHello) {
        guard case .greeting = engines[index].stage else { return }
        guard hello.version == policy.version, hello.protocolVersion == EngineProtocol.version else {
            // What a frame means to it is not known; the end of the channel ends every engine.
            return cutOff(
                index,
                "its engine is of version \(hello.version), this driver of \(policy.version): "
                    + "install the same version on both", .keepingCarrier)
        }
        let engine = engines[index]
        contexts[engine.context.rawValue].answered.insert(engine.planIndex)
        engines[index].pid = hello.pid
        engines[index].cores = hello.cores
        engines[index].guardName = hello.guardName
        let left = guards.leftBehind(node: engine.node, context: engine.context, planIndex: engine.planIndex)
        setStage(.configuring(since: now), of: index)
        guards.greeted(hello.guardName, context: engine.context, planIndex: engine.planIndex)
        actions.append(.configure(engine.id, lostGuards: left))
        actions.append(.renewLease(engine.id, scheduler.lease(of: engine.id)))
        launchDue()
    }

    mutating func ready(_ index: Int, slots: Int) {
        guard case .configuring(let since) = engines[index].stage else { return }
        let engine = engines[index]
        guard 1...engine.plan.slots ~= slots else {
            return refuse(index, "it is ready with \(slots) slots, of \(engine.plan.slots)")
        }
        setStage(.holding, of: index)
        actions.append(.recordEngine(engine.id, slots: slots))
        log(.info, "\(title(of: index)): ready, \(slots) slots")
        if slots < engine.plan.slots {
            show(.warning, "\(title(of: index)): \(slots) slots, not \(engine.plan.slots): -E has no more")
        }
        // It has ended what those before it left.
        let cleared = guards.cleared(
            by: engine.guardName, node: engine.node, context: engine.context, planIndex: engine.planIndex)
        for name in cleared { actions.append(.forgetGuard(name)) }
        join(JoinGate.ReadyEngine(id: engine.id, slots: slots, roundTrip: now - since))
    }

    // MARK: Joining

    /// Lets an engine join; but while one is coming that first has to end on its own node what an earlier run left, no
    /// engine does.
    private mutating func join(_ engine: JoinGate.ReadyEngine) {
        let nodes = contexts.lazy.flatMap { $0.plan.engines.lazy.map(\.node) }
        let shuts = guards.haveEarlier(on: nodes)
        if gate.add(engine, shuts: shuts, at: now) {
            let seconds = policy.grace.components.seconds
            log(
                .info,
                "engines get tasks when what an earlier run left on other nodes is ended, or in \(seconds) s")
        }
        shuts ? serveGate() : letIn()
    }

    /// Keeps engines alive at the gate, for which the scheduler does it from when they join; or lets them in.
    mutating func serveGate() {
        guard gate.isShut(at: now) else { return letIn() }
        for engine in gate.waiting { actions.append(.renewLease(engine.id, scheduler.lease(of: engine.id))) }
        gate.serve(every: policy.lease / 5, at: now)
    }

    private mutating func letIn() {
        for ready in gate.takeAll() {
            let index = ready.id.rawValue
            guard engines[index].stage == .holding else { continue }
            let engine = engines[index]
            // One that gets no task leaves nothing.
            if contexts[engine.context.rawValue].isLeased(engine.plan), guards.keep(engine.guardName, on: engine.node) {
                actions.append(.noteGuard(engine.guardName, node: engine.node))
            }
            setStage(.working, of: index)
            tell(.engineJoined(ready.id, slots: ready.slots, roundTrip: ready.roundTrip))
        }
    }

    // MARK: Trouble

    /// Lets an engine go that can't be used.
    mutating func refuse(_ index: Int, _ reason: String) {
        guard !engines[index].stage.isOver else { return }
        // Its end would be taken for that of its tasks.
        guard !engines[index].stage.mayHaveTasks else { return misbehaved(index, reason) }
        engines[index].complaint = reason
        setStage(.refused, of: index)
        actions.append(.shutDown(engines[index].id))
    }

    /// Closes the channel of an engine that sent what can't be.
    mutating func misbehaved(_ index: Int, _ reason: String) {
        guard !engines[index].stage.isOver else { return }
        log(.error, "engine \(index) \(reason.dropFirst(reason.hasPrefix("it ") ? 3 : 0))")
        cutOff(index, reason, .keepingCarrier)
    }

    private mutating func cutOff(_ index: Int, _ complaint: String, _ closing: ChannelClosing) {
        engines[index].complaint = complaint
        setStage(engines[index].stage.mayHaveTasks ? .abandoned : .refused, of: index)
        actions.append(.close(engines[index].id, closing))
    }

    mutating func engineSignalled(_ index: Int, _ number: Int32) {
        log(.warning, "engine \(index) got \(SignalName.of(number))")
        if number == SignalNumber.terminate {
            // Somebody wants this engine to go: what runs there may end first.
            show(.warning, "\(title(of: index)) got SIGTERM: it takes no more tasks")
        }
        tell(.drainRequested(.engine(engines[index].id)))
        engines[index].signalledAt = now
        attributeToManager(engines[index].id)
    }
}
