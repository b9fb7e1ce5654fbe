import DisbatchCore

extension Simulation {
    /// Adds an engine that the driver has decided to have.
    func add(_ id: EngineID, in context: ContextID) {
        let planIndex = machine.engines[id.rawValue].planIndex
        let delay = parameters.delay * 1e9 * random.between(0.5, 2)
        engines.append(
            FakeEngine(
                id: id, context: context, host: planIndex * contextCount + context.rawValue,
                slots: random.whole(max(1, parameters.slots / 2)...parameters.slots),
                clockOffset: Int64(random.between(-1e12, 1e12)), delay: delay,
                slowness: random.chance(parameters.slowRate) ? 10 : 1))
    }

    /// Starts what leads to an engine, and decides what will become of it.
    func launch(_ index: Int) {
        guard ending == nil else { return }
        let length = parameters.likelySeconds
        let isRefused = random.chance(parameters.refusalRate)
        let host = hosts[engines[index].host]
        if isRefused || host.isCut || host.isGone {
            // A host that can't be reached, or a login that fails.
            engines[index].isOver = true
            let time = isRefused ? random.between(0, length) : random.between(3, 30)
            return queue.add(.carrierEnded(index, status: 255), at: now + time.nanoseconds)
        }
        engines[index].isMute = random.chance(parameters.muteRate)
        var connection = Int64(2 * engines[index].delay)
        if random.chance(parameters.lateRate) { connection += random.between(0, length).nanoseconds }
        queue.add(.engineConnects(index), at: now + connection)
        queue.add(.speechDue(index), at: now + connection + 60_000_000_000)
        planFaults(index, from: now + connection, length: length)
    }

    /// Plays an event on an engine's node, or keeps it for later while the engine stands still.
    func playOnNode(_ happening: SimulatedEvent) {
        guard let index = happening.node else { return }
        if engines[index].isFrozen { return engines[index].missed.append(happening) }
        if case .engineConnects = happening { return connect(index) }
        guard engines[index].isUp else { return }
        switch happening {
        case .toEngine(_, let frame): take(frame, on: index, happening)
        case .spawned(_, let cylinder, let number): spawned(index, cylinder, number)
        case .processEnds(_, let cylinder, let number, let result): processEnds(index, cylinder, number, result)
        case .outputEnds(_, let cylinder, let number): outputEnds(index, cylinder, number)
        case .filesSent(_, let frame): filesSent(index, frame)
        case .engineTimer:
            guard now >= engines[index].timer else { return }
            engines[index].timer = .max
            tellMachine(index, .timePassed)
        case .engineOrphaned:
            if engines[index].isCut, !engines[index].isCutOneWay { return engines[index].held.append(happening) }
            engines[index].isChannelOpen = false
            engines[index].leavesWhenSent ? exit(index, 1) : tellMachine(index, .orphaned)
        default: break
        }
    }

    private func connect(_ index: Int) {
        guard !engines[index].isOver else { return }
        engines[index].isUp = true
        engines[index].isCut = engines[index].isCut || hosts[engines[index].host].isCut
        engines[index].machine = EngineMachine(
            slots: engines[index].slots, settings: TaskSettings(),
            greeted: Instant(nanoseconds: now + engines[index].clockOffset))
        send(
            .hello(
                EngineHello(
                    version: machine.policy.version, protocolVersion: EngineProtocol.version, pid: 1, host: "h",
                    cores: 1, guardName: "\(index).1")), from: index)
    }

    private func take(_ frame: DriverFrame, on index: Int, _ happening: SimulatedEvent) {
        guard engines[index].isChannelOpen else { return }
        if engines[index].isCut, !engines[index].isCutOneWay { return engines[index].held.append(happening) }
        switch frame {
        case .configure: send(.ready(slots: engines[index].slots), from: index)
        case .run(let assignment): tellMachine(index, .assigned(assignment))
        case .recall(let count): tellMachine(index, .recalled(count: count))
        case .lease(let sentAt, let lease): tellMachine(index, .leaseRenewed(sentAt: sentAt, lease: lease))
        case .endTasks(let atOnce): tellMachine(index, .endTasksRequested(atOnce: atOnce))
        case .shutDown: tellMachine(index, .shutDownRequested)
        case .endTask(let id, let atOnce): tellMachine(index, .killRequested(id, atOnce: atOnce))
        case .stagedEntries, .stagedData, .stagingFailed, .stageOutCredit, .filesKept, .placesGiven: break
        case .follow, .outputTaken: break
        }
    }

