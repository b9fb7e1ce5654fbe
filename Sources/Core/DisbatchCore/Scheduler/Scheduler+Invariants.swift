extension Scheduler {
    /// The first invariant that is broken, or nil: all must hold after each event. For tests.
    package func checkInvariants() -> String? {
        if let wrong = pool.checkInvariants() ?? queue.checkInvariants(isRunning: phase == .running) { return wrong }
        let assigned = pool.engines.reduce(0) { $0 + $1.assigned.count }
        if assigned != inFlight.count { return "engines have \(assigned) assignments, the table \(inFlight.count)" }
        if phase == .running, !isHeld, pool.idleSlots > 0, queue.hasNewTask {
            return "\(pool.idleSlots) slots idle while a task waits"
        }
        if queue.pendingBarrier?.awaitsRows == true, inFlight.taskCount > 0 {
            return "\(inFlight.taskCount) tasks are assigned before a barrier that was met"
        }
        return nil
    }

    /// The first invariant of this engine that is broken, or nil. Constant time: for after every event about it.
    package func checkEngine(_ engine: EngineID) -> String? {
        pool.index(of: engine).flatMap { pool[$0].checkInvariants() }
    }
}
