import DisbatchCore
import LinuxSystem
import RunRecord

/// Brings what ended into the status file and the run record, a batch a turn.
final class RunLedger {
    let writer: StatusWriter
    private let record: RunRecordWriter?
    private let reporter: Reporter
    private var rows: [UInt8] = []
    private var entries: [RunRecordEntry] = []
    /// The number of the sync that the machine waits for; nil where it waits for none.
    private var syncAwaited: Int?
    private var recordFailed = false
    /// How long a full disk is waited for once no task runs any more.
    private let patience: Duration
    /// When to see whether rows are written; nil while none wait.
    private var nextLook: Instant?
    /// Why rows wait in memory, and whether the writer is stuck: then no task is started.
    private var fullness: SystemError?
    private var isStuck = false
    /// Since when no task runs while the disk is full.
    private var restingSince: Instant?
    /// Whether somebody took the status file away, or changed it, while the run went on.
    private(set) var wasTouched = false
    /// What was said of engines that are given no more tasks, for the summary.
    private(set) var quarantined: [String] = []

    init(
        writer: StatusWriter, record: RunRecordWriter?, reporter: Reporter, patience: Duration = .seconds(300)
    ) {
        self.writer = writer
        self.patience = patience
        self.record = record
        self.reporter = reporter
    }

    /// Whether there is a run record, so that entries are worth making.
    var keepsRecord: Bool { record != nil }

    func append(rows: [UInt8]) { self.rows += rows }

    func append(_ entry: RunRecordEntry) { entries.append(entry) }

    // MARK: Tasks

    /// Records what an action says has ended. True for the result of a task that failed.
    func record(_ action: SchedulerAction) -> Bool {
        switch action {
        case .record(let task):
            StatusRow.append(task, to: &rows)
            recordAttempt(task, isFinal: true)
            return task.outcome.failed
        case .recordPerEngine(let task, let phase):
            StatusRow.append(task, to: &rows)
            if keepsRecord { entries.append(.perEngineEnded(task, phase)) }
        case .keepAttempt(let task): recordAttempt(task, isFinal: false)
        case .recordLost(let lost):
            let task = RecordedTask(lost)
            if case .perEngine(let phase) = lost.kind { return record(.recordPerEngine(task, phase)) }
            return record(.record(task))
        case .keepLostAttempt(let lost): recordAttempt(RecordedTask(lost), isFinal: false)
        case .recordBarrier(let barrier, let reached, let met):
            let finish = RunClock.wall(of: met)
            StatusRow.append(
                barrier, node: RunHost.name, pid: RunHost.pid, start: RunClock.wall(of: reached), finish: finish,
                to: &rows)
            if keepsRecord { entries.append(.barrierMet(barrier, time: finish)) }
        default: break
        }
        return false
    }

    private func recordAttempt(_ task: RecordedTask, isFinal: Bool) {
        if keepsRecord { entries.append(.attemptEnded(task, isFinal: isFinal)) }
    }

    /// Tells of what the scheduler wants the user to know.
    func warn(_ warning: SchedulerWarning) {
        if case .quarantined = warning { quarantined.append(warning.text) }
        reporter.report(.warning, warning.text)
    }

    // MARK: Writing

    /// Hands on all that was recorded since the last time.
    func flush() {
        flushRows()
        guard !entries.isEmpty else { return }
        record?.submit(entries)
        entries.removeAll(keepingCapacity: true)
        guard !recordFailed, let failure = record?.takeFailure() else { return }
        recordFailed = true
        reporter.show(.warning, "\(failure); the run goes on without a run record")
        reporter.log(.warning, "run record: \(failure)")
    }

    private func flushRows() {
        guard !rows.isEmpty else { return }
        let waiting = writer.append(rows)
        rows.removeAll(keepingCapacity: true)
        if nextLook == nil { nextLook = RunClock.now + Self.stuckAfter }
        // A file system that hangs must not fill the memory.
        if waiting > Self.highWater { nextLook = RunClock.now }
    }

    private static let stuckAfter = Duration.seconds(10)
    private static let highWater = 64 << 20

    // MARK: Rows that can't be written for now

    /// Whether no task is to be started for now.
    var isHolding: Bool { fullness != nil || isStuck }

    /// When ``keepTime(at:runningTasks:)`` is to be called.
    var nextDeadline: Instant { nextLook ?? .distantFuture }

    /// Looks whether rows are written, and for how long a full disk is to be waited for.
    ///
    /// - Returns: whether ``isHolding`` is to be asked again.
    func keepTime(at now: Instant, runningTasks: Int) -> Bool {
        guard let nextLook, now >= nextLook else { return false }
        if fullness != nil {
            self.nextLook = now + .seconds(1)
            restingSince = runningTasks > 0 ? nil : restingSince ?? now
            if let restingSince, now >= restingSince + patience { writer.giveUp() }
            return false
        }
        guard let since = writer.waitingSince else {
            self.nextLook = nil
            return false
        }
        let isLate = MonotonicTime.now >= since + Self.stuckAfter
        self.nextLook = now + (isLate ? Self.stuckAfter : .seconds(1))
        guard isLate || writer.isFull(beyond: Self.highWater), !isStuck else { return false }
        isStuck = true
        writer.tellOfProgress(true)
        reporter.report(
            .warning,
            "\(writer.path) has not been written for 10 s: no task is started until it is\nIs its file system there?")
        return true
    }

