extension EnginePool {
    /// Notes how a task fared on an engine. Returns whether the engine is to be given no more: one that fails
    /// everything at once would eat the queue faster than all others do real work.
    ///
    /// - Parameter limit: how many tasks in a row must have failed within a second each, while others' succeeded.
    mutating func noteHealth(of index: Int, _ outcome: TaskOutcome, limit: Int) -> Bool {
        guard outcome.failed, outcome.finish.microseconds - outcome.start.microseconds < 1_000_000 else {
            if !outcome.failed { successes += 1 }
            self[index].quickFailures = 0
            return false
        }
        if self[index].quickFailures == 0 { self[index].successesBefore = successes }
        self[index].quickFailures += 1
        // Since its first failure in a row the engine had no success: all these are others'.
        return self[index].quickFailures >= limit && successes > self[index].successesBefore
            && self[index].life == .active && acceptingCount > 1
    }
}
