import DisbatchCore
import Glibc
import LinuxSystem

/// What the driver's first frame brings about.
extension EngineLoop {
    func configure(_ configuration: EngineConfiguration) {
        guard work == nil, awaitingFiles == nil else { return }
        ProcessTree.killAll(withAnyOf: configuration.lostGuards.map(TaskVariables.guardMark))
        do throws(EngineRefusal) {
            try enterDirectory(of: configuration)
            guard configuration.staging.stagesIn else { return try begin(configuration) }
            let sharing = SharedFiles(configuration.staging, nodeKind: configuration.nodeKind)
            awaitingFiles = (
                configuration, StageInReceiver(workingDirectory: configuration.workingDirectory, sharing: sharing)
            )
        } catch {
            refuse(error.reason)
        }
    }

    func refuse(_ reason: String) {
        awaitingFiles = nil
        send(.refused(reason: reason))
    }

    func begin(_ configuration: EngineConfiguration) throws(EngineRefusal) {
        let work = try prepare(configuration)
        self.work = work
        send(.ready(slots: work.setup.slots))
        send(
            .log(
                .info,
                "engine \(configuration.rank.rawValue): \(work.setup.slots) slots, guard \(guardName), "
                    + (usesProcessDescriptors ? "pidfd" : "SIGCHLD")))
        for warning in work.setup.warnings { send(.log(.warning, warning)) }
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

    private func prepare(_ configuration: EngineConfiguration) throws(EngineRefusal) -> Work {
        guard configuration.slots < GroupTable.capacity else {
            throw EngineRefusal("\(configuration.slots) slots are more than an engine can have")
        }
        guard access(TaskLauncher.shell, X_OK) == 0 else {
            throw EngineRefusal("\(TaskLauncher.shell): \(String(cString: strerror(errno))); tasks are run by it")
        }
        let setup = try EngineSetup(
            configuration, ownEnvironment: OwnEnvironment.entries(), guardName: guardName,
            allowed: ProcessorSet.current())
        do {
            let launcher = try TaskLauncher(setup, table: table, usesProcessDescriptors: usesProcessDescriptors)
            let starter = try TaskStarter(launcher: launcher, poll: poll, setup: setup)
            try poll.add(starter.attention.raw, token: Token.starter.rawValue)
            thread = try starter.run()
            let stageOut = try makeStageOut(configuration)
            return Work(
                machine: EngineMachine(
                    slots: setup.slots, taskTimeout: configuration.taskTimeout, killAfter: configuration.killAfter),
                starter: starter, launcher: launcher, setup: setup, stageOut: stageOut,
                cylinders: Array(repeating: CylinderState(), count: setup.slots + 1))
        } catch {
            throw EngineRefusal("\(error)")
        }
    }
}
