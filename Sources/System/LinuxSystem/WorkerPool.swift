/// Threads that do what may block, away from a loop: as many as there is work for, up to a limit. Each ends when it
/// finds no more to do. The loop hears of what came of it by ``wakeup``, and takes it.
package final class WorkerPool<Outcome: Sendable>: Sendable {
    private struct Job {
        let isLong: Bool
        let work: @Sendable () -> Void
        let refused: (@Sendable (WorkerThread.StartError) -> Void)?
    }

    private struct State {
        var waiting: [Job] = []
        var outcomes: [Outcome] = []
        var threads = 0
        /// How many of them do long work.
        var occupied = 0
        var isClosed = false
    }

    /// Signalled when there is something to take.
    package let wakeup: EventFlag
    private let name: String
    private let limit: Int
    private let longLimit: Int
    private let state = Guarded(State())

    /// - Parameters:
    ///   - name: what the threads are called.
    ///   - limit: how many threads there are at most.
    ///   - longLimit: how many of them do long work at most, so that the others are free for short work.
    package init(name: String, limit: Int, longLimit: Int = .max) throws(SystemError) {
        wakeup = try EventFlag()
        self.name = name
        self.limit = limit
        self.longLimit = longLimit
    }

    /// Has something done, the first before the second where that can be. Does nothing once the pool is closed.
    ///
    /// - Parameters:
    ///   - isLong: whether it is long work.
    ///   - refused: called instead where there is no thread and none can be started; without it, the work waits for
    ///     the next to be submitted.
    package func submit(
        isLong: Bool = false, refused: (@Sendable (WorkerThread.StartError) -> Void)? = nil,
        _ work: @escaping @Sendable () -> Void
    ) {
        let needsThread = state.withLock { state in
            guard !state.isClosed else { return false }
            state.waiting.append(Job(isLong: isLong, work: work, refused: refused))
            guard state.threads < limit else { return false }
            state.threads += 1
            return true
        }
        if needsThread { startThread() }
    }

    /// Hands over what came of something; any thread may, and as often as there is something to tell.
    ///
    /// - Returns: false where nobody takes it any more.
    @discardableResult
    package func deliver(_ outcome: Outcome) -> Bool {
        let isWanted = state.withLock { state in
            if !state.isClosed { state.outcomes.append(outcome) }
            return !state.isClosed
        }
        if isWanted { wakeup.signal() }
        return isWanted
    }

    /// The outcomes since the last call. For one thread.
    package func takeOutcomes() -> [Outcome] {
        wakeup.clear()
        return state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Leaves undone what waits, and takes nothing more.
    ///
    /// - Returns: what was not taken.
    @discardableResult
    package func close() -> [Outcome] {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Waits until all threads have ended, which they do once the pool is closed and they are done.
    ///
    /// - Parameter deadline: when to give up; nil is never.
    package func awaitEnd(until deadline: MonotonicTime? = nil) {
        let _: Bool? = state.wait(until: deadline) { $0.threads == 0 ? true : nil }
    }

    // MARK: Threads

    private func startThread() {
        do throws(WorkerThread.StartError) {
            try WorkerThread(name: name) { [self] in
                while let job = next() {
                    job.work()
                    if job.isLong { state.withLock { $0.occupied -= 1 } }
                }
                state.signal()
            }.detach()
        } catch {
            // Another thread does it, or nobody.
            let stranded = state.withLock { state in
                state.threads -= 1
                guard state.threads == 0 else { return [Job]() }
                defer { state.waiting.removeAll { $0.refused != nil } }
                return state.waiting
            }
            for job in stranded { job.refused?(error) }
        }
    }

    /// The first job that may be done now; nil ends the thread.
    private func next() -> Job? {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { !$0.isLong || state.occupied < longLimit }) else {
                state.threads -= 1
                return nil
            }
            let job = state.waiting.remove(at: index)
            if job.isLong { state.occupied += 1 }
            return job
        }
    }
}
