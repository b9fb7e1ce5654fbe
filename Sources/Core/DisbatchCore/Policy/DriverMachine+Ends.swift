/// Engines' ends, and what comes after them.
extension DriverMachine {
    /// Gives an engine up, as the scheduler wants it, whether it was launched or is yet to be.
    mutating func abandon(_ index: Int) {
        let id = engines[index].id
        launches.remove(id)
        switch engines[index].stage {
        case .silent, .gone: return
        case .waiting:
            setStage(.gone, of: index)
            return endContextIfOver(engines[index].context.rawValue)
        case .working: setStage(.abandoned, of: index)
        case .abandoned: break
        case .connecting, .greeting, .configuring, .holding, .leaving, .refused: setStage(.leaving, of: index)
        }
        log(.warning, "\(title(of: index)): given up")
        // The engine ends its tasks and itself when its channel ends. Who is to carry its end may be cut off.
        actions.append(.close(id, isRemote(index) ? .endingCarrier : .keepingCarrier))
        guard contexts[engines[index].context.rawValue].isRelayed else { return }
        // What its relay says of it after this is no longer of use.
        let end = EngineEnd(status: -SignalNumber.terminate, reason: nil, printedBefore: "", isHopeless: false)
        ended(index, end, isReported: false)
    }

    /// Notes that an engine's channel and carrier have ended, launches another where that may help, and tells the
    /// scheduler whether the engine's tasks are known to be dead.
    ///
    /// - Parameter isReported: whether that was seen, and not just given up to be.
    mutating func ended(_ index: Int, _ end: EngineEnd, isReported: Bool = true) {
        guard !engines[index].stage.isOver else { return }
        let engine = engines[index]
        gate.remove(engine.id)
        attributeToManager(engine.id)
        let reason = reason(for: end, of: engine)
        log(.info, "\(title(of: index)): gone, \(reason)")
        actions.append(.recordEngineEnd(engine.id, reason: reason))
        actions.append(.forget(engine.id))
        engine.stage == .leaving ? retire(index, status: end.status) : replace(index, end, reason)
        if !engine.stage.mayHaveTasks || engine.plan.carrier.proves(status: end.status) {
            setStage(.gone, of: index)
            if isReported, guards.gone(engine.guardName, context: engine.context, planIndex: engine.planIndex) {
                actions.append(.forgetGuard(engine.guardName))
            }
            tell(.engineGone(engine.id))
        } else {
            setStage(.silent, of: index)
            tell(.engineSilent(engine.id))
            endStep(of: index)
        }
        endContextIfOver(engine.context.rawValue)
        launchDue()
    }

    private func reason(for end: EngineEnd, of engine: DriverEngine) -> String {
        if let reason = engine.complaint ?? end.reason { return reason }
        let text =
            end.status < 0 ? "killed by \(SignalName.of(-end.status))" : "exit status \(end.status)"
        return end.printedBefore.isEmpty ? text : "\(text), after printing: \(end.printedBefore)"
    }

    /// Notes proof that nothing of an engine is left: its machine is gone.
    mutating func confirmedGone(_ index: Int) {
        ended(
            index,
            EngineEnd(
                status: -SignalNumber.kill, reason: "its machine is gone", printedBefore: "", isHopeless: true))
        proveGone(index)
    }

    private mutating func proveGone(_ index: Int) {
        guard engines[index].stage == .silent else { return }
        setStage(.gone, of: index)
        tell(.engineGone(engines[index].id))
    }

    // MARK: Again

    /// Launches another engine in the place of one that ended unasked, where that may help.
    private mutating func replace(_ index: Int, _ end: EngineEnd, _ reason: String) {
        let engine = engines[index]
        let context = contexts[engine.context.rawValue]
        let isFailure = end.status != 0 || engine.complaint != nil || end.isHopeless
        if context.isElastic || context.isCutOff {
            if isFailure { log(.warning, "\(title(of: index)): \(reason)") }
        } else if isRemote(index) {
            if isFailure { reconnect(index, reason, isFinal: engine.complaint != nil || end.isHopeless) }
        } else if !engine.stage.mayHaveTasks {
            failed(index, reason)
        } else if end.status != 0, lossesInARow < Self.replacementLimit || scheduler.assignedCount(of: engine.id) > 0 {
            // What can't work at all is not tried for ever; an engine that was killed is replaced.
            lossesInARow += 1
            let pause =
                lossesInARow <= Self.replacementLimit
                ? 0 : LaunchQueue.pause(afterFailures: lossesInARow - Self.replacementLimit)
            schedule(engine.planIndex, in: engine.context.rawValue, at: now + .seconds(pause))
        }
    }

    /// Tries a host again, with growing pauses.
    private mutating func reconnect(_ index: Int, _ reason: String, isFinal: Bool) {
        let engine = engines[index]
        let context = engine.context.rawValue
        let failures = contexts[context].failures[engine.planIndex, default: 0] + 1
        contexts[context].failures[engine.planIndex] = failures
        let isHopeless =
            LaunchFailure.isPermanent(reason)
            || !contexts[context].answered.contains(engine.planIndex) && LaunchFailure.isMistake(reason)
        guard !isFinal, !isHopeless, failures <= policy.reconnects else {
            return failed(index, reason)
        }
        let seconds = LaunchQueue.pause(afterFailures: failures)
        show(.warning, "\(title(of: index)): \(reason); trying again in \(seconds) s")
        log(.warning, "\(title(of: index)): \(reason); again in \(seconds) s")
        schedule(engine.planIndex, in: context, at: now + .seconds(seconds))
    }

    /// Tells of an engine that is not there, and won't be.
    mutating func failed(_ index: Int, _ reason: String) {
        report(.error, "\(title(of: index)): \(reason)")
        let text = "\(engines[index].node): \(reason)"
        engineFailures.append(text)
        contexts[engines[index].context.rawValue].reasons.append(text)
    }

    // MARK: Managers

    /// Has a node given back whose last engine went because nothing was left for it.
    private mutating func retire(_ index: Int, status: Int32) {
        let engine = engines[index]
        let context = engine.context.rawValue
        guard contexts[context].retirementCommand != nil, scheduler.isRunning,
            contexts[context].clock.done.rawValue < AllocationClock.Step.ending.rawValue,
            engine.node != contexts[context].plan.home,
            !engines.contains(where: {
                $0.id != engine.id && $0.context == engine.context && $0.node == engine.node && $0.isThere
            })
        else { return }
        contexts[context].retirement.add(engine.node, status: status < 0 ? -1 : status, at: now)
    }

    /// Asks the manager to end the step of an engine that can't be heard any more. (A step that never spoke may not be
    /// there yet: it was given nothing.)
    private mutating func endStep(of index: Int) {
        let context = engines[index].context.rawValue
        guard contexts[context].traits.stepControl != nil, engines[index].plan.carrier == .launcher else { return }
        contexts[context].lostSteps.add(engines[index].id, until: now + policy.lease + policy.grace, at: now)
    }

    /// Notes the manager's answer about a lost engine's step.
    mutating func takeStepAnswer(_ answer: ManagerAnswer, _ engine: EngineID, in context: Int) {
        guard contexts[context].lostSteps.answered(engine, answer, at: now) else { return }
        log(.info, "engine \(engine.rawValue): its step is gone, says Slurm")
        proveGone(engine.rawValue)
    }
}

extension DriverEngine {
    /// Whether a process leads to it, or may.
    fileprivate var isThere: Bool { stage != .waiting && !stage.isOver }
}
