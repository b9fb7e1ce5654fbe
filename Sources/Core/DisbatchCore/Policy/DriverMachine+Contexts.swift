/// Contexts: their coming and going, and what is due in them.
extension DriverMachine {
    mutating func add(_ new: NewContext) {
        let id = ContextID(contexts.count)
        contexts.append(DriverContext(id: id, new))
        tell(.contextOpened(id, taskLimit: new.policy.contextTaskLimit))
        if new.isElastic {
            tell(.contextMayGrow(id, true))
            contexts[id.rawValue].nextDemand = now
        }
        if new.plan.endQuery != nil, new.policy.margin != .zero { contexts[id.rawValue].clock.start(at: now) }
        guard new.isRelayed else { return }
        launchEngines(of: id.rawValue)
        // From then on a run without engines is over.
        if policy.helperBringsContext, !policy.waitsForContexts { tell(.contextsExpected(false)) }
    }

    // MARK: Relays

    mutating func relayLost(_ index: Int) {
        guard !contexts[index].isOver, contexts[index].relay == .connected else { return }
        setRelay(.cutOff(until: now + policy.lease + policy.grace), of: index)
        log(.warning, "context \(contexts[index].plan.label): its relay is cut off; it may come back")
    }

    mutating func relayReturned(_ index: Int) {
        guard !contexts[index].isOver, contexts[index].isCutOff else { return }
        setRelay(.connected, of: index)
        log(.info, "context \(contexts[index].plan.label): its relay is back")
        endContextIfOver(index)
    }

    private mutating func setRelay(_ relay: DriverContext.Relay, of index: Int) {
        let own = engines.indices.filter { engines[$0].context.rawValue == index }
        onTheirWay += own.count { engines[$0].stage.isOnItsWay } * (relay == .connected ? 1 : -1)
        contexts[index].relay = relay
        for engine in own { countReturning(engine) }
    }

    /// Ends the context of a relay that did not come back: the leases of all of its engines are over.
    private mutating func giveUp(_ index: Int) {
        let label = contexts[index].plan.label
        contexts[index].isOver = true
        show(.warning, "context \(label): its relay did not come back; its tasks run elsewhere")
        log(.warning, "context \(label): its relay did not come back")
        contexts[index].reasons.append("its relay did not come back")
        engineFailures.append("context \(label): its relay did not come back")
        contexts[index].mayGrow = false
        for engine in engines.indices where engines[engine].context.rawValue == index {
            guard !engines[engine].stage.isOver else { continue }
            let id = engines[engine].id
            launches.remove(id)
            gate.remove(id)
            if engines[engine].stage != .waiting {
                actions.append(.recordEngineEnd(id, reason: "its relay did not come back"))
                actions.append(.forget(id))
            }
            setStage(.gone, of: engine)
            tell(.engineGone(id))
        }
        tell(.contextMayGrow(ContextID(index), false))
        actions.append(.forgetRelay(ContextID(index)))
    }

    mutating func relaySignalled(_ index: Int, _ number: Int32) {
        guard !contexts[index].isOver else { return }
        let isSoft =
            number == SignalNumber.user1
            || number == SignalNumber.user2 && !contexts[index].traits.warnsBySIGUSR2
        let consequence = isSoft ? "it takes no more tasks" : "ending its tasks, for others to do"
        let text = "context \(contexts[index].plan.label) got \(SignalName.of(number)): \(consequence)"
        show(.info, text)
        log(.warning, text)
        guard !isSoft else { return tell(.drainRequested(.context(ContextID(index)))) }
        for engine in engines.indices where engines[engine].context.rawValue == index {
            guard !engines[engine].stage.isOver else { continue }
            engines[engine].signalledAt = now
            attributeToManager(engines[engine].id)
        }
        tell(.contextEnding(ContextID(index)))
        endGrowth(of: index)
    }

    // MARK: Growing and ending

    mutating func offered(_ plan: EnginePlan, in index: Int) {
        guard contexts[index].mayGrow, !contexts[index].isOver else { return }
        contexts[index].plan.engines.append(plan)
        schedule(contexts[index].plan.engines.count - 1, in: index, at: now)
        launchDue()
    }

    mutating func stop(_ index: Int) {
        tell(.drainRequested(.context(ContextID(index))))
        endGrowth(of: index)
    }

    /// Lets an elastic context get no more engines.
    mutating func endGrowth(of index: Int) {
        guard contexts[index].mayGrow else { return }
        contexts[index].mayGrow = false
        tell(.contextMayGrow(ContextID(index), false))
        endContextIfOver(index)
    }

    /// Lets a relay go whose context has no engine, and gets none. One that is cut off can't be told: it is back first,
    /// or given up.
    mutating func endContextIfOver(_ index: Int) {
        let context = contexts[index]
        guard context.relay == .connected, !context.isOver, !context.mayGrow, context.liveEngines == 0 else {
            return
        }
        contexts[index].isOver = true
        let text = context.reasons.isEmpty ? "its engines have gone" : context.reasons.joined(separator: "; ")
        log(.info, "context \(context.plan.label) is over: \(text)")
        actions.append(.release(context.id, text: text, isGood: context.reasons.isEmpty))
    }

    /// Lets all relays go at the run's end.
    mutating func releaseRelays() {
        for index in contexts.indices where !contexts[index].isOver && contexts[index].isRelayed {
            contexts[index].isOver = true
            actions.append(.release(contexts[index].id, text: "the run is over", isGood: true))
        }
    }

