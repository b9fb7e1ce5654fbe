extension Scheduler {
    /// What is wrong with the state, or nil: what must hold after each event, checked in full. For tests.
    package func checkInvariants() -> String? {
        var held = 0
        var idle = 0
        var accepting = 0
        var live = 0
        for engine in engines {
            if let wrong = check(engine) { return "engine \(engine.id.rawValue): \(wrong)" }
            held += engine.held.count
            idle += engine.idleSlots
            accepting += engine.accepts ? 1 : 0
            live += engine.isLive ? 1 : 0
        }
        if held != inFlight.count { return "engines hold \(held) assignments, the table \(inFlight.count)" }
        if idle != idleSlots { return "\(idle) slots idle, counted \(idleSlots)" }
        if accepting != acceptingEngines { return "\(accepting) engines accept, counted \(acceptingEngines)" }
        if live != liveEngines { return "\(live) engines live, counted \(liveEngines)" }
        if phase == .running, idleSlots > 0, pendingBarrier == nil, case .task = source.first {
            return "\(idleSlots) slots idle while a task waits"
        }
        if pendingBarrier != nil, phase == .running, case .perEngine = source.first {
            return "a per-engine command behind a barrier"
        }
        return nil
    }

    /// What is wrong with what `event`'s engine looks like now, or nil: constant time, for after every event.
    package func checkEngine(_ engine: EngineID) -> String? {
        index(of: engine).flatMap { check(engines[$0]) }
    }

    private func check(_ engine: EngineState) -> String? {
        if engine.life == .gone, engine.held.count > 0 { return "gone, but holds \(engine.held.count) assignments" }
        if engine.occupying > engine.slots + max(engine.slots, EngineState.mostAhead) {
            return "holds \(engine.occupying) assignments for \(engine.slots) slots"
        }
        if engine.staging < 0 || engine.staging > engine.held.count {
            return "\(engine.staging) tasks' files under way"
        }
        if engine.countedIdle != engine.idleSlots {
            return "\(engine.idleSlots) slots idle, counted \(engine.countedIdle)"
        }
        if engine.idleSlots > 0, !engine.isInIdleRing { return "idle slots, but not in the ring" }
        if engine.hasRecallable, !engine.isInAheadRing { return "holds waiting tasks, but not in the ring" }
        return nil
    }
}
