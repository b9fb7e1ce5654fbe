import CLinux
import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// Reads the files that engines are to have, and writes those that come home, on a thread of its own: a slow file
/// system holds up neither the run nor its record.
final class StagingThread: Sendable {
    /// Work for the thread, done in order for each engine. Reads come first: engines wait for them before they begin.
    enum Request: Sendable {
        /// Read the next piece of a file.
        case read(EngineID, entry: StagedEntry, offset: Int)
        /// A file begins to come; nil where nobody wants it any more.
        case begin(EngineID, ArrivingFile, path: PathBytes?)
        /// A file that begins to come can't be taken.
        case refuse(EngineID, ArrivingFile, SystemError)
        /// An attempt begins: what earlier runs kept of its task goes.
        case removeStale(EngineID, TaskID, attempt: Int, root: PathBytes)
        case data(EngineID, [UInt8])
        case end(EngineID, isWhole: Bool)
        /// All files of a task have come.
        case complete(EngineID, AssignmentID)
    }

    /// The result of a request.
    enum Result: Sendable {
        /// The next piece: empty only where there is no more.
        case piece(EngineID, Swift.Result<[UInt8], StagedSource.Failure>)
        /// The number of bytes that came and are written, or dropped.
        case written(EngineID, Int)
        /// A task's files are all in their places, or why not.
        case completed(EngineID, AssignmentID, SystemError?)
        /// A stream of a task can't be kept: its end is as it would be.
        case captureFailed(EngineID, AssignmentID, SystemError)
    }

    private struct Queue {
        var reads: [Request] = []
        var requests: [Request] = []
        /// Engines that are gone, of which the thread has not heard.
        var dropped: [EngineID] = []
        var results: [Result] = []
        var isClosed = false
    }

    /// The files that come from one engine, as the thread keeps track of them.
    private struct Arrival {
        var file: PendingFile?
        var arriving: ArrivingFile?
        var unsynced: [AssignmentID: UnsyncedFiles] = [:]
        var failures: [AssignmentID: SystemError] = [:]

        /// Returns what is to be told of it at once.
        mutating func fail(_ error: SystemError, on engine: EngineID) -> Result? {
            file = nil
            guard let arriving else { return nil }
            if arriving.captured != nil { return .captureFailed(engine, arriving.assignment, error) }
            if failures[arriving.assignment] == nil { failures[arriving.assignment] = error }
            return nil
        }
    }

    private let queue = Guarded(Queue())
    /// Signalled when there are results.
    let wakeup: EventFlag

    init() throws(SystemError) { wakeup = try EventFlag() }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "staging") { self.work() }
    }

    func request(_ request: Request) {
        queue.withLock { queue in
            if case .read = request { queue.reads.append(request) } else { queue.requests.append(request) }
        }
        queue.signal()
    }

    /// An engine is gone: what it sent is of no use any more.
    func drop(_ engine: EngineID) {
        queue.withLock { $0.dropped.append(engine) }
        queue.signal()
    }

    func takeResults() -> [Result] {
        wakeup.clear()
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
        var gone: Set<EngineID> = []
        var waiting: ArraySlice<Request> = []
        let source = StagedSource()
        var stale = StaleCaptures()
        while true {
            var dropped: [EngineID] = []
            let reads: [Request] =
                queue.wait { (queue) -> [Request]? in
                    if waiting.isEmpty {
                        waiting = queue.requests[...]
                        queue.requests.removeAll()
                    }
                    let isIdle = waiting.isEmpty && queue.reads.isEmpty && queue.dropped.isEmpty
                    guard !isIdle || queue.isClosed else { return nil }
                    dropped = queue.dropped
                    queue.dropped.removeAll()
                    let reads = queue.reads
                    queue.reads.removeAll()
                    return reads
                } ?? []
            for engine in dropped {
                gone.insert(engine)
                arrivals[engine] = nil
            }
            for request in reads where !gone.contains(request.engine) { perform(request, &arrivals, source, &stale) }
            guard let request = waiting.popFirst() else {
                if reads.isEmpty, dropped.isEmpty { return }
                continue
            }
            if !gone.contains(request.engine) { perform(request, &arrivals, source, &stale) }
        }
    }

    private func perform(
        _ request: Request, _ arrivals: inout [EngineID: Arrival], _ source: StagedSource, _ stale: inout StaleCaptures
    ) {
        switch request {
        case .read(let engine, let entry, let offset): tell(.piece(engine, source.read(entry, at: offset)))
        case .begin(let engine, let file, let path):
            arrivals[engine, default: Arrival()].arriving = file
            do throws(SystemError) {
                arrivals[engine]?.file = try path.map { path throws(SystemError) in try PendingFile(path) }
            } catch {
                tell(arrivals[engine]?.fail(error, on: engine))
            }
            tell(.written(engine, file.cost))
        case .refuse(let engine, let file, let error):
            arrivals[engine, default: Arrival()].arriving = file
            tell(arrivals[engine]?.fail(error, on: engine))
            tell(.written(engine, file.cost))
        case .removeStale(_, let task, let attempt, let root):
            let paths = stale.take(task, from: attempt) { group in
                (try? root.appending(Array(group.utf8)).directoryNames()) ?? []
            }
            for path in paths { _ = root.appending(path).withPath { unlink($0) } }
        case .data(let engine, let bytes):
            do throws(SystemError) { try arrivals[engine]?.file?.write(bytes) } catch {
                tell(arrivals[engine]?.fail(error, on: engine))
            }
            tell(.written(engine, bytes.count))
        case .end(let engine, let isWhole):
            guard let file = arrivals[engine]?.file, let arriving = arrivals[engine]?.arriving else { return }
            arrivals[engine]?.file = nil
            guard isWhole else { return }
            do throws(SystemError) {
                try file.finish(mode: arriving.mode, modified: arriving.modified, syncs: false)
                guard arriving.captured == nil else { return }
                arrivals[engine]?.unsynced[arriving.assignment, default: UnsyncedFiles()].add(file.path)
            } catch {
                tell(arrivals[engine]?.fail(error, on: engine))
            }
        case .complete(let engine, let assignment):
            var failure = arrivals[engine]?.failures.removeValue(forKey: assignment)
            let unsynced = arrivals[engine]?.unsynced.removeValue(forKey: assignment)
            if failure == nil {
                do throws(SystemError) { try unsynced?.sync() } catch { failure = error }
            }
            tell(.completed(engine, assignment, failure))
        }
    }

    private func tell(_ result: Result?) {
        guard let result else { return }
        queue.withLock { $0.results.append(result) }
        wakeup.signal()
    }
}

extension StagingThread.Request {
    /// The engine it is about.
    fileprivate var engine: EngineID {
        switch self {
        case .read(let engine, _, _), .begin(let engine, _, _), .refuse(let engine, _, _), .data(let engine, _),
            .removeStale(let engine, _, _, _), .end(let engine, _), .complete(let engine, _):
            engine
        }
    }
}
