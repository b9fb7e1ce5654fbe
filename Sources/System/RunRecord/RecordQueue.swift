internal import LinuxSystem

/// The bounds and times of a run record.
struct RecordLimits: Sendable {
    /// At most this many entries, and about this many bytes, wait for being written.
    var entries = 65_536
    var bytes = 32 << 20
    /// This many entries, or bytes, are written without waiting for the interval's end.
    var wakeEntries = 4_096
    var wakeBytes = 4 << 20
    /// How long the first entry that waits may wait, so that one transaction takes many.
    var interval = Duration.milliseconds(250)
    /// The longest pause between two tries while another process holds a lock.
    var longestPause = Duration.milliseconds(250)
    /// How long the end waits for another process's lock, and then for the file system.
    var closeWait = Duration.seconds(3)
    var closeGrace = Duration.seconds(5)
    /// SQLite's max_page_count, to have a full disk at will; nil is SQLite's own.
    var maxPageCount: Int?
}

/// The queue between the loop's thread and the record's thread. No I/O happens while it is locked.
struct RecordQueue: Sendable {
    let limits: RecordLimits

    private(set) var waiting: [RunRecordEntry] = []
    private var waitingBytes = 0
    /// Entries that the record's thread has taken and not written yet; they count against the bounds too.
    private var heldEntries = 0
    private var heldBytes = 0
    /// Entries that will never be written.
    private(set) var dropped = 0

    /// Batches submitted, taken, and settled (written, or given up): for `flush`.
    private(set) var submitted = 0
    private var taken = 0
    private var settled = 0

    /// How often a write met another process's lock.
    var lockedTries = 0
    var isFlushing = false
    /// When to give up writing; set by `close`.
    var closeDeadline: MonotonicTime?
    /// The status file that the record is filled in from at the end, where it lacks something.
    var status: String?
    /// Counts what was done since the closing began, so that long work is waited for.
    private(set) var progress = 0
    /// Whether the record can't be written for now: nothing but what is about the run is kept until the end.
    private(set) var isBehind = false
    private(set) var isFinished = false
    private(set) var isGivenUp = false
    var failure: RunRecordError?

    init(limits: RecordLimits) { self.limits = limits }

    /// Adds a batch, or where that exceeds the bounds only those of its entries that are about the run.
    /// - Returns: Whether the record's thread should be woken: at the first entry that waits, and when there are many.
    mutating func add(_ batch: [RunRecordEntry]) -> Bool {
        if batch.isEmpty { return false }
        guard !isGivenUp && !isFinished else {
            dropped += batch.count
            return false
        }
        guard !isBehind else {
            addPart(of: batch)
            return false
        }
        let before = (isEmpty: waiting.isEmpty, isMany: hasMany)
        let bytes = batch.reduce(0) { $0 + $1.cost }
        if waiting.count + heldEntries + batch.count <= limits.entries
            && waitingBytes + heldBytes + bytes <= limits.bytes
        {
            waiting += batch
            waitingBytes += bytes
        } else {
            addPart(of: batch)
        }
        submitted += 1
        return before.isEmpty || (hasMany && !before.isMany)
    }

    private mutating func addPart(of batch: [RunRecordEntry]) {
        for entry in batch {
            if entry.isAboutRun {
                waiting.append(entry)
                waitingBytes += entry.cost
            } else {
                dropped += 1
            }
        }
    }

    private var hasMany: Bool { waiting.count >= limits.wakeEntries || waitingBytes >= limits.wakeBytes }

    /// Whether the record's thread has a reason to write now rather than wait for more.
    var isUrgent: Bool { hasMany || isFlushing || closeDeadline != nil }

    /// Whether there is anything for the record's thread to do.
    var hasWork: Bool { submitted != taken || isFlushing || closeDeadline != nil }

    /// Hands over what waits, in exchange for an empty array.
    mutating func take(into batch: inout [RunRecordEntry]) {
        swap(&waiting, &batch)
        heldEntries += batch.count
        heldBytes += waitingBytes
        waitingBytes = 0
        taken = submitted
    }

    /// Says what the record's thread still holds. Where that is nothing, all it took is settled.
    mutating func hold(entries: Int, bytes: Int) {
        heldEntries = entries
        heldBytes = bytes
        if entries == 0 {
            settled = taken
            isFlushing = isFlushing && settled != submitted
        }
    }

    /// Whether the first `count` batches are written or given up.
    func isSettled(to count: Int) -> Bool { settled >= count || isGivenUp || isFinished || isBehind }

    /// The record can't be written: until the end only what is about the run is kept.
    ///
    /// - Parameter lost: entries that were taken and won't be written.
    mutating func fallBehind(_ error: RunRecordError, lost: Int) {
        failure = error
        isBehind = true
        dropped += lost
        (heldEntries, heldBytes) = (0, 0)
        let all = waiting
        waiting = []
        waitingBytes = 0
        addPart(of: all)
    }

    /// The record has all that the status file has.
    mutating func noteFilled() { dropped = 0 }

    /// Something was done at the end: there is new time for the rest.
    mutating func noteProgress() {
        progress += 1
        if closeDeadline != nil { closeDeadline = .now + limits.closeWait }
    }

    /// The record ends before its run does: nothing more is written. The first reason is the one that is told.
    /// - Returns: How many entries were dropped, with those that were waiting.
    @discardableResult
    mutating func giveUp(_ error: RunRecordError) -> Int {
        guard !isGivenUp else { return dropped }
        // What kept it from being written was told before.
        if !isBehind { failure = error }
        isGivenUp = true
        dropped += waiting.count + heldEntries
        waiting = []
        return dropped
    }

    /// The record's thread is done with the file.
    mutating func finish() { isFinished = true }
}
