import CLinux
import EngineHosting
import Glibc
import LinuxSystem

/// Appends to the run's files on a thread of its own, so that a slow file system stalls nothing but itself.
///
/// The status file comes first: its rows are written in whole lines as they come, and synced at most once a second,
/// when asked to, and at the end. Where they can't be written the file is cut back to its last whole row, and
/// ``takeFailure()`` says so. Logs are written with the best will, and without a promise.
final class FileWriter: Sendable {
    private struct Pending {
        var rows: [UInt8] = []
        var logs: [(path: Int, text: [UInt8])] = []
        var syncsAsked = 0
        var isClosed = false
        var isEmpty: Bool { rows.isEmpty && logs.isEmpty }
    }

    private struct Done {
        var syncs = 0
        var failure: SystemError?
    }

    /// How much rows may pile up before who writes them waits: a file system that hangs must not fill the memory.
    private static let highWater = 64 << 20

    private let pending = Guarded(Pending())
    private let done = Guarded(Done())
    /// Signalled when a sync was done or rows can't be written.
    let wakeup: EventFlag
    private let statusPath: String
    private let status: Descriptor
    private let logs = Guarded([String]())

    /// - Parameter status: the status file, open for appending; taken over.
    init(status: consuming Descriptor, path: String) throws(SystemError) {
        wakeup = try EventFlag()
        statusPath = path
        self.status = status
    }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "file writer") { self.work() }
    }

    /// Registers a log file; it is made with its first line.
    func addLog(_ path: String) -> Int {
        logs.withLock { paths in
            paths.append(path)
            return paths.count - 1
        }
    }

    /// Appends whole rows.
    func append(_ rows: [UInt8]) {
        let waiting = pending.withLock { pending in
            pending.rows += rows
            return pending.rows.count
        }
        pending.signal()
        if waiting > Self.highWater {
            let _: Bool? = pending.wait { $0.rows.count <= Self.highWater || $0.isClosed ? true : nil }
        }
    }

    func log(_ text: [UInt8], to log: Int) {
        pending.withLock { $0.logs.append((log, text)) }
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

    /// Why rows can't be written any more, told once.
    func takeFailure() -> SystemError? { done.withLock { $0.failure.take() } }

    /// Lets the thread write what is left, sync, and end.
    func close() {
        pending.withLock { $0.isClosed = true }
        pending.signal()
    }

    private func work() {
        var state = ThreadState(offset: lseek(status.raw, 0, SEEK_END))
        while true {
            let deadline = state.unsyncedSince.map { $0 + .seconds(1) }
            let taken: Pending? = pending.wait(until: deadline) { pending in
                guard !pending.isEmpty || pending.isClosed || pending.syncsAsked > state.syncs else { return nil }
                let taken = pending
                pending.rows = []
                pending.logs = []
                return taken
            }
            if let taken {
                write(taken.rows, &state)
                for (path, text) in taken.logs { write(text, toLog: path, &state) }
                pending.signal()
            }
            syncIfDue(asked: taken?.syncsAsked ?? state.syncs, closing: taken?.isClosed == true, &state)
            if let taken, taken.isClosed { break }
        }
        for file in state.logFiles.values where file >= 0 { Glibc.close(file) }
    }

    private struct ThreadState {
        /// The end of the last whole row.
        var offset: off_t
        var hasFailed = false
        var syncs = 0
        var unsyncedSince: MonotonicTime?
        var logFiles: [Int: Int32] = [:]
    }

    private func syncIfDue(asked: Int, closing: Bool, _ state: inout ThreadState) {
        let isDue = state.unsyncedSince.map { MonotonicTime.now >= $0 + .seconds(1) } ?? false
        guard asked > state.syncs || closing || isDue else { return }
        if state.unsyncedSince != nil, fdatasync(status.raw) != 0, errno != EINVAL, errno != EROFS {
            fail(SystemError("sync \(statusPath)"), &state)
        }
        state.unsyncedSince = nil
        guard asked > state.syncs else { return }
        state.syncs = asked
        done.withLock { $0.syncs = asked }
        wakeup.signal()
    }

    private func write(_ rows: [UInt8], _ state: inout ThreadState) {
        guard !rows.isEmpty, !state.hasFailed else { return }
        if state.unsyncedSince == nil { state.unsyncedSince = .now }
        var written = 0
        while written < rows.count {
            let count = rows.withUnsafeBytes {
                Glibc.write(status.raw, $0.baseAddress! + written, rows.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = SystemError("write \(statusPath)", code: count == 0 ? ENOSPC : errno)
                // A part of a row would be taken for a row by nobody, but it would spoil the next.
                let whole = rows[..<written].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
                ftruncate(status.raw, state.offset + off_t(whole))
                return fail(error, &state)
            }
            written += count
        }
        state.offset += off_t(rows.count)
    }

    private func fail(_ error: SystemError, _ state: inout ThreadState) {
        guard !state.hasFailed else { return }
        state.hasFailed = true
        done.withLock { $0.failure = error }
        wakeup.signal()
    }

    private func write(_ text: [UInt8], toLog log: Int, _ state: inout ThreadState) {
        let path = logs.withLock { $0[log] }
        let file =
            state.logFiles[log]
            ?? ((try? Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND))?.release() ?? -1)
        state.logFiles[log] = file
        guard file >= 0 else { return }
        _ = text.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
    }
}
