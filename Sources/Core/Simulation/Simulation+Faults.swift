import DisbatchCore

extension Simulation {
    /// Decides what goes wrong with an engine, and when.
    func planFaults(_ index: Int, from connection: Int64, length: Double) {
        let hasLease = parameters.lease > 0
        func plan(_ rate: Double, _ fault: (Int64) -> Fault) {
            guard random.chance(rate) else { return }
            let time = connection + random.between(0, length).nanoseconds
            queue.add(.fault(index, fault(time)), at: time)
        }
        plan(parameters.deathRate) { _ in .death(isProven: !hasLease || random.chance(0.7)) }
        plan(parameters.silenceRate) { _ in .silence(isNoticed: !hasLease || random.chance(0.5)) }
        plan(parameters.freezeRate) { .freeze(until: $0 + outage()) }
        plan(parameters.cutRate) { .cut(until: $0 + outage(), isOneWay: false) }
        plan(parameters.oneWayCutRate) { .cut(until: $0 + outage(), isOneWay: true) }
    }

    /// How long an engine stands still or is not reached: shorter than the lease, about it, or much longer.
    private func outage() -> Int64 {
        (max(parameters.lease, 5) * [0.1, 0.9, 1.3, 2][random.whole(0...3)] * random.between(0.8, 1.2)).nanoseconds
    }

    func strike(_ index: Int, _ fault: Fault) {
        guard engines[index].isUp else { return }
        switch fault {
        case .death(let isProven): die(index, isProven: isProven)
        case .silence(let isNoticed):
            guard engines[index].isChannelOpen else { return }
            // What was sent before arrives; then comes the end of the channel, and of its carrier.
            if parameters.lease > 0 {
                queue.add(.carrierEnded(index, status: 255), at: max(now, engines[index].lastUp) + 1)
            }
            if isNoticed { queue.add(.engineOrphaned(index), at: max(now, engines[index].lastDown) + 1) }
        case .freeze(let until):
            guard !engines[index].isFrozen else { return }
            engines[index].isFrozen = true
            pause(index, true)
            queue.add(.thaw(index), at: max(now, until))
        case .cut(let until, let isOneWay):
            guard !engines[index].isCut, engines[index].isChannelOpen else { return }
            engines[index].isCut = true
            engines[index].isCutOneWay = isOneWay
            queue.add(.linkBack(index), at: max(now, until))
        }
    }

    func die(_ index: Int, isProven: Bool) {
        for cylinder in engines[index].processes.indices { killProcess(index, cylinder) }
        engines[index].isUp = false
        engines[index].isOver = true
        engines[index].missed.removeAll()
        let end = max(now, engines[index].lastUp) + 2 + random.between(0, 30).nanoseconds
        if isProven { return queue.add(.carrierEnded(index, status: EngineProtocol.clearedStatus), at: end) }
        // The carrier notices, or only the lease does, which an engine has that may have tasks.
        if random.chance(0.5) || !machine.engines[index].stage.mayHaveTasks {
            queue.add(.carrierEnded(index, status: 255), at: end)
        }
    }

    /// Tasks of an engine that stands still don't run.
    private func pause(_ index: Int, _ isPaused: Bool) {
        for process in engines[index].processes where process.isAlive {
            guard let assignment = process.assignment else { continue }
            if isPaused {
                oracle?.processEnded(assignment, on: engines[index].id)
            } else if let found = oracle?.processBegan(assignment, on: engines[index].id) {
                violation = violation ?? "as an engine went on after it had stood still: \(found)"
            }
        }
    }

    /// An engine goes on: it sees everything that it missed at once.
    func thaw(_ index: Int) {
        guard engines[index].isFrozen else { return }
        engines[index].isFrozen = false
        guard engines[index].isUp else { return }
        // What ends in this very moment has not run beside anything.
        oracle?.isThawing = true
        let missed = engines[index].missed
        engines[index].missed.removeAll()
        for happening in missed { playOnNode(happening) }
        tellMachine(index, .timePassed)
        oracle?.isThawing = false
        pause(index, false)
    }

    /// The network lets through again what lay in it, in order.
    func linkBack(_ index: Int) {
        guard engines[index].isCut, !hosts[engines[index].host].isCut else { return }
        engines[index].isCut = false
        let held = engines[index].held
        engines[index].held.removeAll()
        for happening in held {
            switch happening {
            case .toDriver(let engine, let frame): arrive(frame, from: engine, happening)
            case .carrierEnded(let engine, let status): carrierEnded(engine, status)
            default: playOnNode(happening)
            }
        }
    }
}
