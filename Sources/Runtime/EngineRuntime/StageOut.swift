import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// Brings the files of tasks that succeeded home (`--stage-out`), and what tasks wrote (`--capture`) where that is kept
/// on this machine, on a thread of its own: their slots are free meanwhile.
///
/// The thread makes the frames that tell the driver of a task's end: its files first, if they can't be put home from
/// here, then the end itself. The loop sends them in their order.
final class StageOut: Sendable {
    /// A task whose files are to come home.
    struct Job: Sendable {
        var id: AssignmentID
        var task: TaskID
        var attempt: Int
        /// Its own directory, from the working directory; nil without `--task-dir`.
        var directory: PathBytes?
        var cylinder: Int
        var outcome: TaskOutcome

        /// Whether it succeeded.
        var isGood: Bool { outcome.returnCode == 0 && outcome.ending == .exited }
        /// The streams that it wrote to.
        var written: [TaskOutputStream] {
            (outcome.out.count > 0 ? [.output] : []) + (outcome.err.count > 0 ? [.error] : [])
        }
    }

    private struct Queue {
        var jobs: [Job] = []
        /// Directories to be removed once the driver has their files.
        var kept: [AssignmentID: Leftover] = [:]
        var removals: [Leftover] = []
        /// The driver's answers about places at home.
        var answers: [AssignmentID: Answer] = [:]
        var frames: [EngineFrame] = []
        /// How many bytes may still be sent.
        var credit = EngineProtocol.stageOutWindow
        /// Rules of which it was said that nothing matches.
        var warned: Set<Int> = []
        var isBusy = false
        var isCancelled = false
        var isClosed = false
        var hasEnded = false
    }

    /// The driver's answer about the places of a task's files: one that another task has, or none.
    private struct Answer { var taken: PathBytes? }

    /// A task's own directory, of which the files are at home.
    private struct Leftover {
        var directory: PathBytes
        /// The files that were sent from it.
        var sent: [(path: PathBytes, status: FileStatus)] = []
        /// Whether something in it is needed there.
        var isNeeded = false
    }

    private let queue = Guarded(Queue())
    /// Signalled when there are frames to send.
    let wakeup: EventFlag
    private let staging: EngineStaging
    /// Where what tasks wrote is kept to be sent; nil where it isn't.
    private let captures: CapturePlace?
    /// Of each rule, whether its place can be written to from here.
    private let reaches: [Bool]
    /// Of each rule, whether its files are at home where tasks make them.
    private let isInPlace: [Bool]

    init(_ staging: EngineStaging, _ captures: CapturePlace?, sharing: SharedFiles) throws(SystemError) {
        self.staging = staging
        self.captures = captures
        wakeup = try EventFlag()
        let here = FileStatus.of(Array(".".utf8))
        let home = FileStatus.of(staging.home)
        let isHome = here.flatMap { here in home.map { here.isSame(as: $0) } } ?? false
        reaches = staging.rules.map { sharing.reaches($0.base) }
        isInPlace = zip(staging.rules, reaches).map { $0.directory == nil && $1 && isHome }
    }

    func run() throws(WorkerThread.StartError) -> WorkerThread {
        try WorkerThread(name: "stage out") {
            self.work()
            self.queue.withLock { $0.hasEnded = true }
            self.queue.signal()
        }
    }

    // MARK: For the loop

    /// Whether a task that ended has files that go home.
    func hasFiles(of job: Job) -> Bool {
        job.isGood && !staging.rules.isEmpty || captures != nil && !job.written.isEmpty
    }

    func add(_ job: Job) {
        queue.withLock { $0.jobs.append(job) }
        queue.signal()
    }

    /// Whether nothing is under way.
    var isIdle: Bool { queue.withLock { $0.jobs.isEmpty && !$0.isBusy && $0.frames.isEmpty } }

    func takeFrames() -> [EngineFrame] {
        wakeup.clear()
        return queue.withLock { queue in
            let frames = queue.frames
            queue.frames.removeAll()
            return frames
        }
    }

    /// Lets as many more bytes be sent.
    func grant(_ bytes: Int) {
        queue.withLock { $0.credit += max(0, bytes) }
        queue.signal()
    }

    /// The driver has a task's files, or gave up on them.
    func driverKept(_ id: AssignmentID, areWhole: Bool) {
        queue.withLock { queue in
            guard let leftover = queue.kept.removeValue(forKey: id), areWhole else { return }
            queue.removals.append(leftover)
        }
        queue.signal()
    }

