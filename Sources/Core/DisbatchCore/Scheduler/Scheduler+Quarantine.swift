extension Scheduler {
    /// Gives an engine no more tasks that fails everything at once while others' tasks succeed (`--quarantine`).
    mutating func noteHealth(
        of index: Int, _ outcome: TaskOutcome, at now: Instant, into actions: inout ActionList
    ) {
        guard let limit = configuration.quarantineAfter, outcome.ending != .stopped, outcome.ending != .killed,
            pool.noteHealth(of: index, outcome, limit: limit)
        else { return }
        let engine = pool[index]
        actions.order(.warn(.quarantined(engine.id, node: engine.node, failures: engine.quickFailures)))
        leave(index, returningWaiting: true, at: now, into: &actions)
    }
}
