extension Scheduler {
    /// Hands out what waits: idle slots first, each engine in turn, then ahead of need.
    mutating func assignWaiting(at now: Instant, into actions: inout [SchedulerAction]) {
        assignToIdle(at: now, into: &actions)
        if idleSlots == 0 { assignToHungry(at: now, into: &actions) }
    }

    /// Hands one task after the other to the engines that have idle slots. One that has none any more drops out of the
    /// ring; one for which nothing is eligible (a retry stays away from it) is passed over.
    private mutating func assignToIdle(at now: Instant, into actions: inout [SchedulerAction]) {
        var passedOver = 0
        while passedOver < idleRing.count, hasEligibleTask, let index = idleRing.popFirst() {
            looks += 1
            guard engines[index].idleSlots > 0 else {
                engines[index].isInIdleRing = false
                settle(index)
                continue
            }
            passedOver = handNext(to: index, at: now, into: &actions) ? 0 : passedOver + 1
            idleRing.append(index)
        }
    }

    /// The same ahead of need. (Two loops, not one over key paths: those cost more than all the rest.)
    private mutating func assignToHungry(at now: Instant, into actions: inout [SchedulerAction]) {
        var passedOver = 0
        while passedOver < hungryRing.count, hasEligibleTask, let index = hungryRing.popFirst() {
            looks += 1
            guard engines[index].wantsMore else {
                engines[index].isInHungryRing = false
                continue
            }
            passedOver = handNext(to: index, at: now, into: &actions) ? 0 : passedOver + 1
            hungryRing.append(index)
        }
    }

    /// Hands the next task that may go to this engine. False where there is none.
    private mutating func handNext(to index: Int, at now: Instant, into actions: inout [SchedulerAction]) -> Bool {
        guard let task = takeTask(for: engines[index].id) else { return false }
        hand(task, to: index, at: now, into: &actions)
        return true
    }

    private var hasEligibleTask: Bool {
        if !again.isEmpty { return true }
        guard pendingBarrier == nil, case .task = source.first else { return false }
        return true
    }

    /// The next task that may go to this engine: those that come back first, then the source's.
    private mutating func takeTask(for engine: EngineID) -> WaitingTask? {
        if let task = again.take(for: acceptingEngines < 2 ? nil : engine) { return task }
        guard pendingBarrier == nil, case .task(let spec) = source.first else { return nil }
        _ = source.popFirst()
        return WaitingTask(spec: spec)
    }

    private mutating func hand(
        _ task: WaitingTask, to index: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        assign(.task, task, to: index, timeLimit: nil, at: now, into: &actions)
        tasksInFlight += 1
        spendContextLimit(of: index, at: now, into: &actions)
        settle(index)
    }

    /// Makes an assignment of any kind.
    mutating func assign(
        _ kind: AssignmentKind, _ task: WaitingTask, to index: Int, timeLimit: Duration?, at now: Instant,
        into actions: inout [SchedulerAction]
    ) {
        let engine = engines[index].id
        let id = inFlight.insert(task, kind: kind, engine: engine, at: now, list: &engines[index].held)
        actions.append(
            .assign(
                engine,
                Assignment(id: id, kind: kind, spec: task.spec, attempt: task.attempt, timeLimit: timeLimit)))
    }

    /// Takes an assignment out of what an engine holds.
    mutating func remove(_ id: AssignmentID, from index: Int) -> InFlight? {
        guard let entry = inFlight.remove(id, list: &engines[index].held) else { return nil }
        if entry.isStaging { engines[index].staging -= 1 }
        return entry
    }

    /// Counts an assignment against `-C`; at the limit the context's engines take no more, but do what they hold.
    private mutating func spendContextLimit(
        of index: Int, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        let context = engines[index].context
        guard let left = contexts[context]?.assignmentsLeft else { return }
        contexts[context]?.assignmentsLeft = left - 1
        guard left <= 1 else { return }
        for other in allEngines() where engines[other].context == context {
            leave(other, returningWaiting: false, at: now, into: &actions)
        }
    }

    /// Takes an assignment that came to nothing off what counts against `-C`.
    mutating func regainContextLimit(of index: Int) {
        let context = engines[index].context
        if let left = contexts[context]?.assignmentsLeft { contexts[context]?.assignmentsLeft = left + 1 }
    }

    /// Brings an engine's idle slots into the sum, and the engine into the rings it belongs to.
    mutating func settle(_ index: Int) {
        let engine = engines[index]
        idleSlots += engine.idleSlots - engine.countedIdle
        engines[index].countedIdle = engine.idleSlots
        if engine.idleSlots > 0 {
            if engine.held.count == 0 { rest(index) }
            if !engine.isInIdleRing {
                engines[index].isInIdleRing = true
                idleRing.append(index)
            }
        } else if engine.wantsMore, !engine.isInHungryRing {
            engines[index].isInHungryRing = true
            hungryRing.append(index)
        }
        if engine.hasRecallable, !engine.isInAheadRing {
            engines[index].isInAheadRing = true
            aheadRing.append(index)
        }
    }

    /// Asks tasks back that wait on one engine while another has an idle slot. The queue then has nothing for that one:
    /// all that it may take was handed out before. An engine that was asked comes back to the ring with its answer.
    mutating func recallForIdle(into actions: inout [SchedulerAction]) {
        while idleSlots > recallsPending, let index = aheadRing.popFirst() {
            looks += 1
            engines[index].isInAheadRing = false
            guard engines[index].hasRecallable else { continue }
            recall(min(engines[index].waitingCount, idleSlots - recallsPending), from: index, into: &actions)
        }
    }

    /// Asks tasks back. Where some are being asked back already, more are: the first answer stands for both in the sum.
    mutating func recall(_ count: Int, from index: Int, into actions: inout [SchedulerAction]) {
        guard count > 0, !engines[index].isSilent else { return }
        recallsPending += count - engines[index].recallPending
        engines[index].recallPending = count
        actions.append(.recall(engines[index].id, count: count))
    }

    mutating func returned(
        _ assignments: [AssignmentID], from engine: EngineID, at now: Instant,
        into actions: inout [SchedulerAction]
    ) {
        guard let index = index(of: engine), engines[index].isLive else { return }
        recallsPending -= engines[index].recallPending
        engines[index].recallPending = 0
        var back: [WaitingTask] = []
        for id in assignments where inFlight[id]?.engine == engine && inFlight[id]?.kind == .task {
            guard inFlight[id]?.isStaging == false, let entry = remove(id, from: index) else { continue }
            tasksInFlight -= 1
            regainContextLimit(of: index)
            if entry.isKilled {
                endUnstarted(entry, on: index, at: now, into: &actions)
            } else {
                back.append(entry.task)
            }
        }
        putBack(back)
        settle(index)
        goIfEmpty(index, at: now, into: &actions)
    }

    /// Puts tasks at the front of the queue, in this order.
    mutating func putBack(_ tasks: [WaitingTask]) {
        for task in tasks.reversed() { again.prepend(task) }
    }
}
