import DisbatchCore

extension Oracle {
    // MARK: Processes

    /// A process of an assignment runs from now on. Returns what is wrong with that.
    mutating func processBegan(_ assignment: Assignment, on engine: EngineID) -> String? {
        guard assignment.kind == .task, !isThawing, alive.insert(assignment.id.rawValue).inserted else { return nil }
        let place = assignment.spec.id.rawValue
        tasks[place].running += 1
        let what = "task \(place) starts on engine \(engine.rawValue)"
        if tasks[place].running > 1 { return "\(what) while it runs elsewhere" }
        if tasks[place].rows > 0 { return "\(what) after its row" }
        if Int(tasks[place].segment) != openSegment { return "\(what) at the wrong side of a barrier" }
        return nil
    }

    mutating func processEnded(_ assignment: Assignment, on engine: EngineID) {
        guard alive.remove(assignment.id.rawValue) != nil else { return }
        tasks[assignment.spec.id.rawValue].running -= 1
    }

    // MARK: Idle slots

    /// How often engines are asked whether they are there, in nanoseconds.
    var heartbeat: Int64 {
        (configuration.lease.map { min(configuration.heartbeat, $0 / 5) } ?? configuration.heartbeat).wholeNanoseconds
    }

    /// Idle slots of engines that may not answer: they are none.
    func overdueSlots(at now: Int64) -> Int {
        engines.reduce(0) { $0 + ($1.idle > 0 && $1.mayBeOverdue(at: now, heartbeat: heartbeat) ? $1.idle : 0) }
    }

    /// No slot is idle while a task could run in it, or is being asked back for it.
    mutating func checkIdleSlots(at now: Int64) {
        guard idleSlots > 0, isOpen, !mayFailFast else { return }
        let fresh = segments[openSegment].read - segments[openSegment].assigned
        guard fresh > 0 || engines.count < 20 else { return }
        let idleSlots = idleSlots - overdueSlots(at: now)
        guard idleSlots > 0 else { return }
        if fresh > 0 { fail("\(idleSlots) slots are idle while \(fresh) tasks wait") }
        guard engines.count < 20 else { return }
        var waiting = 0
        for engine in engines where !engine.isLost && !engine.silent {
            let isAsked = engine.recallsAsked > engine.recallsAnswered
            if isAsked, !engine.isOverdue(at: now, heartbeat: heartbeat) { return }
            if engine.mayBeOverdue(at: now, heartbeat: heartbeat) { continue }
            waiting += max(0, engine.occupying - engine.slots)
        }
        if waiting > 0 { fail("\(idleSlots) slots are idle while \(waiting) tasks wait on other engines") }
    }

    // MARK: The end

    /// Returns what is wrong with how the run ended, or nil.
    func checkEnd(_ ending: RunEnding, scheduler: borrowing Scheduler) -> String? {
        if let wrong = scheduler.checkInvariants() { return "scheduler at the end: \(wrong)" }
        if lastRow > rowsSynced { return "the run ended before its rows were written" }
        if !assignments.isEmpty { return "the run ended while engines held \(assignments.count) tasks" }
        for (index, engine) in engines.enumerated()
        where isFaultless && engine.gone && engine.shutDown && engine.recallsAsked > engine.recallsAnswered {
            return "engine \(index) left \(engine.recallsAsked - engine.recallsAnswered) recalls unanswered"
        }
        return checkReason(ending) ?? checkLeft(ending, scheduler) ?? checkTotals(scheduler.totals)
    }

    private func checkReason(_ ending: RunEnding) -> String? {
        let isRight =
            switch ending {
            case .completed: sourceEnd != nil
            case .checkFailed: gate.hasFailedCheck
            case .failedFast: gate.hasFailedFast || mayFailFast
            case .interrupted, .recordBroken: gate.isStopped
            case .drained: gate.isDrained || !drainedContexts.isEmpty || engines.contains { $0.leaving }
            case .noEngine: engines.allSatisfy { $0.isLost }
            }
        return isRight ? nil : "the run ended as \(ending), for no reason"
    }

    private func checkLeft(_ ending: RunEnding, _ scheduler: borrowing Scheduler) -> String? {
        let left = tasks.indices.first { tasks[$0].rows == 0 && tasks[$0].kind != .skipped }
        if let left {
            if ending == .completed { return "the run completed, but \(tasks[left].kind) \(left) has no row" }
            if !scheduler.hasTasksLeft { return "no tasks are left, but \(tasks[left].kind) \(left) has no row" }
        }
        if ending == .completed, scheduler.hasTasksLeft != (sourceEnd == .limited) {
            return "the run completed, with tasks left"
        }
        return nil
    }

    private func checkTotals(_ totals: RunTotals) -> String? {
        if totals.finished != finished { return "\(finished) tasks have rows, counted \(totals.finished)" }
        if totals.failed != failed { return "\(failed) tasks failed, counted \(totals.failed)" }
        return nil
    }
}
