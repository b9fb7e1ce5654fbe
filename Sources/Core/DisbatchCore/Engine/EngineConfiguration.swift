/// How cylinders share the node's processors (`--bind`).
package enum CoreBinding: UInt8, CaseIterable, Sendable {
    /// Each cylinder has cores of its own.
    case cores = 1
    /// Every task may run on every core of the engine.
    case none = 0

    /// The word that `--bind` takes.
    package var name: String {
        switch self {
        case .cores: "cores"
        case .none: "none"
        }
    }
}

/// Where an engine runs, as far as a task's environment depends on it.
package enum NodeKind: UInt8, Sendable {
    /// The driver's own machine.
    case local
    case ssh
    case slurm
    case gridEngine
    case pbs
    case lsf
}

/// The settings that an engine is given before its first task.
package struct EngineConfiguration: Equatable, Sendable {
    package var rank: EngineID
    package var slots: Int
    package var coresPerTask: Int
    package var binding: CoreBinding
    package var nodeKind: NodeKind
    package var workingDirectory: [UInt8]
    /// Whether it is made where it is missing.
    package var makesWorkingDirectory = false
    /// The driver's environment as its user had it, each `NAME=VALUE`, then `--env`'s; the node's own goes over it.
    package var environment: [[UInt8]]
    package var extraEnvironment: [[UInt8]]
    /// Variables whose comma-separated values in the engine's environment are shared out to cylinders (`-E`, `-g`).
    package var sharedVariables: [[UInt8]]
    /// `DISBATCH_JOBID` and `DISBATCH_NAMETASKS`.
    package var jobID: [UInt8]
    package var taskFileName: [UInt8]
    package var tasks = TaskSettings()
    /// The directory of `--capture`.
    package var captureDirectory: [UInt8]?
    package var staging = EngineStaging()
    /// The guards of engines that were in this one's place before, and of which nobody knows whether they ended their
    /// tasks: what is left of these is to be ended before the first task starts.
    package var lostGuards: [String] = []

    package init(rank: EngineID, slots: Int, workingDirectory: [UInt8]) {
        self.rank = rank
        self.slots = slots
        self.workingDirectory = workingDirectory
        coresPerTask = 1
        binding = .none
        nodeKind = .local
        environment = []
        extraEnvironment = []
        sharedVariables = []
        jobID = []
        taskFileName = []
        captureDirectory = nil
    }
}
