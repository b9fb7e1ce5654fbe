import Glibc
import LinuxSystem

/// Appends rows to the status file on a thread of its own, so that a slow file system stalls nothing but itself.
///
/// Rows are written whole as they come, and synced at most once a second, when asked to, and at the end. At each sync
/// the file is looked for at its path: ``takeRescues()`` tells what somebody else did to it. Where rows can't be
/// written the file is cut back to its last whole row. On a full disk the rest waits in memory, and is tried again
/// until it is written or ``giveUp()`` is called; else ``takeFailure()`` says why the run can't go on.
final class StatusWriter: Sendable {
    private struct Pending {
        var rows: [UInt8] = []
        var syncsAsked = 0
        var isClosed = false
        var isGivenUp = false
        /// When the oldest row was handed over that is not written yet.
        var since: MonotonicTime?
    }

    private struct Done {
        var syncs = 0
        /// Why rows wait in memory.
        var fullness: SystemError?
        var isFinished = false
        var failure: SystemError?
        var rescues: [StatusRescue] = []
        var path: String
    }

    /// The time between two looks at the file while no rows come.
    private static let lookInterval = Duration.seconds(10)

    private let pending = Guarded(Pending())
    private let done: Guarded<Done>
    /// Signalled when something is to be known: a sync was done, rows can't be written, somebody touched the file.
    let wakeup: EventFlag
    private let raw: Int32
    private let firstPath: String

