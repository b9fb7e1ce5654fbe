import DisbatchContexts
import LinuxSystem

/// Finds what launches engines in an allocation.
enum LauncherPrograms {
    /// The paths of the programs that the plan needs, and of `env`, by name; none where it has no such engine.
    ///
    /// - Throws: ``StartError`` where one is not on PATH.
    static func find(_ plan: ContextPlan) throws(StartError) -> [String: String] {
        var found: [String: String] = [:]
        for engine in plan.engines {
            guard case .launched(let launcher) = engine.place else { continue }
            for name in [launcher.program, "env"] where found[name] == nil {
                guard let path = ChildProcess.find(name) else {
                    throw StartError(
                        "\(name) is not on PATH: \(launcher.manager.name) can't start engines; nothing was run")
                }
                found[name] = path
            }
        }
        return found
    }
}

/// What a resource manager's program says of an engine that it could not start, or that ended.
enum LauncherFailure {
    /// Whether trying again can't help: the user has something to change, or the job is over.
    static func isPermanent(_ message: String) -> Bool {
        let signs = [
            "execve(): ", "Invalid generic resource", "Invalid job id", "Requested node configuration is not available",
            "Job/step already completing or completed", "Invalid node name", "CPU count",
        ]
        return signs.contains { message.contains($0) }
    }

    /// Whether a line comes after the one that says why.
    static func saysOnlyThatItEnded(_ line: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: line, as: UTF8.self)
        return text.hasPrefix("srun: ")
            && [": Exited with exit code", "Terminating StepId", "launch/slurm: ", "Job step aborted"]
                .contains { text.contains($0) }
    }
}

extension EnginePlan {
    /// Whether SSH leads to it.
    var isLoggedInTo: Bool {
        if case .ssh = place { return true }
        return false
    }
}