    // MARK: Time

    /// Does what is due in a context.
    mutating func keepTime(of index: Int) {
        let id = contexts[index].id
        if case .cutOff(let until) = contexts[index].relay, now >= until, !contexts[index].isOver { giveUp(index) }
        if case .cutOff(let until) = contexts[index].relay, now >= until { contexts[index].relay = .lost }
        if contexts[index].clock.takesQuestion(at: now), let query = contexts[index].plan.endQuery {
            actions.append(.run(query.words, .allocationEnd(id)))
        }
        while let step = contexts[index].clock.takeStep(at: now) { take(step, in: index) }
        if now >= contexts[index].retirement.nextDeadline { giveNodesBack(of: index) }
        askOfSteps(in: index)
        if now >= contexts[index].nextDemand { tellDemand(to: index) }
    }

    private mutating func take(_ step: AllocationClock.Step, in index: Int) {
        let context = contexts[index]
        // With others beside it, the run goes on.
        let name = contexts.count > 1 ? "the allocation of \(context.plan.label)" : "the allocation"
        let seconds = context.clock.end.map { ($0 - now + .milliseconds(500)).components.seconds } ?? 0
        switch step {
        case .none: break
        case .draining:
            announce("\(name) ends in \(seconds) s: no new task starts in it")
            tell(.drainRequested(.context(context.id)))
        case .ending:
            announce("\(name) ends in \(seconds) s: ending what runs, for a later run")
            tell(.contextEnding(context.id))
        case .endingAtOnce: tell(.contextEnding(context.id))
        }
    }

    private mutating func announce(_ text: String) {
        show(.info, text)
        log(.warning, text)
    }

    private mutating func giveNodesBack(of index: Int) {
        guard let command = contexts[index].retirementCommand,
            let batch = contexts[index].retirement.takeBatch(of: contexts[index].plan, at: now), scheduler.isRunning
        else { return }
        log(.info, "giving back \(batch.nodes); staying: \(batch.staying)")
        actions.append(
            .run(
                ["env"] + batch.settings + ["STEP_PREFIX=\(policy.stepPrefix)", "/bin/sh", "-c", command],
                .retirement(contexts[index].id, nodes: batch.nodes)))
    }

    private mutating func askOfSteps(in index: Int) {
        guard let control = contexts[index].traits.stepControl, let job = contexts[index].plan.job else { return }
        for engine in contexts[index].lostSteps.takeQuestions(at: now) {
            actions.append(
                .run(control.words(job: job, step: stepName(of: engine)), .lostStep(contexts[index].id, engine)))
        }
    }

    /// Tells an elastic context how much there is to do, where that has changed.
    private mutating func tellDemand(to index: Int) {
        guard contexts[index].isRelayed, contexts[index].mayGrow || contexts[index].liveEngines > 0 else {
            contexts[index].nextDemand = .distantFuture
            return
        }
        contexts[index].nextDemand = now + .milliseconds(500)
        var demand = RelayDemand(waiting: scheduler.startableCount ?? tasksLeft, outstanding: 0, idle: [])
        for engine in engines where engine.context.rawValue == index && !engine.stage.isOver {
            let assigned = scheduler.assignedCount(of: engine.id)
            demand.outstanding += assigned
            if assigned == 0, engine.stage == .working || engine.stage == .leaving { demand.idle.append(engine.id) }
        }
        guard demand != contexts[index].toldDemand else { return }
        contexts[index].toldDemand = demand
        actions.append(.tellDemand(contexts[index].id, demand))
    }

    /// Tasks of a source that was counted that no engine was given yet.
    private var tasksLeft: Int? {
        let totals = scheduler.totals
        return policy.totalTasks.map { max(0, $0 - totals.finished - totals.skipped - scheduler.assignedCount) }
    }

    // MARK: Answers

    mutating func commandEnded(_ purpose: CommandPurpose, _ answer: ManagerAnswer, _ wallClock: Timestamp) {
        let index = purpose.context.rawValue
        switch purpose {
        case .allocationEnd: takeAllocationEnd(answer, in: index, wallClock)
        case .lostStep(_, let engine): takeStepAnswer(answer, engine, in: index)
        case .retirement(_, let nodes):
            let text = answer.text.split(whereSeparator: \.isNewline).joined(separator: "; ")
            if answer.isGood {
                log(.info, "gave back \(nodes)\(text.isEmpty ? "" : ": \(text)")")
            } else {
                log(.warning, "\(nodes) could not be given back: \(text.isEmpty ? "the command failed" : text)")
            }
        }
    }

    private mutating func takeAllocationEnd(_ answer: ManagerAnswer, in index: Int, _ wallClock: Timestamp) {
        guard let query = contexts[index].plan.endQuery else { return }
        guard answer.isGood, let end = query.end(in: answer.text) else {
            let text = answer.text.split(whereSeparator: \.isNewline).last ?? ""
            log(.warning, "when the allocation ends is not known: \(query.words.joined(separator: " ")): \(text)")
            return contexts[index].clock.failed(at: now)
        }
        let instant = end.secondsSince1970.map {
            now + .microseconds(Int64($0) * 1_000_000 - wallClock.microseconds)
        }
        if contexts[index].clock.answered(instant, margin: contexts[index].policy.margin, at: now), let instant {
            log(.info, "the allocation ends in \((instant - now).components.seconds) s (--margin)")
        }
    }
}
