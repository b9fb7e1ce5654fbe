/// A job of PBS: a host for each line of its node file, as often as it has slots there.
package enum PBSContext {
    /// The hosts of `PBS_NODEFILE`.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let job = try surroundings.required("PBS_JOBID", .pbs)
        let hosts = HostCounts(lines: try surroundings.file(of: "PBS_NODEFILE", .pbs)).hosts
        guard !hosts.isEmpty else { throw ContextError("PBS_NODEFILE names no host: nothing was run") }
        let slots = hosts.map { "\($0.name): \($0.count) slots" }
        var plan = ContextPlan(
            // 1234.server, or 1234[5].server in an array.
            label: sizing.label ?? "J\(job.prefix { $0 != "." })", kind: "pbs", engines: [], bindsCores: false,
            notes: slots)
        // OpenPBS and PBS Pro have one program, Torque the other.
        let hasRemoteShell = surroundings.findPrograms(["pbs_tmrsh"]) != []
        for host in hosts {
            var engine = try sizing.engine(on: host.name, cores: host.count)
            if !surroundings.isThisMachine(host.name) {
                engine.place = .launched(
                    hasRemoteShell
                        ? Launcher(.pbs, "pbs_tmrsh", [host.name]) : Launcher(.pbs, "pbsdsh", ["-h", host.name]))
            }
            plan.engines.append(engine)
        }
        return plan
    }
}
