import DisbatchCore
import Glibc
import LinuxSystem

/// Files that go home after a task.
extension WorkingEngine {
    /// The thread's part; nil where no files go home.
    static func makeStageOut(
        _ configuration: EngineConfiguration, _ captures: CapturePlace?
    ) throws(SystemError) -> StageOut? {
        let staging = configuration.staging
        let captures = captures?.isAway == true ? captures : nil
        guard !staging.rules.isEmpty || captures != nil else { return nil }
        return try StageOut(staging, captures, sharing: SharedFiles(staging, nodeKind: configuration.nodeKind))
    }

    /// Lets a task's files come home before its end is told of. False where there are none to come.
    func stagesOut(_ cylinder: Int, _ assignment: Assignment, _ outcome: TaskOutcome) -> Bool {
        guard let stageOut, assignment.kind == .task else { return false }
        let job = StageOut.Job(
            id: assignment.id, task: assignment.spec.id, attempt: assignment.attempt,
            directory: cylinders[cylinder].directory, cylinder: cylinder, outcome: outcome)
        guard stageOut.hasFiles(of: job) else { return false }
        stageOut.add(job)
        return true
    }

    /// Sends what the thread has for the driver.
    func sendStaged() {
        for frame in stageOut?.takeFrames() ?? [] { channel.send(frame) }
        if let status = exitStatusToCome { leave(with: status) }
    }

    /// Lets the thread end, after what it was told to remove where that doesn't take long: a driver waits for this
    /// engine's end.
    func endStageOut(inOrder: Bool) {
        guard let stageOut else { return }
        stageOut.close()
        let isDone = inOrder && stageOut.ends(by: MonotonicTime.now + .seconds(10))
        isDone ? stageOutThread.take()?.join() : stageOutThread.take()?.detach()
    }
}
