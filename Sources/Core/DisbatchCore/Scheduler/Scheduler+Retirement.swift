extension Scheduler {
    /// Lets a context's engines go before the end, those too that were idle before.
    mutating func allowRetirement(of context: ContextID, keeping home: String?) {
        contexts[context]?.retires = true
        contexts[context]?.home = home
        for index in allEngines() where engines[index].context == context && isIdle(index) { rest(index) }
    }

    /// Notes that an engine holds nothing.
    mutating func rest(_ index: Int) {
        looksForIdle = true
        guard !engines[index].isInRestRing else { return }
        engines[index].isInRestRing = true
        restRing.append(index)
    }

    /// Sends engines away for which there is nothing left to do while others still work, so that their nodes can be
    /// given back. Tasks of an engine that is lost come back: one stays that can run them, if only the driver's own
    /// node, without which there is no run.
    mutating func retireIdle(at now: Instant, into actions: inout [SchedulerAction]) {
        guard looksForIdle, sourceEnd != nil, source.isEmpty, again.isEmpty, pendingBarrier == nil, tasksInFlight > 0,
            recallsPending == 0, aheadRing.isEmpty
        else { return }
        looksForIdle = false
        while let index = restRing.first {
            looks += 1
            guard !isIdle(index) || mayDoWithoutOne() else { return }
            _ = restRing.popFirst()
            engines[index].isInRestRing = false
            guard isIdle(index) else { continue }
            engines[index].isRetired = true
            leave(index, returningWaiting: false, at: now, into: &actions)
        }
    }

    /// Whether enough engines take tasks for one of them to go.
    private mutating func mayDoWithoutOne() -> Bool {
        if acceptingEngines != 2 { return acceptingEngines > 2 }
        return allEngines().contains { engines[$0].accepts && engines[$0].node == contexts[engines[$0].context]?.home }
    }

    private func isIdle(_ index: Int) -> Bool {
        let engine = engines[index]
        guard engine.accepts, engine.held.count == 0, let context = contexts[engine.context] else { return false }
        return context.retires && engine.node != context.home
    }
}