    func tellMachine(_ index: Int, _ event: EngineEvent) {
        let offset = engines[index].clockOffset
        engines[index].machine.handle(event, at: Instant(nanoseconds: now + offset), into: &engineActions)
        let todo = engineActions
        engineActions.removeAll(keepingCapacity: true)
        for action in todo { perform(action, on: index) }
        let deadline = engines[index].machine.nextDeadline
        guard engines[index].isUp, deadline != .distantFuture else { return }
        let timer = max(now, deadline.nanoseconds - offset)
        guard timer < engines[index].timer else { return }
        engines[index].timer = timer
        queue.add(.engineTimer(index), at: timer)
    }

    private func perform(_ action: EngineAction, on index: Int) {
        switch action {
        case .start(let cylinder, let assignment):
            engines[index].processes[cylinder].number += 1
            engines[index].processes[cylinder].assignment = assignment
            let number = engines[index].processes[cylinder].number
            queue.add(.spawned(index, cylinder: cylinder, number: number), at: now + Int64(random.between(1e4, 1e6)))
        case .terminate(let cylinder):
            guard !random.chance(parameters.stubbornRate) else { return }
            end(index, cylinder, .signalled(15), after: Int64(random.between(1e5, 5e9)))
        case .kill(let cylinder):
            killProcess(index, cylinder)
            end(index, cylinder, .signalled(9), after: 100_000)
        case .stopReading(let cylinder): engines[index].processes[cylinder].isOutputOpen = false
        case .finish(let cylinder, let assignment, let code, let ending):
            finish(index, cylinder, assignment, code, ending)
        case .giveBack(let assignments): send(.returned(assignments), from: index)
        case .withdraw(let id): send(.withdrawn(id), from: index)
        case .acknowledgeLease(let sentAt): send(.leaseAcknowledged(sentAt: sentAt), from: index)
        case .exit(let status): exit(index, status)
        }
    }

    // MARK: Processes

    private func spawned(_ index: Int, _ cylinder: Int, _ number: Int) {
        guard engines[index].processes[cylinder].number == number,
            let assignment = engines[index].processes[cylinder].assignment
        else { return }
        if random.chance(0.002) { return tellMachine(index, .spawnFailed(cylinder: cylinder)) }
        let start = Timestamp(microseconds: now / 1000)
        engines[index].processes[cylinder].start = start
        engines[index].processes[cylinder].finish = start
        engines[index].processes[cylinder].isAlive = true
        engines[index].processes[cylinder].isOutputOpen = true
        if let found = oracle?.processBegan(assignment, on: engines[index].id) { violation = violation ?? found }
        if assignment.kind == .task, endedWell.contains(assignment.spec.id) { report.repeats += 1 }
        send(.started(assignment.id, cylinder: cylinder, pid: Int32(1000 + number), start: start), from: index)
        let rate = assignment.kind == .task ? parameters.failRate : parameters.perEngineFailRate
        let fails = random.chance(rate)
        // Some START commands that go wrong hang, on a dead mount.
        if !fails || assignment.kind != .perEngine(.start) || assignment.id.rawValue % 2 == 0 {
            end(index, cylinder, .exited(status: fails ? 1 : 0), after: duration(on: index))
        }
        tellMachine(index, .spawned(cylinder: cylinder, pid: Int32(1000 + number)))
    }

    /// Mostly about the average; some are over at once, a few take long.
    private func duration(on index: Int) -> Int64 {
        let mean = parameters.taskSeconds * engines[index].slowness
        if random.chance(0.05) { return (mean * random.between(2, 8)).nanoseconds }
        return random.chance(0.1) ? 1000 : (mean * random.between(0.2, 1.4)).nanoseconds
    }

    private func end(_ index: Int, _ cylinder: Int, _ result: ProcessResult, after time: Int64) {
        let number = engines[index].processes[cylinder].number
        queue.add(.processEnds(index, cylinder: cylinder, number: number, result), at: now + time)
        // A daemon holds the output open for long; else it ends with the process, a little before or after.
        if random.chance(0.01) { return }
        let shift = Int64(random.between(-1000, 1000))
        queue.add(.outputEnds(index, cylinder: cylinder, number: number), at: max(now, now + time + shift))
    }

