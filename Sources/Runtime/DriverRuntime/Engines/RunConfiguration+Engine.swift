import DisbatchCore
import LinuxSystem
import Options

extension RunConfiguration {
    /// The configuration that an engine is sent.
    ///
    /// - Parameter runName: the run's, as tasks know it.
    func engineConfiguration(
        of engine: DriverEngine, in context: DriverContext, runName: String
    ) -> EngineConfiguration {
        let directory = options.workingDirectory ?? context.homeDirectory(ofRun: runName)
        var result = EngineConfiguration(
            rank: engine.id, slots: engine.plan.slots,
            workingDirectory: Array((directory ?? WorkingDirectory.path).utf8))
        result.makesWorkingDirectory = directory != nil
        result.coresPerTask = engine.plan.coresPerTask
        result.binding = context.bindsCores ? .cores : .none
        result.nodeKind = context.nodeKind(of: engine.plan)
        result.environment = OwnEnvironment.entries()
        result.extraEnvironment = options.environment.compactMap { setting in
            if let value = setting.value { return Array("\(setting.name)=\(value)".utf8) }
            return TaskEnvironment.value(of: setting.name, in: result.environment).map {
                Array("\(setting.name)=".utf8) + $0
            }
        }
        result.sharedVariables = context.policy.sharedVariables.map { Array($0.utf8) }
        result.jobID = Array(runName.utf8)
        result.taskFileName = Array(options.taskSource.shortName.utf8)
        result.tasks = options.tasks
        result.captureDirectory = options.captureDirectory.map { Array($0.utf8) }
        return result
    }
}
