extension Scheduler {
    /// Takes in how a task fared on an engine. One that fails everything at once would eat the queue faster than all
    /// others do real work: after so many such tasks in a row, while others succeed elsewhere, it is given no more.
    mutating func noteHealth(
        of index: Int, _ outcome: TaskOutcome, at now: Instant, into actions: inout [SchedulerAction]
    ) {
        guard let limit = configuration.quarantineAfter, outcome.ending != .stopped, outcome.ending != .killed else {
            return
        }
        guard outcome.failed, outcome.finish.microseconds - outcome.start.microseconds < 1_000_000 else {
            if !outcome.failed { successes += 1 }
            engines[index].quickFailures = 0
            return
        }
        if engines[index].quickFailures == 0 { engines[index].successesBefore = successes }
        engines[index].quickFailures += 1
        let engine = engines[index]
        // Since its first failure in a row it had no success: all these are others'.
        guard engine.quickFailures >= limit, successes > engine.successesBefore, engine.life == .active,
            acceptingEngines > 1
        else { return }
        actions.append(.warn(.quarantined(engine.id, node: engine.node, failures: engine.quickFailures)))
        leave(index, returningWaiting: true, at: now, into: &actions)
    }
}
