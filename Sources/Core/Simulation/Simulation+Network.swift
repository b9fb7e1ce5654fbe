import DisbatchCore

extension Simulation {
    /// Sends a message to an engine; it arrives later, or never.
    func send(_ frame: DriverFrame, to engine: EngineID) {
        let index = engine.rawValue
        guard engines[index].isChannelOpen else { return }
        let arrival = max(engines[index].lastDown, now + travel(engines[index].delay))
        engines[index].lastDown = arrival
        queue.add(.toEngine(index, frame), at: arrival)
    }

    /// Sends a message to the driver.
    func send(_ frame: EngineFrame, from index: Int) {
        guard engines[index].isChannelOpen else { return }
        let arrival = max(engines[index].lastUp, now + travel(engines[index].delay))
        engines[index].lastUp = arrival
        queue.add(.toDriver(index, frame), at: arrival)
    }

    /// The time that one message takes, in nanoseconds: mostly about the average, now and then much more.
    private func travel(_ mean: Double) -> Int64 {
        let time = mean * random.between(0.5, 1.3)
        return Int64(random.chance(0.02) ? time * 8 : time)
    }

    /// A message reaches the driver, unless the way is cut or was given up.
    func arrive(_ frame: EngineFrame, from index: Int, _ happening: SimulatedEvent) {
        guard engines[index].isChannelOpen, !engines[index].isWrittenOff else { return }
        if engines[index].isCut { return engines[index].held.append(happening) }
        let engine = engines[index].id
        switch frame {
        case .hello(let hello):
            engines[index].hasSpoken = true
            tell(.engineSpoke(engine))
            if !engines[index].isMute { tell(.engineGreeted(engine, hello)) }
        case .ready(let slots): tell(.engineReady(engine, slots: slots))
        case .started(let assignment, _, _, _): tell(.tasks(.taskStarted(engine, assignment)))
        case .filesFollow(let assignment): tell(.tasks(.filesAwaited(engine, assignment)))
        case .finished(let assignment, let cylinder, let outcome):
            hosts[engines[index].host].failuresInARow = 0
            tell(
                .taskEnded(TaskExit(engine: engine, assignment: assignment, cylinder: cylinder, outcome: outcome)))
        case .returned(let assignments): tell(.tasks(.assignmentsReturned(engine, assignments)))
        case .withdrawn(let assignment): tell(.tasks(.assignmentWithdrawn(engine, assignment)))
        case .leaseAcknowledged(let sentAt): tell(.tasks(.leaseAcknowledged(engine, sentAt: sentAt)))
        case .signal(let number): tell(.engineSignalled(engine, number))
        case .refused, .log, .followed, .output, .cpuUsed, .captureBegan: break
        case .stagedEntriesWanted, .fileBegan, .fileData, .fileEnded, .placesWanted: break
        }
    }

    /// Whether a carrier's status comes to the driver now. What the far end said of itself waits where the way is cut;
    /// it never comes where the driver has ended the carrier meanwhile. (No way leads to an engine of this machine.)
    func comesThrough(_ happening: SimulatedEvent, from index: Int, status: Int32) -> Bool {
        guard parameters.lease > 0, engines[index].isCut, status == 0 || status == EngineProtocol.clearedStatus else {
            return true
        }
        if engines[index].isChannelOpen { engines[index].held.append(happening) }
        return false
    }

    /// The driver sees that an engine's channel and carrier have ended.
    func carrierEnded(_ index: Int, _ status: Int32, isHopeless: Bool = false) {
        guard !engines[index].isWrittenOff else { return }
        engines[index].isChannelOpen = false
        let host = engines[index].host
        // One that was sent away, for a START command that failed say, is not launched again, however it ends.
        let isFinal = status == 0 || machine.engines[index].stage == .leaving
        if isFinal { hosts[host].isFinal = true } else { hosts[host].failuresInARow += 1 }
        let launched = machine.engines.count
        tell(
            .engineEnded(
                engines[index].id, EngineEnd(status: status, reason: nil, printedBefore: "", isHopeless: isHopeless)))
        report.relaunches += machine.engines.count - launched
    }

    /// Whoever launched an engine ends one that has not spoken by then, and does not try its host again.
    func speechDue(_ index: Int) {
        guard !engines[index].hasSpoken else { return }
        hosts[engines[index].host].isFinal = true
        carrierEnded(index, -SignalNumber.kill, isHopeless: true)
        queue.add(.engineOrphaned(index), at: now + travel(engines[index].delay))
    }

    /// The driver closes an engine's channel and ends its carrier, mostly.
    func close(_ index: Int) {
        if isWaking, machine.scheduler.isRunning, machine.engines[index].stage == .abandoned {
            violation = "engine \(index) is given up before what it sent to a sleeping driver is read"
        }
        let wasOpen = engines[index].isChannelOpen
        if engines[index].isMute { hosts[engines[index].host].isFinal = true }
        // The carrier of an engine of this machine is its guard, which ends with it.
        let hasCarrier = parameters.lease > 0 || !engines[index].isUp
        var end = max(engines[index].lastUp, now) + 1
        if hasCarrier { end += travel(engines[index].delay) + (random.chance(0.2) ? Int64(1e10) : 0) }
        // Some carriers take their time, and what their engines still say comes first.
        let isLate = engines[index].isUp && wasOpen && parameters.lease > 0 && random.chance(parameters.lateReportRate)
        if isLate { end += parameters.lease.nanoseconds }
        if hasCarrier { queue.add(.carrierEnded(index, status: 255), at: end) }
        guard engines[index].isUp else {
            engines[index].isOver = true
            return
        }
        guard !isLate else { return }
        engines[index].isChannelOpen = false
        if wasOpen { queue.add(.engineOrphaned(index), at: now + travel(engines[index].delay)) }
    }

    /// Lets the driver know, in a while, that an engine is gone.
    func learnEnd(of index: Int) {
        queue.add(.confirmedGone(index), at: max(engines[index].lastUp, now) + travel(engines[index].delay) + 1)
    }
}
