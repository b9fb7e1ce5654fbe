import DisbatchCore
import Glibc
import LinuxSystem

/// The way from the driver's first frame to the first task.
extension EngineLoop {
    /// Handles a frame that comes before tasks can.
    func prepare(_ frame: DriverFrame) {
        do throws(EngineRefusal) {
            switch frame {
            case .configure(let configuration): try configure(configuration)
            case .stagedEntries(let entries, let isLast): try receive(entries, isLast: isLast)
            case .stagedData(let bytes): try receive(bytes)
            case .stagingFailed(let reason): throw EngineRefusal("--stage-in: \(reason)")
            case .lease(let sentAt, _): channel.send(.leaseAcknowledged(sentAt: sentAt))
            case .shutDown: leave(with: 0)
            case .run, .recall, .endTasks, .endTask, .follow, .outputTaken, .stageOutCredit, .filesKept, .placesGiven:
                break
            }
        } catch {
            phase = .greeting
            channel.send(.refused(reason: error.reason))
        }
    }

    private func configure(_ configuration: EngineConfiguration) throws(EngineRefusal) {
        guard case .greeting = phase else { return }
        Leavings(of: configuration.lostGuards.map(TaskVariables.guardMark)).killAll()
        try enterDirectory(of: configuration)
        guard configuration.staging.stagesIn else { return try begin(configuration) }
        let sharing = SharedFiles(configuration.staging, nodeKind: configuration.nodeKind)
        let mark = configuration.staging.mark
        if !mark.isEmpty { stagedUse = StagedUse(mark: mark, runName: configuration.jobID) }
        phase = .awaitingFiles(
            configuration, StageInReceiver(workingDirectory: configuration.workingDirectory, sharing: sharing))
    }

    private func enterDirectory(of configuration: EngineConfiguration) throws(EngineRefusal) {
        let directory = configuration.workingDirectory.text
        if configuration.makesWorkingDirectory { configuration.workingDirectory.makeDirectories() }
        guard configuration.workingDirectory.withPath(chdir) == 0 else {
            let reason = "working directory \(directory): \(String(cString: strerror(errno)))"
            throw EngineRefusal(
                configuration.nodeKind == .local || configuration.makesWorkingDirectory
                    ? reason : reason + "; --workdir DIR names another, which is made where it is missing")
        }
    }

    // MARK: Files that come before the first task

    /// Lets the receiver take a part of the list; at its end, asks for what is missing.
    private func receive(_ entries: [StagedEntry], isLast: Bool) throws(EngineRefusal) {
        guard case .awaitingFiles(let configuration, let receiver) = phase else { return }
        receiver.add(entries)
        guard isLast else { return }
        channel.send(.stagedEntriesWanted(try receiver.wants()))
        if let warning = receiver.warning(others: stagedUse?.others ?? []) { channel.send(.log(.warning, warning)) }
        if receiver.isComplete { try begin(configuration) }
    }

    private func receive(_ bytes: [UInt8]) throws(EngineRefusal) {
        guard case .awaitingFiles(let configuration, let receiver) = phase else { return }
        try receiver.take(bytes)
        if receiver.isComplete { try begin(configuration) }
    }

    // MARK: Work

    private func begin(_ configuration: EngineConfiguration) throws(EngineRefusal) {
        let engine = try makeWorkingEngine(configuration)
        phase = .working(engine)
        channel.send(.ready(slots: engine.setup.slots))
        channel.send(
            .log(
                .info,
                "engine \(configuration.rank.rawValue): \(engine.setup.slots) slots, guard \(parts.guardName), "
                    + (parts.usesProcessDescriptors ? "pidfd" : "SIGCHLD")))
        for warning in engine.setup.warnings { channel.send(.log(.warning, warning)) }
    }

    private func makeWorkingEngine(_ configuration: EngineConfiguration) throws(EngineRefusal) -> WorkingEngine {
        guard configuration.slots < GroupTable.capacity else {
            throw EngineRefusal("\(configuration.slots) slots are more than an engine can have")
        }
        guard access(TaskLauncher.shell, X_OK) == 0 else {
            throw EngineRefusal("\(TaskLauncher.shell): \(String(cString: strerror(errno))); tasks are run by it")
        }
        let setup = try EngineSetup(
            configuration, ownEnvironment: OwnEnvironment.entries(), guardName: parts.guardName,
            allowed: CPUSet.current())
        do {
            let engine = try WorkingEngine(setup, parts, killer: killer, poll: poll, channel: channel, greeted: greeted)
            try engine.startThreads()
            return engine
        } catch {
            throw EngineRefusal("\(error)")
        }
    }
}