    /// Takes note of a disk that got full, or has room again.
    private func noteFullness() {
        let now = writer.fullness
        if let now, fullness == nil {
            nextLook = RunClock.now
            restingSince = nil
            reporter.report(
                .warning,
                "\(now): no task is started until there is room; rows wait in memory\nRunning tasks go on.")
        } else if now == nil, fullness != nil {
            reporter.report(.info, "\(writer.path) is written again; tasks are started")
        }
        fullness = now
        guard isStuck, writer.waitingSince == nil else { return }
        isStuck = false
        writer.tellOfProgress(false)
        reporter.report(.info, "\(writer.path) is written again; tasks are started")
    }

    /// Ends the wait for what can't be written: the user asked for the run's end once more.
    ///
    /// - Returns: whether rows were waited for.
    func giveUp() -> Bool {
        writer.giveUp()
        reporter.report(.error, "\(writer.path): rows that wait for it are given up")
        defer { syncAwaited = nil }
        return syncAwaited != nil
    }

    /// Asks for all rows so far to be synced, which ``writerReported()`` tells.
    func requestSync() {
        flushRows()
        syncAwaited = writer.requestSync()
    }

    /// What the writer has come to.
    enum Report {
        case nothing
        /// The rows of the last ``requestSync()`` are in the file.
        case synced
        /// Nothing more can be written. `isAwaited`: rows were waited for.
        case failed(isAwaited: Bool)
    }

    func writerReported() -> Report {
        writer.wakeup.clear()
        for rescue in writer.takeRescues() {
            wasTouched = true
            reporter.report(.error, rescue.text)
        }
        noteFullness()
        if let failure = writer.takeFailure() {
            reporter.show(.error, "\(failure); the run ends, and the file stands at its last whole row")
            reporter.log(.critical, "\(failure)")
            // Nobody is to wait for what can't be written.
            defer { syncAwaited = nil }
            return .failed(isAwaited: syncAwaited != nil)
        }
        guard let awaited = syncAwaited, writer.syncCount >= awaited else { return .nothing }
        syncAwaited = nil
        return .synced
    }

    /// Ends the run record.
    func close(at end: Timestamp, exitStatus: Int32, summary: String) {
        record?.submit([.runEnded(time: end, exitStatus: exitStatus, summary: summary)])
        record?.close(filledFrom: writer.path)
        guard let failure = record?.takeFailure() else { return }
        reporter.report(.warning, "\(failure); dbutil goes by the status file, and the next run with -r completes it")
    }
}

extension RecordedTask {
    /// An attempt that was lost with its engine, as the record has it.
    init(_ lost: LostAttempt) {
        self.init(
            kind: lost.kind == .task ? .task : .perEngine, spec: lost.spec, attempt: lost.attempt, engine: lost.engine,
            node: lost.node, cylinder: -1,
            outcome: lost.outcome(start: RunClock.wall(of: lost.assigned), finish: RunClock.wall(of: lost.lost)))
    }
}

extension SchedulerWarning {
    /// The warning in words.
    var text: String {
        switch self {
        case .engineLost(let engine, let node, let tasks):
            "engine \(engine.rawValue) on \(node) is lost"
                + (tasks == 0 ? "" : ", with \(tasks) running task\(tasks == 1 ? "" : "s")")
        case .engineQuiet(let engine, let node, let seconds):
            "engine \(engine.rawValue) on \(node) has not answered for \(seconds) s; it is given nothing more until it does"
        case .engineAnswers(let engine, let node): "engine \(engine.rawValue) on \(node) answers again"
        case .startCommandFailed(let engine, let node, let code, let isUsed):
            "engine \(engine.rawValue) on \(node): a PERENGINE START command failed with \(code); "
                + (isUsed ? "the engine is used all the same (--strict-start)" : "the engine is not used")
        case .taskGivenUp(let task, let losses):
            "task \(task.rawValue) is given up: its engine was lost \(losses) times while it ran (--max-lost)"
        case .checkFailed(let barrier):
            "line \(barrier.streamIndex): BARRIER CHECK found a failed task, the run ends here; -R retries failures"
        case .quarantined(let engine, let node, let failures):
            "engine \(engine.rawValue) on \(node): its last \(failures) tasks failed within a second each, others' "
                + "succeed; it is given no more (--no-quarantine)"
        case .failedFast(let task): "task \(task.rawValue) failed: the run ends (--fail-fast)"
        }
    }
}

extension StatusRescue {
    /// The error in words.
    var text: String {
        let damage =
            switch damage {
            case .removed: "was removed"
            case .replaced: "was replaced by another file"
            case .changed: "was changed by somebody else"
            }
        let outcome =
            switch kept {
            case nil: "Its rows can't be kept anywhere: copy what there is, and make room; it is tried again."
            case path?: "It is there again, with all rows; leave it alone until the run ends."
            case let kept? where isComplete: "All rows are kept in \(kept), and the run goes on there."
            case let kept?: "The last rows are kept in \(kept), and the run goes on there; older ones are not known."
            }
        return "\(path) \(damage) while the run goes on\n\(outcome)"
    }
}
