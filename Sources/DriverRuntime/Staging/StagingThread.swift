import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Reads the files that engines are to have, and writes those that come home, on a thread of its own: a slow file
/// system holds up neither the run nor its record.
final class StagingThread: Sendable {
    /// What is to be done, in this order for each engine.
    enum Request: Sendable {
        /// Read the next piece of a file.
        case read(EngineID, entry: StagedEntry, offset: Int)
        /// A file begins to come; nil where nobody wants it any more.
        case begin(EngineID, AssignmentID, path: PathBytes?, mode: UInt32, modified: Int64)
        /// A file that begins to come can't be taken.
        case refuse(EngineID, AssignmentID, SystemError)
        case data(EngineID, [UInt8])
        case end(EngineID, isWhole: Bool)
        /// All files of a task have come.
        case complete(EngineID, AssignmentID)
        /// The engine is gone.
        case drop(EngineID)
    }

    /// What came of it.
    enum Result: Sendable {
        /// The next piece: empty only where there is no more.
        case piece(EngineID, Swift.Result<[UInt8], SystemError>)
        /// So many bytes that came are written, or dropped.
        case written(EngineID, Int)
        /// A task's files are all in their places, or why not.
        case completed(EngineID, AssignmentID, SystemError?)
    }

    private struct Queue {
        var requests: [Request] = []
        var results: [Result] = []
        var isClosed = false
    }

    /// What the thread keeps of one engine.
    private struct Arrival {
        var assignment: AssignmentID?
        var file: PendingFile?
        var mode: UInt32 = 0
        var modified: Int64 = 0
        var failures: [AssignmentID: SystemError] = [:]

        mutating func fail(_ error: SystemError) {
            file = nil
            if let assignment, failures[assignment] == nil { failures[assignment] = error }
        }
    }

    private let queue = Guarded(Queue())
    /// Raised when there are results.
    let attention: EventFlag

    init() throws(SystemError) { attention = try EventFlag() }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "staging") { self.work() }
    }

    func request(_ request: Request) {
        queue.withLock { $0.requests.append(request) }
        queue.signal()
    }

    func takeResults() -> [Result] {
        attention.lower()
        return queue.withLock { queue in
            let results = queue.results
            queue.results.removeAll()
            return results
        }
    }

    /// Lets the thread end; what is half-written is removed.
    func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
    }

    // MARK: On the thread

    private func work() {
        var arrivals: [EngineID: Arrival] = [:]
        let source = LastSource()
        while true {
            let requests: [Request] =
                queue.wait { (queue) -> [Request]? in
                    guard !queue.requests.isEmpty || queue.isClosed else { return nil }
                    let requests = queue.requests
                    queue.requests.removeAll()
                    return requests
                } ?? []
            if requests.isEmpty { return }
            for request in requests { perform(request, &arrivals, source) }
        }
    }

    private func perform(_ request: Request, _ arrivals: inout [EngineID: Arrival], _ source: LastSource) {
        switch request {
        case .read(let engine, let entry, let offset): tell(.piece(engine, source.read(entry, at: offset)))
        case .begin(let engine, let assignment, let path, let mode, let modified):
            arrivals[engine, default: Arrival()].assignment = assignment
            arrivals[engine]?.mode = mode
            arrivals[engine]?.modified = modified
            guard let path else { return }
            do throws(SystemError) { arrivals[engine]?.file = try PendingFile(path) } catch {
                arrivals[engine]?.fail(error)
            }
        case .refuse(let engine, let assignment, let error):
            arrivals[engine, default: Arrival()].assignment = assignment
            arrivals[engine]?.fail(error)
        case .data(let engine, let bytes):
            do throws(SystemError) { try arrivals[engine]?.file?.write(bytes) } catch { arrivals[engine]?.fail(error) }
            tell(.written(engine, bytes.count))
        case .end(let engine, let isWhole):
            guard let arrival = arrivals[engine], let file = arrival.file else { return }
            arrivals[engine]?.file = nil
            guard isWhole else { return }
            do throws(SystemError) { try file.finish(mode: arrival.mode, modified: arrival.modified) } catch {
                arrivals[engine]?.fail(error)
            }
        case .complete(let engine, let assignment):
            tell(.completed(engine, assignment, arrivals[engine]?.failures.removeValue(forKey: assignment)))
        case .drop(let engine): arrivals[engine] = nil
        }
    }

    private func tell(_ result: Result) {
        queue.withLock { $0.results.append(result) }
        attention.raise()
    }
}

/// The file that was read last: several engines often read the same one after the other.
private final class LastSource {
    private var path: PathBytes = []
    private var raw: Int32 = -1

    deinit { if raw >= 0 { close(raw) } }

    func read(_ entry: StagedEntry, at offset: Int) -> Result<[UInt8], SystemError> {
        if path != entry.source || raw < 0 {
            if raw >= 0 { close(raw) }
            raw = entry.source.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
            guard raw >= 0 else { return .failure(SystemError("read \(entry.source.text)")) }
            path = entry.source
        }
        var bytes = [UInt8](repeating: 0, count: min(EngineProtocol.stagedPiece, entry.size - offset))
        let count = bytes.withUnsafeMutableBytes { pread(raw, $0.baseAddress, $0.count, off_t(offset)) }
        guard count >= 0 else { return .failure(SystemError("read \(entry.source.text)")) }
        bytes.removeSubrange(count...)
        return .success(bytes)
    }
}
