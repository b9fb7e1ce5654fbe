internal import LinuxSystem

/// The run record, `<prefix>_run.db`: an SQLite file that tells people and tools of a run while it goes on.
///
/// A thread of its own writes it. The driver's loop hands it batches and is never held up, by a slow file system or by
/// a reader's lock: what can't be written is kept and tried again, up to a bound of 65 536 entries or 32 MiB; beyond
/// that whole batches are dropped, and the run's row says how many entries (`dropped`), so that a reader knows that
/// the record is incomplete. It is a convenience: the status file is the truth, and the record can be made from it.
package final class RunRecordWriter {
    private let path: String
    private let limits: RecordLimits
    let queue: Guarded<RecordQueue>
    private var thread: WorkerThread?

    /// Starts a record at `path`, whose tables and first row are made at once, by the record's thread.
    ///
    /// Nothing is thrown: what is wrong with the file shows in ``takeFailure()``.
    /// - Parameters:
    ///   - appending: Whether a run record that is there is gone on with, with a further row in table `run`, or made
    ///     if there is none; otherwise a file that is there is left alone, and this record fails.
    ///   - run: The run's row.
    ///   - status: The status file, from which an earlier run's part is filled in.
    package convenience init(path: String, appending: Bool, run: RunDescription, status: String? = nil) {
        self.init(path: path, appending: appending, run: run, limits: RecordLimits(), status: status)
    }

    init(path: String, appending: Bool, run: RunDescription, limits: RecordLimits, status: String? = nil) {
        self.path = path
        self.limits = limits
        let queue = Guarded(RecordQueue(limits: limits))
        self.queue = queue
        let earlierEnd = status.flatMap { FileStatus.of(Array($0.utf8))?.size }
        do {
            thread = try WorkerThread(name: "run-record") {
                var thread = RecordThread(queue: queue, limits: limits)
                thread.run { () throws(RunRecordError) in
                    try RunRecordStore(
                        path: path, appending: appending, run: run, limits: limits, status: status,
                        earlierEnd: earlierEnd)
                }
            }
        } catch {
            queue.withLock { queue in
                queue.giveUp(RunRecordError(path: path, reason: .noThread(error.code)))
                queue.finish()
            }
        }
    }

    deinit { close() }

    /// Hands over a batch, in the order of its entries and after all earlier ones. Returns at once.
    ///
    /// Best called once a turn of the loop. Where the bounds are exceeded, the batch is dropped, but for its entries
    /// about the run, its contexts and its engines.
    package func submit(_ batch: [RunRecordEntry]) {
        if queue.withLock({ $0.add(batch) }) { queue.signal() }
    }

    /// Why the record ended before its run did, once; nil while all is well. Quick enough for every turn of the loop.
    package func takeFailure() -> RunRecordError? {
        queue.withLock { queue in
            defer { queue.failure = nil }
            return queue.failure
        }
    }

    /// Entries that were given up so far.
    package var droppedCount: Int { queue.withLock { $0.dropped } }

    /// Waits until all that was submitted is written or given up. For tools and tests; a loop has no use for it.
    package func flush() {
        let target = queue.withLock { queue in
            queue.isFlushing = !queue.isSettled(to: queue.submitted)
            return queue.submitted
        }
        queue.signal()
        _ = queue.wait { $0.isSettled(to: target) ? true : nil }
    }

    /// Writes what is left, and ends the record's thread. What came of it, ``takeFailure()`` tells.
    ///
    /// It waits a few seconds where a reader holds a lock, and a few more for a file system that doesn't answer; then
    /// it leaves the thread to itself. Later calls do nothing.
    /// - Parameter status: The status file, from which the record is filled in where it lacks something.
    package func close(filledFrom status: String? = nil) {
        guard let thread = thread.take() else { return }
        queue.withLock { queue in
            queue.closeDeadline = MonotonicTime.now + limits.closeWait
            queue.status = status
        }
        queue.signal()
        var progress = -1
        while true {
            let deadline = MonotonicTime.now + limits.closeWait + limits.closeGrace
            if queue.wait(until: deadline, for: { $0.isFinished ? true : nil }) != nil { return thread.join() }
            let last = progress
            progress = queue.withLock { $0.progress }
            if progress == last || progress == 0 { break }
        }
        queue.withLock { _ = $0.giveUp(RunRecordError(path: path, reason: .tooSlow)) }
        thread.detach()
    }
}
