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
    /// Whether rows are written, or the run holds.
    private var watch: WritingWatch
    private var hasFailed = false
    /// Whether the user gave up the rows that can't be written.
    private(set) var isGivenUp = false
    /// Whether somebody took the status file away, or changed it, while the run went on.
    private(set) var wasTouched = false
    /// Messages about engines that are given no more tasks, for the summary.
    private(set) var quarantined: [String] = []

    init(
        writer: StatusWriter, record: RunRecordWriter?, reporter: Reporter, patience: Duration = .seconds(300)
    ) {
        self.writer = writer
        watch = WritingWatch(patience: patience)
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
        watch.handedOver(waitingBytes: waiting, at: RunClock.now)
    }

    // MARK: Rows that can't be written for now

    /// Whether no task is to be started for now.
    var isHolding: Bool { watch.isHolding }

    /// When ``keepTime(at:runningTasks:)`` is to be called.
    var nextDeadline: Instant { hasFailed || isGivenUp ? .distantFuture : watch.nextDeadline }

    /// Looks whether rows are written, if it is time to. ``isHolding`` may be another then.
    func keepTime(at now: Instant, runningTasks: Int) {
        if now >= nextDeadline { look(at: now, runningTasks: runningTasks) }
    }

    private func look(at now: Instant, runningTasks: Int) {
        let (age, bytes) = writer.waiting
        let sight = WritingWatch.Sight(
            isFull: writer.fullness != nil, oldest: age, waitingBytes: bytes, runningTasks: runningTasks)
        switch watch.look(sight, at: now) {
        case .full:
            let reason = writer.fullness.map { "\($0)" } ?? "\(writer.path): the disk is full"
            let outcome = "no task is started until there is room; rows wait in memory, running tasks go on"
            reporter.report(.warning, "\(reason): \(outcome)")
        case .stuck:
            let outcome = "no task is started until it is\nIs its file system there?"
            reporter.report(.warning, "\(writer.path) has not been written for 10 s: \(outcome)")
        case .room, .goesOn: reporter.report(.info, "\(writer.path) is written again; tasks are started")
        case .givenUp: writer.giveUp()
        case nil: break
        }
    }

    /// Ends the wait for what can't be written: the user asked for the run's end once more.
    func giveUp() {
        guard !isGivenUp else { return }
        isGivenUp = true
        syncAwaited = nil
        writer.giveUp()
        reporter.report(.error, "\(writer.path): rows that wait for it are given up")
    }

    /// Asks for all rows so far to be synced, which ``writerReported()`` tells.
    func requestSync() {
        flushRows()
        syncAwaited = writer.requestSync()
    }

    /// The news of the writer.
    enum Report {
        case nothing
        /// The rows of the last ``requestSync()`` are in the file.
        case synced
        /// Nothing more can be written. `isAwaited`: rows were waited for.
        case failed(isAwaited: Bool)
    }

    func writerReported(runningTasks: Int) -> Report {
        writer.wakeup.clear()
        for rescue in writer.takeRescues() {
            wasTouched = true
            reporter.report(.error, rescue.text)
        }
        if let failure = writer.takeFailure() {
            hasFailed = true
            reporter.show(.error, "\(failure); the run ends, and the file stands at its last whole row")
            reporter.log(.critical, "\(failure)")
            // Nobody is to wait for what can't be written.
            defer { syncAwaited = nil }
            return .failed(isAwaited: syncAwaited != nil)
        }
        if !hasFailed { look(at: RunClock.now, runningTasks: runningTasks) }
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
            "engine \(engine.rawValue) on \(node) has not answered for \(seconds) s; it gets nothing more until it does"
        case .engineAnswers(let engine, let node): "engine \(engine.rawValue) on \(node) answers again"
        case .startCommandFailed(let engine, let node, let code, let isUsed):
            "engine \(engine.rawValue) on \(node): a PERENGINE START command failed with \(code); "
                + (isUsed ? "the engine is used all the same (--strict-start)" : "the engine is not used")
        case .commandSlow(let engine, let node, let phase, let number, let seconds, let others):
            "engine \(engine.rawValue) on \(node)" + (others > 0 ? " and \(others) more" : "")
                + ": PERENGINE \(phase == .start ? "START" : "STOP") command \(number) has run for \(seconds) s"
        case .taskGivenUp(let task, let losses):
            "task \(task.rawValue) is given up: its engine was lost \(losses) times while it ran (--max-lost)"
        case .runsAlone(let task, let engine, let losses):
            "task \(task.rawValue) was lost with its engine \(losses) times, beside others: it runs alone, on engine "
                + "\(engine.rawValue)"
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
