extension Scheduler {
    /// Adds an engine whose command was launched.
    mutating func launched(
        _ engine: EngineState, at now: Instant, into actions: inout ActionList
    ) {
        let index = pool.add(engine)
        let state = contexts[engine.context]
        pool[index].isUnwanted = state?.assignmentsLeft == 0 || state?.isDrained == true
        if phase == .closing || phase == .flushing { beginStop(index, at: now, into: &actions) }
    }

    /// Lets an engine begin that is ready for work.
    mutating func joined(
        _ engine: EngineID, slots: Int, roundTrip: Duration, at now: Instant, into actions: inout ActionList
    ) {
        guard let index = pool.index(of: engine), pool[index].life == .launched else { return }
        pool[index].slots = slots
        pool[index].roundTripSeconds = Double(roundTrip.wholeNanoseconds) / 1e9
        pool[index].tokenSent = now
        pool[index].lastAcknowledged = now
        pool.setLife(.joined, of: index)
        if pool[index].isUnwanted || phase != .running {
            beginStop(index, at: now, into: &actions)
        } else if queue.commandsAreKnown {
            startNext(0, on: index, at: now, into: &actions)
        }
    }

    /// Runs the START command of this number, or lets the engine take tasks when there are no more.
    mutating func startNext(
        _ number: Int, on index: Int, at now: Instant, into actions: inout ActionList
    ) {
        guard number < queue.startCommands.count else {
            return pool[index].isUnwanted
                ? beginStop(index, at: now, into: &actions) : pool.setLife(.active, of: index)
        }
        pool.setLife(.starting(next: number), of: index)
        assign(
            .perEngine(.start), WaitingTask(spec: queue.startCommands[number]), to: index,
            timeLimit: configuration.startTimeout, at: now, into: &actions)
    }

    /// Lets an engine take no more tasks; it goes when it has none. Those that wait there can be asked back.
    mutating func leave(
        _ index: Int, returningWaiting: Bool, at now: Instant, into actions: inout ActionList
    ) {
        pool[index].isUnwanted = true
        guard pool[index].life == .active else { return endStart(on: index, at: now, into: &actions) }
        pool.setLife(.leaving, of: index)
        if returningWaiting { recall(pool[index].occupying, from: index, into: &actions) }
        goIfEmpty(index, at: now, into: &actions)
    }

    /// Runs the first STOP command of an engine that has no assignments, or shuts it down.
    mutating func beginStop(_ index: Int, at now: Instant, into actions: inout ActionList) {
        switch pool[index].life {
        case .launched:
            actions.order(.abandon(pool[index].id))
            pool.setLife(.lost, of: index)
        case .joined:
            sendAway(index, at: now, into: &actions)
        case .active, .leaving, .starting:
            guard pool[index].assigned.count == 0 else { return endStart(on: index, at: now, into: &actions) }
            guard !pool[index].isSilent else { return giveUp(index, at: now, into: &actions) }
            stopNext(0, on: index, at: now, into: &actions)
        case .stopping, .closing, .lost, .gone: break
        }
    }

    private mutating func stopNext(
        _ number: Int, on index: Int, at now: Instant, into actions: inout ActionList
    ) {
        guard number < queue.stopCommands.count else { return sendAway(index, at: now, into: &actions) }
        pool[index].endOrder.givenAt = nil
        pool.setLife(.stopping(next: number), of: index)
        let isEarly =
            ending != nil && ending != .completed || contexts[pool[index].context]?.isDrained == true
            || pool[index].endOrder.isCutShort
        assign(
            .perEngine(.stop), WaitingTask(spec: queue.stopCommands[number]), to: index,
            timeLimit: isEarly ? configuration.earlyStopLimit : nil, at: now, into: &actions)
    }

    private mutating func sendAway(_ index: Int, at now: Instant, into actions: inout ActionList) {
        pool.setLife(.closing(since: now), of: index)
        actions.order(.shutDown(pool[index].id))
    }

    /// Goes on after a per-engine command ended.
    mutating func perEngineFinished(
        _ phase: PerEnginePhase, on index: Int, _ outcome: TaskOutcome, at now: Instant,
        into actions: inout ActionList
    ) {
        let wasCutShort = pool[index].endOrder.isCutShort && phase == .start
        pool[index].endOrder.givenAt = nil
        if outcome.failed, !wasCutShort { totals.perEngineFailed += 1 }
        switch pool[index].life {
        case .starting where wasCutShort: beginStop(index, at: now, into: &actions)
        case .starting(let number):
            let isUsed = !(outcome.failed && configuration.isStartStrict)
            if outcome.failed {
                actions.order(
                    .warn(
                        .startCommandFailed(
                            pool[index].id, node: pool[index].node, returnCode: outcome.returnCode,
                            engineUsed: isUsed)))
            }
            if !isUsed { pool[index].dismissal = .refused }
            if self.phase != .running || !isUsed || contexts[pool[index].context]?.isEnding == true {
                beginStop(index, at: now, into: &actions)
            } else {
                startNext(number + 1, on: index, at: now, into: &actions)
            }
        case .stopping(let number): stopNext(number + 1, on: index, at: now, into: &actions)
        default: break
        }
    }

