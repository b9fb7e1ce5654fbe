/// A resource manager whose allocations can be used.
package enum ResourceManager: String, Sendable {
    case slurm
    case gridEngine = "sge"
    case pbs
    case lsf

    /// As users call it.
    package var name: String {
        switch self {
        case .slurm: "Slurm"
        case .gridEngine: "Grid Engine"
        case .pbs: "PBS"
        case .lsf: "LSF"
        }
    }
}

/// A resource manager's program that starts an engine on a node of the allocation and carries its standard streams.
package struct Launcher: Equatable, Sendable {
    package var manager: ResourceManager
    /// Its name on PATH.
    package var program: String
    /// Behind them comes the engine's path.
    package var arguments: [String]
    /// Variables of its environment, `NAME=VALUE`, that no task gets.
    package var environment: [String] = []
    /// Names of variables that are removed from its environment, but from no task's.
    package var unset: [String] = []
    /// The option that gives the engine's step a name; nil where steps have none.
    package var stepNameOption: String?

    package init(_ manager: ResourceManager, _ program: String, _ arguments: [String]) {
        self.manager = manager
        self.program = program
        self.arguments = arguments
    }

    /// The whole command: by way of `env` where the environment differs.
    ///
    /// - Parameters:
    ///   - env: the path of `env`.
    ///   - program: the path of ``program``.
    ///   - engine: the engine's path.
    package func words(env: String, program: String, engine: String) -> [String] {
        let command = [program] + arguments + [engine]
        guard !environment.isEmpty || !unset.isEmpty else { return command }
        return [env] + unset.flatMap { ["-u", $0] } + environment + command
    }
}
