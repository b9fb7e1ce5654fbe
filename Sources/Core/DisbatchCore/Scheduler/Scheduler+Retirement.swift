extension Scheduler {
    /// Lets a context's engines go before the end, those too that were idle before.
    mutating func allowRetirement(of context: ContextID, keeping home: String?) {
        contexts[context]?.retires = true
        contexts[context]?.home = home
        for index in pool.all() where pool[index].context == context && isIdle(index) { pool.noteAtRest(index) }
    }

    /// Sends engines away for which there is nothing left to do while others still work, so that their nodes can be
    /// given back. Tasks of an engine that is lost come back: one stays that can run them, if only the driver's own
    /// node, without which there is no run.
    mutating func retireIdle(at now: Instant, into actions: inout ActionList) {
        guard pool.mayHaveIdle, inFlight.taskCount > 0, pool.hasNothingToRecall, queue.isExhausted else { return }
        pool.mayHaveIdle = false
        while let index = pool.firstAtRest() {
            guard !isIdle(index) || mayDoWithoutOne() else { return }
            pool.dropFirstAtRest()
            guard isIdle(index) else { continue }
            pool[index].dismissal = .retired
            leave(index, returningWaiting: false, at: now, into: &actions)
        }
    }

    /// Whether enough engines take tasks for one of them to go.
    private mutating func mayDoWithoutOne() -> Bool {
        if pool.acceptingCount != 2 { return pool.acceptingCount > 2 }
        return pool.all().contains { pool[$0].accepts && pool[$0].node == contexts[pool[$0].context]?.home }
    }

    private func isIdle(_ index: Int) -> Bool {
        let engine = pool[index]
        guard engine.accepts, engine.assigned.count == 0, let context = contexts[engine.context] else { return false }
        return context.retires && engine.node != context.home
    }
}
