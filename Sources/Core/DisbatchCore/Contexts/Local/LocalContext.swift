/// The cores of this machine, when nothing else was asked for.
package enum LocalContext {
    /// Programs that a login node of a cluster has, and a machine for computing has not.
    package static let submitPrograms = ["sbatch", "qsub", "pbsdsh", "bsub"]

    /// One engine, on the cores that this machine allows.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let engine = try sizing.engine(on: surroundings.hostName, cores: surroundings.ownCores)
        return ContextPlan(
            label: sizing.label ?? "LOCAL0", kind: "local", engines: [engine], bindsCores: false,
            notes: ["\(surroundings.ownCores) cores of this machine, by affinity mask and control group"])
    }

    /// The error of a run on a login node, where computing would disturb everybody.
    package static func loginNodeError(program: String) -> ContextError {
        ContextError(
            """
            this looks like a login node (\(program) is here, and there is no allocation): nothing was run.
            Submit it, with N tasks at once:  sbatch -n N disbatch ...
            or use this machine's own cores:  disbatch -s localhost:N ...
            """)
    }
}