    /// Which of the places that were asked for another task has, or none.
    func placesGiven(_ id: AssignmentID, taken: PathBytes?) {
        queue.withLock { $0.answers[id] = Answer(taken: taken) }
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

    /// Whether the thread ends by this time.
    func ends(by deadline: MonotonicTime) -> Bool {
        queue.wait(until: deadline) { $0.hasEnded ? true : nil } ?? false
    }

    // MARK: On the thread

    private enum Work {
        case job(Job)
        case removal(Leftover)
        case end
    }

    private func work() {
        while true {
            let next: Work =
                queue.wait { (queue) -> Work? in
                    // Somebody waits for files; for room, nobody.
                    if !queue.jobs.isEmpty {
                        queue.isBusy = true
                        return .job(queue.jobs.removeFirst())
                    }
                    if let leftover = queue.removals.popLast() { return .removal(leftover) }
                    return queue.isClosed ? .end : nil
                } ?? .end
            switch next {
            case .job(let job): perform(job)
            case .removal(let leftover): remove(leftover)
            case .end:
                captures?.removeEmpty()
                return
            }
        }
    }

    /// Removes a task's directory. One in which a file is another than the one that was sent is the directory at home.
    private func remove(_ leftover: Leftover) {
        let isStrange = leftover.sent.contains { path, status in
            FileStatus.ofOpened(path).map { !$0.isSame(as: status) } ?? true
        }
        if !leftover.isNeeded, !isStrange { leftover.directory.removeTree() }
    }

    private func perform(_ job: Job) {
        var outcome = job.outcome
        var last: [EngineFrame] = []
        do {
            if let captures { try sendWritten(job, from: captures) }
            let leftover = job.isGood && !staging.rules.isEmpty ? try bringHome(job) : nil
            if let leftover, !isInPlace.contains(true) {
                queue.withLock { queue in
                    if leftover.sent.isEmpty {
                        queue.removals.append(leftover)
                    } else {
                        queue.kept[job.id] = leftover
                    }
                }
            }
        } catch let failure as StageOutFailure {
            outcome.returnCode = TaskOutcome.stageOutReturnCode
            last.append(.log(.warning, "task \(job.task.rawValue): --stage-out \(failure.reason)"))
        } catch {
            if job.isGood, !staging.rules.isEmpty { outcome.ending = .stopped }
        }
        last.append(.finished(job.id, cylinder: job.cylinder, outcome))
        queue.withLock { queue in
            queue.frames += last
            queue.isBusy = false
        }
        wakeup.signal()
    }

    /// Returns the task's own directory, if it has one, and what is to be known of it.
    private func bringHome(_ job: Job) throws -> Leftover? {
        let outputs = try TaskOutputs(
            of: job.task, in: job.directory, rules: staging.rules, isInPlace: isInPlace,
            isCancelled: { self.isCancelled })
        var leftover = Leftover(directory: job.directory ?? [])
        for rule in outputs.unmatched {
            leftover.isNeeded = true
            // Where it is so with many tasks, one warning is enough.
            let level: LogLevel = queue.withLock { $0.warned.insert(rule).inserted } ? .warning : .info
            let pattern = staging.rules[rule].pattern(for: job.task).text
            tell(.log(level, "task \(job.task.rawValue): --stage-out \(pattern): nothing matches"))
        }
        if let link = outputs.deadLinks.first {
            leftover.isNeeded = true
            let more = outputs.deadLinks.count == 1 ? "" : " (and \(outputs.deadLinks.count - 1) more)"
            let text = "\(link.text) leads nowhere, and is left out\(more)"
            tell(.log(.warning, "task \(job.task.rawValue): --stage-out: \(text)"))
        }
        try takePlaces(of: outputs.files, job)
        let mayMove = outputs.mayMove(reaching: reaches)
        // What is moved is gone: all else comes first.
        for (file, moves) in zip(outputs.files, mayMove) where !moves {
            if reaches[file.rule] {
                try put(file, job, moves: false, &leftover)
            } else {
                leftover.sent.append((file.path, try send(file, job)))
            }
        }
        for (file, moves) in zip(outputs.files, mayMove) where moves { try put(file, job, moves: true, &leftover) }
        return job.directory == nil ? nil : leftover
    }

    // MARK: Where both see it

    /// Has the driver see to it that no two tasks' files have one place, where that may be.
    private func takePlaces(of files: [TaskOutputs.File], _ job: Job) throws {
        for (number, rule) in staging.rules.enumerated() where rule.mayClash && reaches[number] {
            var names = files.filter { $0.rule == number }.map(\.name)[...]
            while !names.isEmpty {
                tell(.placesWanted(job.id, rule: number, Array(names.prefix(1000))))
                names = names.dropFirst(1000)
                let answer = queue.wait { queue in
                    queue.isCancelled ? Answer() : queue.answers.removeValue(forKey: job.id)
                }
                if isCancelled { throw StageOutCancelled() }
                if let taken = answer?.taken {
                    let place = rule.destination(of: taken, task: job.task, home: staging.home)
                    throw StageOutFailure(reason: "\(rule.pattern.text): \(place.text) is another task's")
                }
            }
        }
    }

    private func put(_ file: TaskOutputs.File, _ job: Job, moves: Bool, _ leftover: inout Leftover) throws {
        let path = file.path
        let destination = staging.rules[file.rule].destination(of: file.name, task: job.task, home: staging.home)
        if isCancelled { throw StageOutCancelled() }
        guard let status = FileStatus.of(path) else { throw StageOutFailure(reason: "\(path.text) is gone") }
        if let there = FileStatus.of(destination), there.isSame(as: status) {
            leftover.isNeeded = true
            return
        }
        do {
            let hasParent = destination.parentPath.makeDirectories()
            if let directory = job.directory, destination.isBelow(directory) { leftover.isNeeded = true }
            if moves, hasParent, path.withPath({ from in destination.withPath { rename(from, $0) } }) == 0 { return }
            let target = try PendingFile(destination)
            let opened = try read(path) { bytes in
                if isCancelled { throw StageOutCancelled() }
                try target.write(bytes)
            }
            try target.finish(mode: opened.mode, modified: opened.modified, syncs: true)
        } catch let error as SystemError {
            throw StageOutFailure(reason: "\(error)")
        }
    }

    private var isCancelled: Bool { queue.withLock { $0.isCancelled } }

    // MARK: Over the channel

    /// Sends what a task wrote, and removes it here. A task's result does not depend on that: where it can't come home,
    /// there is a warning.
    private func sendWritten(_ job: Job, from captures: CapturePlace) throws {
        for stream in job.written {
            let path = PathBytes(captures.path(stream, of: job.task, attempt: job.attempt).utf8)
            // One that could not be written was told of.
            guard let status = FileStatus.of(path) else { continue }
            do {
                let arriving = ArrivingFile(
                    assignment: job.id, captured: stream, mode: status.mode, modified: status.modified)
                _ = try send(path, as: arriving)
                _ = path.withPath { unlink($0) }
            } catch let failure as StageOutFailure {
                tell(.log(.warning, "task \(job.task.rawValue): --capture: \(failure.reason)"))
            } catch {
                let text = "the run was stopped; \(path.text) below the working directory has what it wrote"
                tell(.log(.warning, "task \(job.task.rawValue): --capture: \(text)"))
                throw error
            }
        }
    }

    /// Returns what it was.
    private func send(_ file: TaskOutputs.File, _ job: Job) throws -> FileStatus {
        guard let status = FileStatus.of(file.path) else {
            throw StageOutFailure(reason: "\(file.path.text) is gone")
        }
        return try send(
            file.path,
            as: ArrivingFile(
                assignment: job.id, rule: file.rule, path: file.name, mode: status.mode, modified: status.modified))
    }

    /// Returns what it was.
    private func send(_ path: PathBytes, as arriving: ArrivingFile) throws -> FileStatus {
        // What is small goes home after the run was stopped, too.
        let endures = arriving.captured != nil
        guard takeCredit(arriving.cost, endures) else { throw StageOutCancelled() }
        tell(.fileBegan(arriving))
        do {
            let opened = try read(path) { bytes in
                guard takeCredit(bytes.count, endures) else { throw StageOutCancelled() }
                tell(.fileData(Array(bytes)))
            }
            tell(.fileEnded(isWhole: true))
            return opened
        } catch {
            tell(.fileEnded(isWhole: false))
            if let error = error as? SystemError { throw StageOutFailure(reason: "\(error)") }
            throw error
        }
    }

    private func tell(_ frame: EngineFrame) {
        queue.withLock { $0.frames.append(frame) }
        wakeup.signal()
    }

    /// Waits until that many bytes may be sent. False where staging was cancelled.
    ///
    /// - Parameter endures: whether they are sent even then, if that needs no waiting.
    private func takeCredit(_ count: Int, _ endures: Bool) -> Bool {
        queue.wait { queue in
            if queue.isCancelled, !endures { return false }
            guard queue.credit >= count else { return queue.isCancelled ? false : nil }
            queue.credit -= count
            return true
        } ?? false
    }

    /// Returns what it read.
    private func read(_ path: PathBytes, _ body: (UnsafeRawBufferPointer) throws -> Void) throws -> FileStatus {
        let raw = path.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        guard raw >= 0 else { throw SystemError("read \(path.text)") }
        let file = Descriptor(owning: raw)
        guard let status = FileStatus.of(raw) else { throw SystemError("read \(path.text)") }
        var buffer = [UInt8](repeating: 0, count: EngineProtocol.stagedPiece)
        while true {
            switch buffer.withUnsafeMutableBytes({ file.read(into: $0) }) {
            case .bytes(let count):
                try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .ended: return status
            case .wouldBlock: throw SystemError("read \(path.text)", code: EAGAIN)
            case .failed(let code): throw SystemError("read \(path.text)", code: code)
            }
        }
    }
}
