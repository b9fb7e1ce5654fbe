internal import LinuxSystem

/// The work of the record's thread: it takes entries off the queue, writes them, and tries again where a lock is in the
/// way. It alone touches SQLite and the file, the opening included, so that no slow file system holds up the loop.
struct RecordThread {
    private let queue: Guarded<RecordQueue>
    private let limits: RecordLimits
    private var pending = PendingEntries()
    /// The entries that were taken; emptied again, the array becomes the queue's next, so that its memory is used
    /// again.
    private var batch: [RunRecordEntry] = []
    /// How long to wait before the next try, while a lock is in the way.
    private var pause: Duration?

    init(queue: Guarded<RecordQueue>, limits: RecordLimits) {
        self.queue = queue
        self.limits = limits
    }

    /// Runs until the record is closed or has given up.
    mutating func run(opening open: () throws(RunRecordError) -> RunRecordStore) {
        var store: RunRecordStore?
        do throws(RunRecordError) {
            let opened = try open()
            store = opened
            try serve(opened)
            if queue.withLock({ $0.dropped }) > 0 { try fill(opened) }
            opened.finish()
        } catch {
            do throws(RunRecordError) {
                guard error.mayPass, queue.withLock({ $0.closeDeadline }) == nil else { throw error }
                store = try catchUp(after: error, store, open)
            } catch {
                let dropped = queue.withLock { $0.giveUp(error) }
                store?.noteFailure(error.description, dropped: dropped)
            }
        }
        store = nil  // Closed before anyone hears that this is over.
        queue.withLock { $0.finish() }
        queue.signal()
    }

    /// Waits for the end, after an error, and tries then to make good what was left out.
    private mutating func catchUp(
        after error: RunRecordError, _ store: RunRecordStore?,
        _ open: () throws(RunRecordError) -> RunRecordStore
    ) throws(RunRecordError) -> RunRecordStore {
        let kept = pending.entries.filter(\.isAboutRun)
        let lost = pending.entries.count - kept.count
        queue.withLock { $0.fallBehind(error, lost: lost) }
        queue.signal()
        store?.noteFailure(error.description, dropped: queue.withLock { $0.dropped })
        pending = PendingEntries()
        pending.add(kept)
        _ = queue.wait { $0.closeDeadline != nil ? true : nil }
        let store = if let store { store } else { try open() }
        _ = takeEntries()
        repeat { try write(to: store) } while !pending.isEmpty
        try fill(store)
        store.finish()
        return store
    }

    /// Fills the record in from the status file.
    private func fill(_ store: RunRecordStore) throws(RunRecordError) {
        guard let status = queue.withLock({ $0.status }) else { return }
        let queue = queue
        let pause = limits.longestPause
        try store.fill(from: status) {
            _ = queue.wait(until: .now + pause) { (_) -> Bool? in nil }
            return queue.withLock { $0.closeDeadline.map { $0 > .now } ?? true }
        } progress: {
            queue.withLock { $0.noteProgress() }
        }
        queue.withLock { $0.noteFilled() }
    }

    /// Writes what comes until the queue is closed and all is written.
    private mutating func serve(_ store: RunRecordStore) throws(RunRecordError) {
        try write(to: store)  // The tables and the run's row, before there is any entry.
        while true {
            let isLast = takeEntries()
            try write(to: store)
            if isLast && pending.isEmpty { return }
        }
    }

    /// Waits until it is time to write, and takes what is there by then.
    /// - Returns: Whether the queue is closed, so that nothing comes after this.
    private mutating func takeEntries() -> Bool {
        if let pause {
            _ = queue.wait(until: .now + pause) { (_) -> Bool? in nil }
        } else {
            _ = queue.wait { $0.hasWork ? true : nil }
            _ = queue.wait(until: .now + limits.interval) { $0.isUrgent ? true : nil }
        }
        let isLast = queue.withLock { queue in
            queue.take(into: &batch)
            return queue.closeDeadline != nil
        }
        pending.add(batch)
        batch.removeAll(keepingCapacity: batch.capacity <= 4 * PendingEntries.chunkEntries)
        return isLast
    }

    /// Writes all that is pending, or as much as there is before a lock gets in the way.
    /// - Throws: What ends the record, a lock beyond the closing's deadline among it.
    private mutating func write(to store: RunRecordStore) throws(RunRecordError) {
        var bytes = pending.bytes
        var written = 0
        var isLocked = false
        repeat {
            let chunk = pending.chunk(from: written)
            let dropped = queue.withLock { $0.dropped }
            isLocked = try !store.write(pending.entries[chunk.range], dropped: dropped)
            if isLocked { break }
            written = chunk.range.upperBound
            bytes -= chunk.bytes
            queue.withLock { $0.hold(entries: pending.entries.count - written, bytes: bytes) }
        } while written < pending.entries.count
        pending.removeFirst(written)
        try setPause(isLocked: isLocked, path: store.path)
        queue.signal()  // For who waits in `flush`.
    }

    private mutating func setPause(isLocked: Bool, path: String) throws(RunRecordError) {
        guard isLocked else {
            pause = nil
            return
        }
        pause = min((pause ?? .milliseconds(5)) * 2, limits.longestPause)
        let (deadline, waiting) = queue.withLock { queue in
            queue.lockedTries += 1
            return (queue.closeDeadline, queue.waiting.count)
        }
        if let deadline, deadline <= .now {
            throw RunRecordError(path: path, reason: .locked(unwritten: pending.entries.count + waiting))
        }
    }
}
