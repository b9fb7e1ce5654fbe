import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Brings the files of tasks that succeeded home (`--stage-out`), on a thread of its own: their slots are free
/// meanwhile.
///
/// It makes the frames that tell the driver of a task's end: its files first, if they can't be put home from here, then
/// the end itself. The loop sends them in their order.
final class StageOut: Sendable {
    /// A task whose files are to come home.
    struct Job: Sendable {
        var id: AssignmentID
        var task: TaskID
        /// Its own directory, from the working directory; nil without `--task-dir`.
        var directory: PathBytes?
        var cylinder: Int
        var outcome: TaskOutcome
    }

    private struct Queue {
        var jobs: [Job] = []
        /// Directories to be removed once the driver has their files.
        var kept: [AssignmentID: PathBytes] = [:]
        var removals: [PathBytes] = []
        var frames: [EngineFrame] = []
        /// How many bytes may still be sent.
        var credit = EngineProtocol.stageOutWindow
        var isBusy = false
        var isCancelled = false
        var isClosed = false
    }

    /// Why a task's files can't come home, for the log.
    private struct Failure: Error { var reason: String }

    private let queue = Guarded(Queue())
    /// Raised when there are frames to send.
    let attention: EventFlag
    private let staging: EngineStaging
    /// Of each rule, whether its place can be written to from here.
    private let reaches: [Bool]
    /// Of each rule, whether its files are at home where tasks make them.
    private let isInPlace: [Bool]

