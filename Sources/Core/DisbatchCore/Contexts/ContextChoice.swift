/// The kinds of context that `--context` can ask for.
package enum ContextKind: String, CaseIterable, Sendable {
    case local
    case ssh
    case slurm
    case gridEngine = "sge"
    case pbs
    case lsf
}

/// Chooses a run's context from its options and from what the environment tells of the machine.
package enum ContextChoice {
    /// - Parameters:
    ///   - kind: the one that was asked for.
    ///   - sshLists: the values of `-s`.
    ///   - rank: how many contexts the run has had before.
    package static func plan(
        _ kind: ContextKind? = nil, sshLists: [String], rank: Int = 0, _ sizing: ContextSizing,
        _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let (chosen, reason) = choose(kind, sshLists: sshLists, surroundings)
        guard sshLists.isEmpty || chosen == .ssh else {
            throw ContextError("-s can't go with --context \(chosen.rawValue): leave one of them out")
        }
        var plan: ContextPlan
        switch chosen {
        case .local:
            if kind == nil, let program = surroundings.findPrograms(LocalContext.submitPrograms).first {
                throw LocalContext.loginNodeError(program: program)
            }
            plan = try LocalContext.plan(sizing, surroundings)
        case .ssh: plan = try SSHContext.plan(try lists(sshLists, surroundings), rank: rank, sizing, surroundings)
        case .slurm: plan = try SlurmContext.plan(sizing, surroundings)
        case .gridEngine: plan = try GridEngineContext.plan(sizing, surroundings)
        case .pbs: plan = try PBSContext.plan(sizing, surroundings)
        case .lsf: plan = try LSFContext.plan(sizing, surroundings)
        }
        plan.reason = reason
        plan.home = plan.home ?? plan.engines.first { $0.place == .here }?.node
        return plan
    }

    /// Whether the environment tells of hosts, or of a resource manager's job.
    package static func isInAllocation(_ surroundings: Surroundings) -> Bool {
        choose(nil, sshLists: [], surroundings).0 != .local
    }

    /// The kind of context, and why it is that.
    private static func choose(
        _ kind: ContextKind?, sshLists: [String], _ surroundings: Surroundings
    ) -> (ContextKind, reason: String) {
        if let kind { return (kind, "--context") }
        if !sshLists.isEmpty { return (.ssh, "-s") }
        let isSet = { surroundings.value($0) != nil }
        if isSet("SLURM_JOB_ID") { return (.slurm, "SLURM_JOB_ID is set") }
        if isSet("PE_HOSTFILE") { return (.gridEngine, "PE_HOSTFILE is set") }
        // JOB_ID alone may be anything's.
        if isSet("JOB_ID"), isSet("SGE_ROOT") { return (.gridEngine, "JOB_ID and SGE_ROOT are set") }
        if isSet("PBS_JOBID") { return (.pbs, "PBS_JOBID is set") }
        if isSet("LSB_JOBID") { return (.lsf, "LSB_JOBID is set") }
        if isSet("DISBATCH_SSH_NODELIST") { return (.ssh, "DISBATCH_SSH_NODELIST is set") }
        return (.local, "there is no allocation, and no host was named")
    }

    private static func lists(_ options: [String], _ surroundings: Surroundings) throws(ContextError) -> [String] {
        if !options.isEmpty { return options }
        if let list = surroundings.value("DISBATCH_SSH_NODELIST") { return [list] }
        throw ContextError("--context ssh needs hosts: name them with -s HOST:CORES, or in DISBATCH_SSH_NODELIST")
    }
}