    mutating func silent(_ engine: EngineID, at now: Instant, into actions: inout ActionList) {
        guard let index = pool.index(of: engine), pool[index].isLive else { return }
        pool.setHearing(.cutOff, of: index)
        // One that was given nothing is not waited for.
        guard pool[index].life != .launched, pool[index].life != .joined else {
            return giveUp(index, at: now, into: &actions)
        }
        // Nothing would ever end its silence.
        if lease(of: engine) == nil { actions.order(.abandon(engine)) }
        goIfEmpty(index, at: now, into: &actions)
    }

    mutating func gone(_ engine: EngineID, at now: Instant, into actions: inout ActionList) {
        guard let index = pool.index(of: engine), pool[index].life != .gone else { return }
        givenUp[engine] = nil
        guard pool[index].life != .lost else { return pool.setLife(.gone, of: index) }
        if case .closing = pool[index].life {
            if pool[index].dismissal != .retired { pool.lastLeftInOrder = pool[index].dismissal == nil }
            return pool.setLife(.gone, of: index)
        }
        pool.setLife(.gone, of: index)
        lose(index, mayReport: false, at: now, into: &actions)
    }

    /// Gives up an engine whose lease ran out, or that does not go.
    mutating func giveUp(_ index: Int, at now: Instant, into actions: inout ActionList) {
        actions.order(.abandon(pool[index].id))
        pool.setLife(.lost, of: index)
        lose(index, mayReport: true, at: now, into: &actions)
    }

    mutating func acknowledged(
        _ engine: EngineID, sentAt: Instant, at now: Instant, into actions: inout ActionList
    ) {
        guard let index = pool.index(of: engine) else { return }
        pool[index].lastAcknowledged = max(pool[index].lastAcknowledged, sentAt)
        if pool[index].hearing != .answering, !pool[index].owesAnswer {
            if pool[index].hearing == .quiet { actions.order(.warn(.engineAnswers(engine, node: pool[index].node))) }
            pool.setHearing(.answering, of: index)
        }
        let trip = Double((now - sentAt).wholeNanoseconds) / 1e9
        // The quickest trip of late: what queued behind a large frame says little of the next one.
        pool[index].roundTripSeconds = min(trip, pool[index].roundTripSeconds * 1.5 + 1e-6)
    }

    /// How often tokens are sent.
    private var heartbeat: Duration {
        configuration.lease.map { min(configuration.heartbeat, $0 / 5) } ?? configuration.heartbeat
    }

    /// Sends lease tokens when they are due, and gives up engines that left them unanswered for too long.
    mutating func keepLeases(at now: Instant, into actions: inout ActionList) {
        guard now >= nextHeartbeat else { return }
        nextHeartbeat = now + heartbeat
        for index in pool.live() {
            keepLease(of: index, at: now, into: &actions)
        }
    }

    /// Sends every engine that can be heard a new lease token, from which its time counts: what it sent while the
    /// driver stood still comes before any judgement.
    mutating func giveLeasesAnew(at now: Instant, into actions: inout ActionList) {
        nextHeartbeat = now + heartbeat
        for index in pool.live() where !pool[index].isSilent {
            if case .closing = pool[index].life { pool.setLife(.closing(since: now), of: index) }
            guard pool[index].life != .launched else { continue }
            pool[index].tokenSent = now
            actions.order(.renewLease(pool[index].id))
        }
    }

    private mutating func keepLease(of index: Int, at now: Instant, into actions: inout ActionList) {
        let engine = pool[index]
        if case .closing(let since) = engine.life, now >= since + configuration.closingPatience {
            return giveUp(index, at: now, into: &actions)
        }
        guard engine.life != .launched, !keepEnding(on: index, at: now, into: &actions) else { return }
        if let lease = lease(of: engine.id), now >= engine.tokenSent + lease + configuration.leaseGrace {
            return giveUp(index, at: now, into: &actions)
        }
        guard !engine.isSilent else { return }
        guard engine.owesAnswer else {
            pool[index].tokenSent = now
            return actions.order(.renewLease(engine.id))
        }
        if engine.hearing == .answering { pool.setHearing(.overdue, of: index) }
        if pool[index].hearing == .overdue, now >= engine.tokenSent + Self.quietTime {
            pool.setHearing(.quiet, of: index)
            let seconds = Int((now - engine.tokenSent).components.seconds)
            actions.order(.warn(.engineQuiet(engine.id, node: engine.node, seconds: seconds)))
        }
    }

    /// How long a token is unanswered when the user is told.
    private static let quietTime = Duration.seconds(10)
}
