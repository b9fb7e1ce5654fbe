extension EnginePool {
    /// The first invariant of the pool that is broken, or nil: all must hold after each event.
    func checkInvariants() -> String? {
        for engine in engines {
            if let wrong = engine.checkInvariants() { return "engine \(engine.id.rawValue): \(wrong)" }
        }
        let idle = engines.reduce(0) { $0 + $1.idleSlots }
        if idle != idleSlots { return "\(idle) slots idle, counted \(idleSlots)" }
        let accepting = engines.count(where: \.accepts)
        if accepting != acceptingCount { return "\(accepting) engines accept, counted \(acceptingCount)" }
        let live = engines.count(where: \.isLive)
        if live != liveCount { return "\(live) engines live, counted \(liveCount)" }
        let recalls = engines.reduce(0) { $0 + $1.recallPending }
        if recalls != recallsPending { return "\(recalls) tasks asked back, counted \(recallsPending)" }
        return checkRings()
    }
}

extension EngineState {
    /// The first invariant of this engine that is broken, or nil. Constant time: it may be asked for after every event.
    func checkInvariants() -> String? {
        if life == .gone, assigned.count > 0 { return "gone, but has \(assigned.count) assignments" }
        if occupying > slots + max(slots, Self.mostAhead) { return "\(occupying) assignments for \(slots) slots" }
        if staging < 0 || staging > assigned.count { return "\(staging) tasks' files under way" }
        if countedIdle != idleSlots { return "\(idleSlots) slots idle, counted \(countedIdle)" }
        if idleSlots > 0, !rings.contains(.idle) { return "idle slots, but not in the ring" }
        if hasRecallable, !rings.contains(.ahead) { return "waiting tasks, but not in the ring" }
        return nil
    }
}
