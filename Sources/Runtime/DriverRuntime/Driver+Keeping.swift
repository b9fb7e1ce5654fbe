import DisbatchCore
import LinuxSystem
import RunRecord

extension Driver {
    /// Brings what ended into the status file and the run record.
    func keep(_ action: SchedulerAction) {
        switch action {
        case .record(let task):
            StatusRow.append(task, to: &rows)
            keepAttempt(task, isFinal: true)
            if task.outcome.failed { noteFailure(task) }
        case .recordPerEngine(let task, let phase):
            StatusRow.append(task, to: &rows)
            if record != nil { entries.append(.perEngineEnded(task, phase)) }
        case .keepAttempt(let task): keepAttempt(task, isFinal: false)
        case .recordLost(let lost):
            let task = recorded(lost)
            if case .perEngine(let phase) = lost.kind { return keep(.recordPerEngine(task, phase)) }
            keep(.record(task))
        case .keepLostAttempt(let lost): keepAttempt(recorded(lost), isFinal: false)
        case .recordBarrier(let barrier, let reached, let met):
            let finish = wall(met)
            StatusRow.append(
                barrier, node: RunHost.name, pid: RunHost.pid, start: wall(reached), finish: finish, to: &rows)
            if record != nil { entries.append(.barrierMet(barrier, time: finish)) }
        default: break
        }
    }

    private func keepAttempt(_ task: RecordedTask, isFinal: Bool) {
        if record != nil { entries.append(.attemptEnded(task, isFinal: isFinal)) }
    }

    func recorded(_ lost: LostAttempt) -> RecordedTask {
        RecordedTask(
            kind: lost.kind == .task ? .task : .perEngine, spec: lost.spec, attempt: lost.attempt, engine: lost.engine,
            node: lost.node, cylinder: -1,
            outcome: lost.outcome(start: wall(lost.assigned), finish: wall(lost.lost)))
    }

    func recordStart(_ id: AssignmentID, _ link: EngineLink, cylinder: Int, pid: Int32, start: Timestamp) {
        guard let (spec, attempt) = scheduler.task(of: id) else { return }
        entries.append(
            .taskStarted(
                StartedTask(
                    spec: spec, attempt: attempt, engine: link.id, node: link.node, cylinder: cylinder, pid: pid,
                    start: start)))
    }

    func warn(_ warning: SchedulerWarning) {
        let text = text(of: warning)
        if case .quarantined = warning { launches.quarantined.append(text) }
        log.write(.warning, text)
        console.warn(text)
    }

    private func text(of warning: SchedulerWarning) -> String {
        switch warning {
        case .engineLost(let engine, let node, let tasks):
            "engine \(engine.rawValue) on \(node) is lost"
                + (tasks == 0 ? "" : ", with \(tasks) running task\(tasks == 1 ? "" : "s")")
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
