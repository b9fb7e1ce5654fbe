import Glibc
import LinuxSystem

/// Writes the run's logs on a thread of its own, with the best will and without a promise: what a slow file system does
/// not take is dropped, and the log says so once it takes lines again.
final class LogWriter: Sendable {
    private struct Pending {
        var texts: [(log: Int, text: [UInt8])] = []
        var bytes = 0
        /// Texts that were dropped, by their log.
        var dropped: [Int: Int] = [:]
        var isClosed = false
        var isFinished = false
    }

    /// How many bytes may wait.
    private static let limit = 4 << 20
    /// How long a pipe may take for a text, and a file system for all that is left at the end.
    private static let patience = Duration.seconds(2)

    private let pending = Guarded(Pending())
    private let paths = Guarded([String]())

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "log writer") { self.work() }
    }

    /// Registers a log file; it is made with its first line.
    func add(_ path: String) -> Int {
        paths.withLock { paths in
            paths.append(path)
            return paths.count - 1
        }
    }

    /// Appends whole lines to a log.
    func write(_ text: [UInt8], to log: Int) {
        pending.withLock { pending in
            if pending.bytes + text.count > Self.limit {
                pending.dropped[log, default: 0] += 1
            } else {
                pending.texts.append((log, text))
                pending.bytes += text.count
            }
        }
        pending.signal()
    }

    /// Lets the thread write what is left. One that hangs is left to itself.
    func end(_ thread: consuming WorkerThread) {
        close()
        let deadline = MonotonicTime.now + Self.patience
        if pending.wait(until: deadline, for: { $0.isFinished ? true : nil }) == nil {
            thread.detach()
        } else {
            thread.join()
        }
    }

    /// Lets the thread end, without waiting for it.
    func close() {
        pending.withLock { $0.isClosed = true }
        pending.signal()
    }

    // MARK: The thread

    /// A log as the thread has it.
    private struct Log {
        var file: Int32 = -1
        /// When to try again to open it.
        var nextTry: MonotonicTime?
    }

    private func work() {
        var logs: [Int: Log] = [:]
        while true {
            let taken: Pending? = pending.wait { pending in
                guard !pending.texts.isEmpty || pending.isClosed else { return nil }
                let taken = pending
                pending.texts = []
                pending.dropped = [:]
                // What is being written counts until it is.
                return taken
            }
            guard let taken else { continue }
            for (log, text) in taken.texts { write(text, to: log, &logs) }
            for (log, count) in taken.dropped {
                write(Array("... \(count) texts were dropped here: they were not taken in time\n".utf8), to: log, &logs)
            }
            pending.withLock { $0.bytes -= taken.bytes }
            if taken.isClosed { break }
        }
        for log in logs.values where log.file >= 0 { Glibc.close(log.file) }
        pending.withLock { $0.isFinished = true }
        pending.signal()
    }

    private func write(_ text: [UInt8], to log: Int, _ logs: inout [Int: Log]) {
        if logs[log]?.file ?? -1 < 0 { open(log, &logs) }
        guard let file = logs[log]?.file, file >= 0 else { return }
        var rest = text[...]
        while !rest.isEmpty {
            switch rest.withUnsafeBytes({ LinuxSystem.write(file, $0) }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                var wait = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                guard poll(&wait, 1, Int32(Self.patience.components.seconds * 1000)) > 0 else { return }
            case .ended, .failed: return
            }
        }
    }

    /// Opens a log without waiting for anybody: a named pipe that nobody reads is tried again later.
    private func open(_ log: Int, _ logs: inout [Int: Log]) {
        if let next = logs[log]?.nextTry, MonotonicTime.now < next { return }
        let path = paths.withLock { $0[log] }
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY
        let file = (try? Descriptor.open(path, flags))?.release() ?? -1
        logs[log] = Log(file: file, nextTry: .now + .seconds(1))
    }
}
