extension Scheduler {
    /// Sends engines away for which there is nothing left to do while others still work, so that their nodes can be
    /// given back. Tasks of an engine that is lost come back: one stays that can run them, if only the driver's own
    /// node, without which there is no run.
    mutating func retireIdle(at now: Instant, into actions: inout [SchedulerAction]) {
        guard looksForIdle, sourceEnd != nil, source.isEmpty, again.isEmpty, pendingBarrier == nil, tasksInFlight > 0,
            recallsPending == 0, aheadRing.isEmpty
        else { return }
        looksForIdle = false
        let isHomeUsed = engines.contains { $0.accepts && $0.node == contexts[$0.context]?.home }
        for index in engines.indices where isIdle(index) {
            let others = acceptingEngines - 1
            guard others > 1 || others == 1 && isHomeUsed else { return }
            engines[index].isRetired = true
            leave(index, returningWaiting: false, at: now, into: &actions)
        }
    }

    private func isIdle(_ index: Int) -> Bool {
        let engine = engines[index]
        guard engine.accepts, engine.held.count == 0, let context = contexts[engine.context] else { return false }
        return context.retires && engine.node != context.home
    }
}
