import Glibc
import LinuxSystem

/// Appends rows to the status file on a thread of its own, so that a slow file system stalls nothing but itself.
///
/// Rows are written whole as they come, and synced at most once a second, when asked to, and at the end. At each sync
/// the file is looked for at its path: ``takeRescues()`` tells what somebody else did to it. Where rows can't be
/// written the file is cut back to its last whole row, and ``takeFailure()`` says so.
final class StatusWriter: Sendable {
    private struct Pending {
        var rows: [UInt8] = []
        var syncsAsked = 0
        var isClosed = false
    }

    private struct Done {
        var syncs = 0
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
    func append(_ rows: [UInt8]) {
        pending.withLock { $0.rows += rows }
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

    /// Lets the thread write what is left, sync, and end.
    func close() {
        pending.withLock { $0.isClosed = true }
        pending.signal()
    }

    // MARK: The thread

    private struct ThreadState: ~Copyable {
        var disk: StatusOnDisk
        var hasFailed = false
        var syncs = 0
        var unsyncedSince: MonotonicTime?
        var nextLook = MonotonicTime.now + StatusWriter.lookInterval
        /// The damage that was told and could not be made good.
        var toldDamage: StatusRescue.Damage?

        var deadline: MonotonicTime { unsyncedSince.map { min($0 + .seconds(1), nextLook) } ?? nextLook }
    }

    private func work() {
        var state = ThreadState(disk: StatusOnDisk(Descriptor(owning: raw), path: firstPath))
        while true {
            let syncs = state.syncs
            let taken: Pending? = pending.wait(until: state.deadline) { pending in
                guard !pending.rows.isEmpty || pending.isClosed || pending.syncsAsked > syncs else { return nil }
                let taken = pending
                pending.rows = []
                return taken
            }
            if let taken { write(taken.rows, &state) }
            syncIfDue(asked: taken?.syncsAsked ?? state.syncs, closing: taken?.isClosed == true, &state)
            if let taken, taken.isClosed { break }
        }
    }

    private func syncIfDue(asked: Int, closing: Bool, _ state: inout ThreadState) {
        let isDue = MonotonicTime.now >= state.deadline
        guard asked > state.syncs || closing || isDue else { return }
        if state.unsyncedSince != nil, let error = state.disk.sync() { fail(error, &state) }
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

    private func write(_ rows: [UInt8], _ state: inout ThreadState) {
        guard !rows.isEmpty, !state.hasFailed else { return }
        if state.unsyncedSince == nil { state.unsyncedSince = .now }
        if let failure = state.disk.append(rows).failure { fail(failure, &state) }
    }

    private func fail(_ error: SystemError, _ state: inout ThreadState) {
        guard !state.hasFailed else { return }
        state.hasFailed = true
        done.withLock { $0.failure = error }
        wakeup.signal()
    }
}