    init(_ staging: EngineStaging, sharing: SharedFiles) throws(SystemError) {
        self.staging = staging
        attention = try EventFlag()
        let here = FileStatus.of(Array(".".utf8))
        let home = FileStatus.of(staging.home)
        let isHome = here.flatMap { here in home.map { here.isSame(as: $0) } } ?? false
        reaches = staging.rules.map(sharing.reaches)
        isInPlace = zip(staging.rules, reaches).map { $0.directory == nil && $1 && isHome }
    }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "stage out") { self.work() }
    }

    // MARK: For the loop

    func add(_ job: Job) {
        queue.withLock { $0.jobs.append(job) }
        queue.signal()
    }

    /// Whether nothing is under way.
    var isIdle: Bool { queue.withLock { $0.jobs.isEmpty && !$0.isBusy && $0.frames.isEmpty } }

    func takeFrames() -> [EngineFrame] {
        attention.lower()
        return queue.withLock { queue in
            let frames = queue.frames
            queue.frames.removeAll()
            return frames
        }
    }

    /// So many more bytes may be sent.
    func grant(_ bytes: Int) {
        queue.withLock { $0.credit += max(0, bytes) }
        queue.signal()
    }

    /// The driver has a task's files, or gave up on them.
    func driverKept(_ id: AssignmentID, areWhole: Bool) {
        queue.withLock { queue in
            guard let directory = queue.kept.removeValue(forKey: id), areWhole else { return }
            queue.removals.append(directory)
        }
        queue.signal()
    }

    /// Gives up what is under way: those tasks count as ended by the stop.
    func cancel() {
        queue.withLock { $0.isCancelled = true }
        queue.signal()
    }

    /// Lets the thread end when it has removed what is to be removed.
    func close() {
        queue.withLock { $0.isClosed = true }
        queue.signal()
    }

    // MARK: On the thread

    private enum Work {
        case job(Job)
        case removals([PathBytes])
        case end
    }

    private func work() {
        while true {
            let next: Work =
                queue.wait { (queue) -> Work? in
                    if !queue.removals.isEmpty {
                        let removals = queue.removals
                        queue.removals.removeAll()
                        return .removals(removals)
                    }
                    if !queue.jobs.isEmpty {
                        queue.isBusy = true
                        return .job(queue.jobs.removeFirst())
                    }
                    return queue.isClosed ? .end : nil
                } ?? .end
            switch next {
            case .job(let job): perform(job)
            case .removals(let directories): for directory in directories { directory.removeTree() }
            case .end: return
            }
        }
    }

    private func perform(_ job: Job) {
        var outcome = job.outcome
        var last: [EngineFrame] = []
        do {
            let hasSent = try bringHome(job)
            let mayGo = !staging.rules.isEmpty && !isInPlace.contains(true)
            if let directory = job.directory, mayGo {
                if hasSent { queue.withLock { $0.kept[job.id] = directory } } else { directory.removeTree() }
            }
        } catch let failure as Failure {
            outcome.returnCode = TaskOutcome.stageOutReturnCode
            last.append(.log(.warning, "task \(job.task.rawValue): --stage-out: \(failure.reason)"))
        } catch {
            outcome.ending = .stopped
        }
        last.append(.finished(job.id, cylinder: job.cylinder, outcome))
        queue.withLock { queue in
            queue.frames += last
            queue.isBusy = false
        }
        attention.raise()
    }

    private struct Cancelled: Error {}

    /// Returns whether files were sent.
    private func bringHome(_ job: Job) throws -> Bool {
        var hasSent = false
        for (number, rule) in staging.rules.enumerated() where !isInPlace[number] {
            let root = job.directory ?? []
            // Where files go to one directory, they are told apart by what the wildcards stood for.
            let above =
                rule.directory == nil ? [] : root.appending(StageOutRule.fixedPart(of: rule.pattern(for: job.task)))
            for path in try files(of: rule, job) {
                let name = above.isEmpty ? path : Array(path.dropFirst(above.count + 1))
                guard StagedPath.isInside(name) else { throw Failure(reason: "\(path.text) is outside") }
                if reaches[number] {
                    let destination = rule.destination(of: name, task: job.task, home: staging.home)
                    try put(path, at: destination, moves: !root.isEmpty)
                } else {
                    try send(path, ArrivingFile(assignment: job.id, rule: number, path: name, mode: 0, modified: 0))
                    hasSent = true
                }
            }
        }
        return hasSent
    }

    /// The regular files that a rule's pattern matches, and those in directories that it matches.
    private func files(of rule: StageOutRule, _ job: Job) throws -> [PathBytes] {
        let pattern = rule.pattern(for: job.task)
        let whole = job.directory.map { $0.asPattern.appending(pattern) } ?? pattern
        var found: [PathBytes] = []
        do throws(SystemError) {
            for path in try PathBytes.matches(of: whole) { try collect(path, depth: 0, into: &found) }
        } catch {
            throw Failure(reason: "\(error)")
        }
        return found
    }

    private func collect(_ path: PathBytes, depth: Int, into found: inout [PathBytes]) throws(SystemError) {
        switch FileStatus.of(path)?.kind {
        case .regular: found.append(path)
        // A link that leads back to where it stands has no end.
        case .directory where depth < 64:
            for name in try path.directoryNames() {
                try collect(path.appending(name), depth: depth + 1, into: &found)
            }
        default: break
        }
    }

    // MARK: Where both see it

    private func put(_ path: PathBytes, at destination: PathBytes, moves: Bool) throws {
        guard let status = FileStatus.of(path) else { throw Failure(reason: "\(path.text) is gone") }
        if let there = FileStatus.of(destination), there.isSame(as: status) { return }
        do {
            if moves, destination.parentPath.makeDirectories(),
                path.withPath({ from in destination.withPath { rename(from, $0) } }) == 0
            {
                return
            }
            let target = try PendingFile(destination)
            try read(path) { bytes in
                if isCancelled { throw Cancelled() }
                try target.write(bytes)
            }
            try target.finish(mode: status.mode, modified: status.modified)
        } catch let error as SystemError {
            throw Failure(reason: "\(error)")
        }
    }

    private var isCancelled: Bool { queue.withLock { $0.isCancelled } }

    // MARK: Over the channel

    private func send(_ path: PathBytes, _ file: ArrivingFile) throws {
        guard let status = FileStatus.of(path) else { throw Failure(reason: "\(path.text) is gone") }
        var file = file
        file.mode = status.mode
        file.modified = status.modified
        tell(.fileBegan(file))
        do {
            try read(path) { bytes in
                guard takeCredit(bytes.count) else { throw Cancelled() }
                tell(.fileData(Array(bytes)))
            }
        } catch {
            tell(.fileEnded(isWhole: false))
            if let error = error as? SystemError { throw Failure(reason: "\(error)") }
            throw error
        }
        tell(.fileEnded(isWhole: true))
    }

    private func tell(_ frame: EngineFrame) {
        queue.withLock { $0.frames.append(frame) }
        attention.raise()
    }

    /// Waits until so many bytes may be sent. False where it was cancelled.
    private func takeCredit(_ count: Int) -> Bool {
        queue.wait { queue in
            if queue.isCancelled { return false }
            guard queue.credit >= count else { return nil }
            queue.credit -= count
            return true
        } ?? false
    }

    private func read(_ path: PathBytes, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let raw = path.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        guard raw >= 0 else { throw SystemError("read \(path.text)") }
        let file = Descriptor(owning: raw)
        var buffer = [UInt8](repeating: 0, count: EngineProtocol.stagedPiece)
        while true {
            switch buffer.withUnsafeMutableBytes({ file.read(into: $0) }) {
            case .bytes(let count):
                try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .ended: return
            case .wouldBlock: throw SystemError("read \(path.text)", code: EAGAIN)
            case .failed(let code): throw SystemError("read \(path.text)", code: code)
            }
        }
    }
}
