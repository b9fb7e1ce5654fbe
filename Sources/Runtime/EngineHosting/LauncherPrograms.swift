package import DisbatchCore
import LinuxSystem

/// The programs that launch engines in an allocation.
package enum LauncherPrograms {
    /// The paths of the programs that the plan needs, and of `env`, by name; none where it has no such engine.
    ///
    /// - Throws: ``StartError`` where one is not on PATH.
    package static func find(_ plan: ContextPlan) throws(StartError) -> [String: String] {
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