    /// - Parameter status: the status file, open for reading and appending; taken over.
    init(status: consuming Descriptor, path: String) throws(SystemError) {
        wakeup = try EventFlag()
        firstPath = path
        done = Guarded(Done(path: path))
        raw = status.release()
    }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "status writer") { self.work() }
    }

    /// Appends whole rows.
    ///
    /// - Returns: how many bytes wait, these included.
    @discardableResult
    func append(_ rows: [UInt8]) -> Int {
        let count = pending.withLock { pending in
            pending.rows += rows
            if pending.since == nil { pending.since = .now }
            return pending.rows.count
        }
        pending.signal()
        return count
    }

    /// The time for which the oldest row has waited that is not written, nil where all are; and how many bytes wait.
    var waiting: (age: Duration?, bytes: Int) {
        pending.withLock { pending in
            let now = MonotonicTime.now.nanoseconds
            return (pending.since.map { .nanoseconds(now - $0.nanoseconds) }, pending.rows.count)
        }
    }

    /// Why rows wait in memory, on a full disk; nil where none do.
    var fullness: SystemError? { done.withLock { $0.fullness } }

    /// Tries no more to write to a full disk: that is a failure now.
    func giveUp() {
        pending.withLock { $0.isGivenUp = true }
        pending.signal()
    }

    /// Asks for everything so far to be written and synced. ``syncCount`` reaches the number returned when it is.
    func requestSync() -> Int {
        defer { pending.signal() }
        return pending.withLock { pending in
            pending.syncsAsked += 1
            return pending.syncsAsked
        }
    }

    var syncCount: Int { done.withLock { $0.syncs } }

    /// Where the rows are: the path of the status file, or of the one that took its place.
    var path: String { done.withLock { $0.path } }

    /// Why rows can't be written any more, told once.
    func takeFailure() -> SystemError? { done.withLock { $0.failure.take() } }

    /// The damage that somebody did to the file since this was asked last, and what became of its rows.
    func takeRescues() -> [StatusRescue] {
        done.withLock { done in
            defer { done.rescues = [] }
            return done.rescues
        }
    }

    /// Lets the thread write what is left, and waits for its end; one that hangs is left to itself.
    func end(_ thread: consuming WorkerThread) {
        close()
        let patience = Duration.seconds(pending.withLock { $0.isGivenUp } ? 1 : 10)
        if done.wait(until: .now + patience, for: { $0.isFinished ? true : nil }) == nil {
            thread.detach()
        } else {
            thread.join()
        }
    }

    /// Lets the thread write what is left, sync, and end.
    func close() {
        pending.withLock { $0.isClosed = true }
        pending.signal()
    }

    // MARK: The thread

    private struct ThreadState: ~Copyable {
        var disk: StatusOnDisk
        /// Rows that could not be written, and when to try again.
        var left: [UInt8] = []
        var nextTry: MonotonicTime?
        var pause = Duration.milliseconds(250)
        var hasFailed = false
        /// Syncs asked for before any row that was not taken yet, and those done.
        var asked = 0
        var syncs = 0
        var unsyncedSince: MonotonicTime?
        var nextLook = MonotonicTime.now + StatusWriter.lookInterval
        /// The damage that was told and could not be made good.
        var toldDamage: StatusRescue.Damage?

        var deadline: MonotonicTime {
            nextTry ?? unsyncedSince.map { min($0 + .seconds(1), nextLook) } ?? nextLook
        }
    }

    private func work() {
        var state = ThreadState(disk: StatusOnDisk(Descriptor(owning: raw), path: firstPath))
        while true {
            let (syncs, isFull) = (state.syncs, state.nextTry != nil)
            let taken: Pending? = pending.wait(until: state.deadline) { pending in
                // A sync may wait for the rows that it covers.
                guard
                    !pending.rows.isEmpty || pending.isClosed || pending.isGivenUp && isFull
                        || pending.syncsAsked > syncs && !isFull
                else { return nil }
                let taken = pending
                pending.rows = []
                return taken
            }
            if let taken {
                state.left += taken.rows
                state.asked = taken.syncsAsked
            }
            write(isLast: taken.map { $0.isClosed || $0.isGivenUp } == true, &state)
            syncIfDue(closing: taken?.isClosed == true, &state)
            if let taken, taken.isClosed { break }
        }
        done.withLock { $0.isFinished = true }
        done.signal()
    }

    private func syncIfDue(closing: Bool, _ state: inout ThreadState) {
        let asked = state.asked
        let isDue = MonotonicTime.now >= state.deadline
        guard asked > state.syncs || closing || isDue, state.left.isEmpty else { return }
        if state.unsyncedSince != nil, let error = state.disk.sync() {
            // A network file system may tell of a full disk only now.
            if error.isFullDisk, !closing, !state.hasFailed, let rows = state.disk.takeUnsynced() {
                state.left = rows
                state.unsyncedSince = nil
                return wait(for: error, &state)
            }
            fail(error, &state)
        }
        state.unsyncedSince = nil
        look(&state)
        guard asked > state.syncs else { return }
        state.syncs = asked
        done.withLock { $0.syncs = asked }
        wakeup.signal()
    }

    /// Looks for the file at its path, and saves its rows where somebody touched it.
    private func look(_ state: inout ThreadState) {
        state.nextLook = .now + Self.lookInterval
        guard let damage = state.disk.check() else {
            state.toldDamage = nil
            return
        }
        let rescue = state.disk.rescue(damage)
        // That nothing could be done is said once, and tried again.
        guard rescue.kept != nil || state.toldDamage != damage else { return }
        state.toldDamage = rescue.kept == nil ? damage : nil
        let path = state.disk.path
        done.withLock { done in
            done.rescues.append(rescue)
            done.path = path
        }
        wakeup.signal()
    }

    /// Writes what is there, if it is time to.
    private func write(isLast: Bool, _ state: inout ThreadState) {
        guard !state.hasFailed else {
            state.left = []
            return
        }
        guard !state.left.isEmpty, isLast || state.nextTry.map({ $0 <= .now }) ?? true else { return }
        if state.unsyncedSince == nil { state.unsyncedSince = .now }
        let (written, failure) = state.disk.append(state.left)
        guard let failure else {
            state.left.removeAll(keepingCapacity: true)
            return noteWritten(&state)
        }
        state.left.removeFirst(written)
        if failure.isFullDisk, !isLast { wait(for: failure, &state) } else { fail(failure, &state) }
    }

    private func noteWritten(_ state: inout ThreadState) {
        pending.withLock { $0.since = $0.rows.isEmpty ? nil : .now }
        guard state.nextTry != nil else { return }
        state.nextTry = nil
        state.pause = .milliseconds(250)
        done.withLock { $0.fullness = nil }
        wakeup.signal()
    }

    /// Tries again later.
    private func wait(for fullness: SystemError, _ state: inout ThreadState) {
        state.nextTry = .now + state.pause
        state.pause = min(state.pause * 2, .seconds(10))
        done.withLock { $0.fullness = fullness }
        wakeup.signal()
    }

    private func fail(_ error: SystemError, _ state: inout ThreadState) {
        guard !state.hasFailed else { return }
        state.hasFailed = true
        state.left = []
        state.nextTry = nil
        done.withLock { done in
            done.failure = error
            done.fullness = nil
        }
        wakeup.signal()
    }
}

extension SystemError {
    /// Whether there may be room later.
    var isFullDisk: Bool { code == ENOSPC || code == EDQUOT }
}
