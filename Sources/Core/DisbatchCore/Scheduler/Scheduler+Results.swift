extension Scheduler {
    /// Acts on the report of one ended process.
    mutating func finished(
        _ id: AssignmentID, on engine: EngineID, cylinder: Int, _ outcome: TaskOutcome, at now: Instant,
        into actions: inout ActionList
    ) {
        guard let index = pool.index(of: engine) else { return }
        guard inFlight.isAssigned(id, to: engine) else {
            return recordGivenUp(id, of: engine, cylinder: cylinder, outcome, into: &actions)
        }
        let entry = remove(id, from: index)
        let record = RecordedTask(
            kind: entry.kind == .task ? .task : .perEngine, spec: entry.task.spec, attempt: entry.task.attempt,
            engine: engine, node: pool[index].node, cylinder: cylinder, outcome: outcome)
        if case .perEngine(let phase) = entry.kind {
            actions.order(.recordPerEngine(record, phase))
            perEngineFinished(phase, on: index, outcome, at: now, into: &actions)
        } else {
            pool[index].finishedTasks += 1
            if outcome.failed { pool[index].failedTasks += 1 }
            pool[index].noteTaskTime(
                seconds: Double(outcome.finish.microseconds - outcome.start.microseconds) / 1e6)
            if entry.isSettled(by: outcome, retries: phase == .running ? configuration.retries : 0) {
                actions.order(.record(record))
                noteFinal(entry.task.spec.id, failed: outcome.failed, at: now, into: &actions)
            } else {
                settleTask(entry, record, at: now, into: &actions)
            }
            noteHealth(of: index, outcome, at: now, into: &actions)
        }
        pool.settle(index)
        if case .task = entry.kind { goIfEmpty(index, at: now, into: &actions) }
    }

    /// Frees the slot of a task that only sends its files any more.
    mutating func filesAwaited(_ id: AssignmentID, on engine: EngineID) {
        guard let index = pool.index(of: engine), let entry = inFlight[id], entry.engine == engine, entry.kind == .task,
            !entry.isStaging
        else { return }
        inFlight.markStaging(id)
        pool[index].staging += 1
        pool.settle(index)
    }

    /// Records the late report of a task that was given up with its engine: a `Z` row, never a second result.
    private mutating func recordGivenUp(
        _ id: AssignmentID, of engine: EngineID, cylinder: Int, _ outcome: TaskOutcome,
        into actions: inout ActionList
    ) {
        guard var record = givenUp[engine]?.removeValue(forKey: id) else { return }
        record.kind = .givenUp
        record.cylinder = cylinder
        record.outcome = outcome
        actions.order(.record(record))
    }

    /// Decides what becomes of a task whose attempt ended without a result.
    private mutating func settleTask(
        _ entry: InFlight, _ record: RecordedTask, at now: Instant, into actions: inout ActionList
    ) {
        if record.outcome.ending == .stopped { return settleStopped(entry, record, at: now, into: &actions) }
        actions.order(.keepAttempt(record))
        totals.retried += 1
        var next = entry.task
        next.failures += 1
        next.isSuspect = false
        next.avoided = record.engine
        queue.retry(next)
    }

    /// Decides on an attempt that was ended: by the run's own stop, or by the end of its engine's lease, which is as
    /// good as a loss.
    private mutating func settleStopped(
        _ entry: InFlight, _ record: RecordedTask, at now: Instant, into actions: inout ActionList
    ) {
        guard phase == .running || phase == .draining else {
            actions.order(.keepAttempt(record))
            return queue.noteDropped()
        }
        var next = entry.task
        // It is about to go, and would lose the task once more.
        next.avoided = record.engine
        let context = pool[record.engine.rawValue].context
        if contexts[context]?.isEnding == true {
            next.cuts += 1
            actions.order(.keepAttempt(record))
            return queue.prepend(next)
        }
        next.losses += 1
        guard next.losses > configuration.maxLost else {
            actions.order(.keepAttempt(record))
            return queue.prepend(next)
        }
        let lost = LostAttempt(
            kind: .task, spec: record.spec, attempt: record.attempt, engine: record.engine, node: record.node,
            assigned: entry.assignedAt, lost: now)
        recordLost(lost, losses: next.losses, into: &actions)
    }

    /// Gives a task up that was lost too often, or that was to end anyway: `losses` is nil then.
    private mutating func recordLost(_ lost: LostAttempt, losses: Int? = nil, into actions: inout ActionList) {
        actions.order(.recordLost(lost))
        if let losses { actions.order(.warn(.taskGivenUp(lost.spec.id, losses: losses))) }
        totals.lost += 1
        noteFinal(lost.spec.id, failed: true, at: lost.lost, into: &actions)
    }

    /// Counts a task that is done with.
    mutating func noteFinal(
        _ task: TaskID, failed: Bool, at now: Instant, into actions: inout ActionList
    ) {
        totals.finished += 1
        queue.taskEnded(failed: failed)
        guard failed else { return }
        totals.failed += 1
        guard configuration.failsFast, phase == .running || phase == .draining else { return }
        actions.order(.warn(.failedFast(task)))
        failFast(at: now, into: &actions)
    }

    /// Settles the assignments of a lost engine: those that had started, or may have, count as attempts; the rest goes
    /// back.
    ///
    /// - Parameter mayReport: whether the engine may still live, so that late reports are to be known as such.
    mutating func lose(
        _ index: Int, mayReport: Bool, at now: Instant, into actions: inout ActionList
    ) {
        let engine = pool[index]
        pool.lastLeftInOrder = engine.endOrder.isCutShort
        // One that never came to be is no loss: who launched it says why.
        guard engine.slots > 0 else { return pool.settle(index) }
        totals.enginesLost += 1
        var back: [WaitingTask] = []
        var startedTasks = 0
        var position = 0
        let isAlone = engine.assigned.count == 1
        for entry in inFlight.assignments(in: engine.assigned) {
            _ = remove(entry.id, from: index)
            // What only sends its files is in no slot.
            defer { position += entry.isStaging ? 0 : 1 }
            let lost = LostAttempt(
                kind: entry.kind, spec: entry.task.spec, attempt: entry.task.attempt, engine: engine.id,
                node: engine.node, assigned: entry.assignedAt, lost: now)
            if mayReport { rememberGivenUp(entry.id, lost) }
            guard entry.kind == .task else {
                if !engine.endOrder.isCutShort { totals.perEngineFailed += 1 }
                actions.order(.recordLost(lost))
                continue
            }
            let hadStarted = entry.hasStarted || position < engine.slots
            if hadStarted { startedTasks += 1 }
            if entry.isKilled {
                recordLost(lost, into: &actions)
                continue
            }
            if let task = settleLost(
                entry.task, lost, hadStarted: hadStarted, isAlone: isAlone, into: &actions)
            {
                back.append(task)
            }
        }
        actions.order(.warn(.engineLost(engine.id, node: engine.node, startedTasks: startedTasks)))
        queue.prepend(back)
        pool.settle(index)
    }

    /// Losses after which a task is run alone.
    private static let suspectAfter = 2

    /// Decides on a task that a lost engine had. Returns the task to run again, if it is.
    private mutating func settleLost(
        _ task: WaitingTask, _ lost: LostAttempt, hadStarted: Bool, isAlone: Bool, into actions: inout ActionList
    ) -> WaitingTask? {
        guard phase == .running || phase == .draining else {
            if hadStarted { actions.order(.keepLostAttempt(lost)) }
            queue.noteDropped()
            return nil
        }
        guard hadStarted else { return task }
        var next = task
        next.losses += 1
        // Lost with others, it may be that one of them took the engine with it: which one shows as each runs alone.
        let mayBeInnocent = !isAlone && configuration.maxLost > 0
        if mayBeInnocent || next.losses <= configuration.maxLost {
            next.isSuspect = task.isSuspect || !isAlone && next.losses >= Self.suspectAfter
            actions.order(.keepLostAttempt(lost))
            return next
        }
        recordLost(lost, losses: next.losses, into: &actions)
        if task.isSuspect { queue.pardonSuspects() }
        return nil
    }

    private mutating func rememberGivenUp(_ id: AssignmentID, _ lost: LostAttempt) {
        let nothing = Timestamp(microseconds: 0)
        givenUp[lost.engine, default: [:]][id] = RecordedTask(
            kind: .givenUp, spec: lost.spec, attempt: lost.attempt, engine: lost.engine, node: lost.node,
            cylinder: -1, outcome: lost.outcome(start: nothing, finish: nothing))
    }
}

extension InFlight {
    /// Whether the end of an attempt is its task's result, where so many failures are followed by another attempt.
    fileprivate func isSettled(by outcome: TaskOutcome, retries: Int) -> Bool {
        isKilled || outcome.ending != .stopped && (!outcome.failed || task.failures >= retries)
    }
}
