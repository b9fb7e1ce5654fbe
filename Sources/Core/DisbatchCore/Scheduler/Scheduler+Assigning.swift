extension Scheduler {
    /// Hands out waiting tasks: idle slots first, each engine in turn, then ahead of need.
    mutating func assignWaiting(at now: Instant, into actions: inout ActionList) {
        assignToIdle(at: now, into: &actions)
        if pool.idleSlots == 0 { assignToHungry(at: now, into: &actions) }
        // A suspect goes to an engine that has nothing else, and gets nothing else meanwhile: one that takes its engine
        // with it takes no other task, and so is known.
        guard queue.hasSuspectOnly, pool.idleSlots > 0 else { return }
        for index in pool.live() where pool[index].idleSlots > 0 && pool[index].assigned.count == 0 {
            guard queue.hasSuspectOnly else { return }
            let engine = pool.acceptingCount < 2 ? nil : pool[index].id
            guard let task = queue.takeSuspect(for: engine) else { continue }
            actions.order(.warn(.runsAlone(task.spec.id, pool[index].id, losses: task.losses)))
            hand(task, to: index, at: now, into: &actions)
            pool[index].suspect = inFlight.assignments(in: pool[index].assigned).last?.id
            pool.settle(index)
        }
    }

    /// Hands one task after the other to the engines that have idle slots. One for which nothing is eligible (a retry
    /// stays away from it) is passed over.
    private mutating func assignToIdle(at now: Instant, into actions: inout ActionList) {
        var passedOver = 0
        while queue.hasTask, let index = pool.takeIdle(passedOver: passedOver) {
            passedOver = handNext(to: index, at: now, into: &actions) ? 0 : passedOver + 1
            pool.putBackIdle(index)
        }
    }

    private mutating func assignToHungry(at now: Instant, into actions: inout ActionList) {
        var passedOver = 0
        while queue.hasTask, let index = pool.takeHungry(passedOver: passedOver) {
            passedOver = handNext(to: index, at: now, into: &actions) ? 0 : passedOver + 1
            pool.putBackHungry(index)
        }
    }

    /// Hands the next task that may go to this engine. False where there is none.
    private mutating func handNext(to index: Int, at now: Instant, into actions: inout ActionList) -> Bool {
        // A task can't be kept away from the only engine there is.
        guard let task = queue.take(for: pool.acceptingCount < 2 ? nil : pool[index].id) else { return false }
        hand(task, to: index, at: now, into: &actions)
        return true
    }

    private mutating func hand(
        _ task: WaitingTask, to index: Int, at now: Instant, into actions: inout ActionList
    ) {
        assign(.task, task, to: index, timeLimit: nil, at: now, into: &actions)
        spendContextLimit(of: index, at: now, into: &actions)
        pool.settle(index)
    }

    /// Makes an assignment of any kind.
    mutating func assign(
        _ kind: AssignmentKind, _ task: WaitingTask, to index: Int, timeLimit: Duration?, at now: Instant,
        into actions: inout ActionList
    ) {
        let engine = pool[index].id
        let id = inFlight.insert(task, kind: kind, engine: engine, at: now, list: &pool[index].assigned)
        if kind != .task { commandWatch.add(id, on: engine, at: now) }
        actions.order(
            .assign(
                engine,
                Assignment(id: id, kind: kind, spec: task.spec, attempt: task.attempt, timeLimit: timeLimit)))
    }

    /// Takes an assignment off the engine that has it.
    mutating func remove(_ id: AssignmentID, from index: Int) -> InFlight {
        guard let entry = inFlight.remove(id, list: &pool[index].assigned) else {
            preconditionFailure("an assignment is taken off that the engine does not have")
        }
        if entry.isStaging { pool[index].staging -= 1 }
        if pool[index].suspect == id { pool[index].suspect = nil }
        return entry
    }

    /// Counts an assignment against `-C`; at the limit the context's engines take no more, but do what they have.
    private mutating func spendContextLimit(
        of index: Int, at now: Instant, into actions: inout ActionList
    ) {
        guard hasLimits else { return }
        let context = pool[index].context
        guard let left = contexts[context]?.assignmentsLeft else { return }
        contexts[context]?.assignmentsLeft = left - 1
        guard left <= 1 else { return }
        for other in pool.all() where pool[other].context == context {
            leave(other, returningWaiting: false, at: now, into: &actions)
        }
    }

    /// Asks an engine for waiting tasks, if it can be told.
    mutating func recall(_ count: Int, from index: Int, into actions: inout ActionList) {
        guard count > 0, !pool[index].isSilent else { return }
        // Of one that does not answer, nothing is waited for.
        if pool[index].hearing == .answering { pool.recalled(count, from: index) }
        actions.order(.recall(pool[index].id, count: count))
    }

    /// Puts tasks back into the queue that an engine gave back.
    mutating func returned(
        _ assignments: [AssignmentID], from engine: EngineID, at now: Instant,
        into actions: inout ActionList
    ) {
        guard let index = pool.index(of: engine), pool[index].isLive else { return }
        pool.recallAnswered(by: index)
        var back: [WaitingTask] = []
        for id in assignments where inFlight[id]?.engine == engine && inFlight[id]?.kind == .task {
            guard inFlight[id]?.isStaging == false else { continue }
            let entry = remove(id, from: index)
            contexts[pool[index].context]?.regainAssignment()
            if entry.isKilled {
                endUnstarted(entry, on: index, at: now, into: &actions)
            } else {
                back.append(entry.task)
            }
        }
        queue.prepend(back)
        pool.settle(index)
        goIfEmpty(index, at: now, into: &actions)
    }
}
