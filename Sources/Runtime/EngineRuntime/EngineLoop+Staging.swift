import DisbatchCore
import Glibc
import LinuxSystem

/// Files that come before the first task, and files that go home after one.
extension EngineLoop {
    // MARK: In

    /// Lets the receiver take a part of the list; at its end, asks for what is missing.
    func takeStaged(_ entries: [StagedEntry], isLast: Bool) {
        guard let receiver = awaitingFiles?.receiver else { return }
        receiver.add(entries)
        guard isLast else { return }
        do throws(EngineRefusal) {
            send(.stagedEntriesWanted(try receiver.wants()))
            try beginIfComplete()
        } catch {
            refuse(error.reason)
        }
    }

    func receiveStaged(_ bytes: [UInt8]) {
        guard let receiver = awaitingFiles?.receiver else { return }
        do throws(EngineRefusal) {
            try receiver.take(bytes)
            try beginIfComplete()
        } catch {
            refuse(error.reason)
        }
    }

    private func beginIfComplete() throws(EngineRefusal) {
        guard let (configuration, receiver) = awaitingFiles, receiver.isComplete else { return }
        awaitingFiles = nil
        try begin(configuration)
    }

    // MARK: Out

    func makeStageOut(_ configuration: EngineConfiguration) throws -> StageOut? {
        let staging = configuration.staging
        guard !staging.rules.isEmpty else { return nil }
        let stageOut = try StageOut(
            staging, sharing: SharedFiles(staging, nodeKind: configuration.nodeKind))
        try poll.add(stageOut.attention.raw, token: Token.stageOut.rawValue)
        stageOutThread = try stageOut.run()
        return stageOut
    }

    /// Lets a task's files come home before its end is told of. False where there are none to come.
    func stagesOut(_ cylinder: Int, _ assignment: Assignment, _ outcome: TaskOutcome) -> Bool {
        guard let work, let stageOut = work.stageOut, assignment.kind == .task, outcome.returnCode == 0,
            outcome.ending == .exited
        else { return false }
        stageOut.add(
            StageOut.Job(
                id: assignment.id, task: assignment.spec.id, directory: work.cylinders[cylinder].directory,
                cylinder: cylinder, outcome: outcome))
        return true
    }

    /// Lets the thread end, after what it was told to remove where that doesn't take long: a driver waits for this
    /// engine's end.
    func endStageOut() {
        guard let stageOut = work?.stageOut else { return }
        stageOut.close()
        let isDone = exitStatus == 0 && stageOut.ends(by: MonotonicTime.now + .seconds(10))
        isDone ? stageOutThread.take()?.join() : stageOutThread.take()?.detach()
    }

    func sendStaged() {
        for frame in work?.stageOut?.takeFrames() ?? [] { send(frame) }
        if let status = exitStatusToCome { leave(with: status) }
    }

    /// Leaves, but with files on their way home only when they are sent.
    func leave(with status: Int32) {
        if status == 0, let stageOut = work?.stageOut, !stageOut.isIdle {
            exitStatusToCome = status
        } else {
            exitStatus = status
        }
    }
}
