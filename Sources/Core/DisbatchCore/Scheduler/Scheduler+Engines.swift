extension Scheduler {
    /// The place of an engine that was launched.
    func index(of engine: EngineID) -> Int? {
        engines.indices.contains(engine.rawValue) ? engine.rawValue : nil
    }

    /// The places of all engines, to look at each.
    mutating func allEngines() -> Range<Int> {
        looks += engines.count
        return engines.indices
    }

    mutating func launched(
        _ engine: EngineState, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        let index = engine.id.rawValue
        precondition(index == engines.count, "engines are launched in the order of their ranks")
        engines.append(engine)
        liveEngines += 1
        let state = contexts[engine.context]
        engines[index].isUnwanted = state?.assignmentsLeft == 0 || state?.isDrained == true
        if phase == .closing || phase == .flushing { beginStop(index, at: now, into: &actions) }
    }

    /// Moves an engine on in its life and keeps the counts that follow from it.
    mutating func setLife(_ life: EngineLife, of index: Int) {
        let before = engines[index]
        engines[index].life = life
        countChange(from: before, at: index)
    }

    private mutating func countChange(from before: EngineState, at index: Int) {
        let after = engines[index]
        if before.accepts != after.accepts { acceptingEngines += after.accepts ? 1 : -1 }
        if before.isLive != after.isLive { liveEngines += after.isLive ? 1 : -1 }
        if !after.isLive || after.isSilent {
            recallsPending -= after.recallPending
            engines[index].recallPending = 0
        }
        settle(index)
    }

    mutating func joined(
        _ engine: EngineID, slots: Int, roundTrip: Duration, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard let index = index(of: engine), engines[index].life == .launched else { return }
        engines[index].slots = slots
        engines[index].roundTripSeconds = Double(roundTrip.wholeNanoseconds) / 1e9
        engines[index].tokenSent = now
        engines[index].lastAcknowledged = now
        setLife(.joined, of: index)
        if engines[index].isUnwanted || phase != .running {
            beginStop(index, at: now, into: &actions)
        } else if headIsKnown {
            startNext(0, on: index, at: now, into: &actions)
        }
    }

    /// Runs the START command of this number, or lets the engine take tasks when there are no more.
    mutating func startNext(
        _ number: Int, on index: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard number < startCommands.count else {
            return engines[index].isUnwanted
                ? beginStop(index, at: now, into: &actions) : setLife(.active, of: index)
        }
        setLife(.starting(next: number), of: index)
        assign(
            .perEngine(.start), WaitingTask(spec: startCommands[number]), to: index, timeLimit: nil, at: now,
            into: &actions)
    }

    /// Lets an engine take no more tasks; it goes when it holds none. Those that wait there can be asked back.
    mutating func leave(
        _ index: Int, returningWaiting: Bool, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        engines[index].isUnwanted = true
        guard engines[index].life == .active else { return }
        setLife(.leaving, of: index)
        if returningWaiting { recall(engines[index].occupying, from: index, into: &actions) }
        goIfEmpty(index, at: now, into: &actions)
    }

    /// Runs the first STOP command of an engine that holds no task, or sends it away.
    mutating func beginStop(_ index: Int, at now: Instant, into actions: inout [SchedulerAction]) {
        switch engines[index].life {
        case .launched:
            actions.append(.abandon(engines[index].id))
            setLife(.lost, of: index)
        case .joined:
            sendAway(index, at: now, into: &actions)
        case .active, .leaving, .starting:
            guard engines[index].held.count == 0 else { return }
            guard !engines[index].isSilent else { return giveUp(index, at: now, into: &actions) }
            stopNext(0, on: index, at: now, into: &actions)
        case .stopping, .closing, .lost, .gone: break
        }
    }

    private mutating func stopNext(
        _ number: Int, on index: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard number < stopCommands.count else { return sendAway(index, at: now, into: &actions) }
        setLife(.stopping(next: number), of: index)
        let isEarly =
            ending != nil && ending != .completed || contexts[engines[index].context]?.isDrained == true
        assign(
            .perEngine(.stop), WaitingTask(spec: stopCommands[number]), to: index,
            timeLimit: isEarly ? configuration.earlyStopLimit : nil, at: now, into: &actions)
    }

    private mutating func sendAway(_ index: Int, at now: Instant, into actions: inout [SchedulerAction]) {
        setLife(.closing(since: now), of: index)
        actions.append(.shutDown(engines[index].id))
    }

    /// Goes on after a per-engine command ended.
    mutating func perEngineFinished(
        _ phase: PerEnginePhase, on index: Int, _ outcome: TaskOutcome, at now: Instant,
        into actions: inout [SchedulerAction]
    ) {
        if outcome.failed { totals.perEngineFailed += 1 }
        switch engines[index].life {
        case .starting(let number):
            let isUsed = !(outcome.failed && configuration.isStartStrict)
            if outcome.failed {
                actions.append(
                    .warn(
                        .startCommandFailed(
                            engines[index].id, node: engines[index].node, returnCode: outcome.returnCode,
                            engineUsed: isUsed)))
            }
            engines[index].isRefused = !isUsed
            if self.phase != .running || !isUsed || contexts[engines[index].context]?.isEnding == true {
                beginStop(index, at: now, into: &actions)
            } else {
                startNext(number + 1, on: index, at: now, into: &actions)
            }
        case .stopping(let number): stopNext(number + 1, on: index, at: now, into: &actions)
        default: break
        }
    }

    mutating func silent(_ engine: EngineID, at now: Instant, into actions: inout [SchedulerAction]) {
        guard let index = index(of: engine), engines[index].isLive else { return }
        let before = engines[index]
        engines[index].isSilent = true
        countChange(from: before, at: index)
        // One that was given nothing is not waited for.
        guard before.life != .launched, before.life != .joined else { return giveUp(index, at: now, into: &actions) }
        // Nothing would ever end its silence.
        if lease(of: engine) == nil { actions.append(.abandon(engine)) }
        goIfEmpty(index, at: now, into: &actions)
    }

    mutating func gone(_ engine: EngineID, at now: Instant, into actions: inout [SchedulerAction]) {
        guard let index = index(of: engine), engines[index].life != .gone else { return }
        givenUp[engine] = nil
        guard engines[index].life != .lost else { return setLife(.gone, of: index) }
        if case .closing = engines[index].life {
            if !engines[index].isRetired { lastEngineLeftInOrder = !engines[index].isRefused }
            return setLife(.gone, of: index)
        }
        setLife(.gone, of: index)
        lose(index, mayReport: false, at: now, into: &actions)
    }

    /// Gives up an engine whose lease ran out, or that does not go.
    mutating func giveUp(_ index: Int, at now: Instant, into actions: inout [SchedulerAction]) {
        actions.append(.abandon(engines[index].id))
        setLife(.lost, of: index)
        lose(index, mayReport: true, at: now, into: &actions)
    }

    mutating func acknowledged(_ engine: EngineID, sentAt: Instant, at now: Instant) {
        guard let index = index(of: engine) else { return }
        engines[index].lastAcknowledged = max(engines[index].lastAcknowledged, sentAt)
        let trip = Double((now - sentAt).wholeNanoseconds) / 1e9
        // The quickest trip of late: what queued behind a large frame says little of the next one.
        engines[index].roundTripSeconds = min(trip, engines[index].roundTripSeconds * 1.5 + 1e-6)
    }

    /// How often tokens are sent.
    private var heartbeat: Duration {
        configuration.lease.map { min(configuration.heartbeat, $0 / 5) } ?? configuration.heartbeat
    }

    /// Sends lease tokens when they are due, and gives up engines that left them unanswered for too long.
    mutating func keepLeases(at now: Instant, into actions: inout [SchedulerAction]) {
        guard now >= nextHeartbeat else { return }
        nextHeartbeat = now + heartbeat
        for index in allEngines() where engines[index].isLive {
            keepLease(of: index, at: now, into: &actions)
        }
    }

    /// Sends every engine that can be heard a new lease token, from which its time counts: what it sent while the driver
    /// stood still comes before any judgement.
    mutating func giveLeasesAnew(at now: Instant, into actions: inout [SchedulerAction]) {
        nextHeartbeat = now + heartbeat
        for index in allEngines() where engines[index].isLive && !engines[index].isSilent {
            if case .closing = engines[index].life { setLife(.closing(since: now), of: index) }
            guard engines[index].life != .launched else { continue }
            engines[index].tokenSent = now
            actions.append(.renewLease(engines[index].id))
        }
    }

    private mutating func keepLease(of index: Int, at now: Instant, into actions: inout [SchedulerAction]) {
        let engine = engines[index]
        if case .closing(let since) = engine.life, now >= since + configuration.closingPatience {
            return giveUp(index, at: now, into: &actions)
        }
        guard engine.life != .launched else { return }
        if let lease = lease(of: engine.id), now >= engine.tokenSent + lease + configuration.leaseGrace {
            return giveUp(index, at: now, into: &actions)
        }
        guard !engine.isSilent, engine.lastAcknowledged >= engine.tokenSent else { return }
        engines[index].tokenSent = now
        actions.append(.renewLease(engine.id))
    }
}