    /// A process is no more: killed just now, or ended a moment ago.
    func killProcess(_ index: Int, _ cylinder: Int) {
        let process = engines[index].processes[cylinder]
        guard process.isAlive, let assignment = process.assignment else { return }
        oracle?.processEnded(assignment, on: engines[index].id)
        engines[index].processes[cylinder].isAlive = false
    }

    private func processEnds(_ index: Int, _ cylinder: Int, _ number: Int, _ result: ProcessResult) {
        guard engines[index].processes[cylinder].number == number,
            engines[index].processes[cylinder].assignment != nil
        else { return }
        killProcess(index, cylinder)
        engines[index].processes[cylinder].finish = Timestamp(microseconds: now / 1000)
        tellMachine(index, .exited(cylinder: cylinder, result))
    }

    private func outputEnds(_ index: Int, _ cylinder: Int, _ number: Int) {
        guard engines[index].processes[cylinder].number == number,
            engines[index].processes[cylinder].isOutputOpen
        else { return }
        engines[index].processes[cylinder].isOutputOpen = false
        tellMachine(index, .outputEnded(cylinder: cylinder))
    }

    private func finish(_ index: Int, _ cylinder: Int, _ assignment: Assignment, _ code: Int32, _ ending: Ending) {
        let process = engines[index].processes[cylinder]
        engines[index].processes[cylinder].assignment = nil
        if assignment.kind == .task, code == 0, oracle != nil { endedWell.insert(assignment.spec.id) }
        let outcome = TaskOutcome(
            pid: Int32(1000 + process.number), returnCode: code, ending: ending, start: process.start,
            finish: process.finish)
        let rank = cylinder < engines[index].slots ? cylinder : -1
        let frame = EngineFrame.finished(assignment.id, cylinder: rank, outcome)
        guard code == 0, assignment.kind == .task, random.chance(parameters.stageOutRate) else {
            return send(frame, from: index)
        }
        engines[index].sending += 1
        send(.filesFollow(assignment.id), from: index)
        let time = (parameters.stageOutSeconds * random.between(0, 2)).nanoseconds
        queue.add(.filesSent(index, frame), at: now + time)
    }

    private func filesSent(_ index: Int, _ frame: EngineFrame) {
        engines[index].sending -= 1
        send(frame, from: index)
        if engines[index].leavesWhenSent, engines[index].sending == 0 { exit(index, 0) }
    }

    /// The engine's process is over: its carrier ends with a status that tells so, if the channel is there to carry it.
    private func exit(_ index: Int, _ status: Int32) {
        // With files on their way home it leaves only when they are sent.
        guard status != 0 || engines[index].sending == 0 else {
            engines[index].leavesWhenSent = true
            return
        }
        engines[index].leftInOrder = status == 0
        engines[index].isUp = false
        engines[index].isOver = true
        let isLeased = machine.contexts[engines[index].context.rawValue].isLeased(machine.engines[index].plan)
        guard engines[index].isChannelOpen || !isLeased else {
            // Whatever could have told is gone, or not.
            if random.chance(0.5) { learnEnd(of: index) }
            return
        }
        let end = max(engines[index].lastUp, now) + Int64(engines[index].delay)
        queue.add(
            .carrierEnded(index, status: status == 0 ? 0 : EngineProtocol.clearedStatus),
            at: end + 1 + Int64(random.chance(0.5) ? 0 : engines[index].delay * 3))
    }

    /// The manager ends tasks' processes by SIGTERM, as it ends a job.
    func signalTasks(_ index: Int) {
        for cylinder in engines[index].processes.indices where engines[index].processes[cylinder].isAlive {
            end(index, cylinder, .signalled(SignalNumber.terminate), after: 1000)
        }
    }
}

extension SimulatedEvent {
    /// The engine on whose node it happens; nil for what happens at the driver or in the network.
    fileprivate var node: Int? {
        switch self {
        case .engineConnects(let index), .toEngine(let index, _), .spawned(let index, _, _),
            .processEnds(let index, _, _, _), .outputEnds(let index, _, _), .filesSent(let index, _),
            .engineTimer(let index), .engineOrphaned(let index):
            index
        default: nil
        }
    }
}
