/// A Slurm allocation: the nodes and cores of the job that the driver runs in.
package enum SlurmContext {
    /// An engine for each node that has the cores for one task.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let allocation = try SlurmAllocation(surroundings)
        let (job, nodes) = (allocation.job, allocation.nodes)
        var plan = ContextPlan(
            label: sizing.label ?? "J\(job)", kind: "slurm", engines: [], bindsCores: true,
            notes: ["job \(job): \(nodes.count) nodes, \(allocation.cores) cores"])
        plan.job = job
        plan.warnings = allocation.warnings
        let ownName = surroundings.value("SLURMD_NODENAME")
        plan.home =
            nodes.first { $0.name == ownName }?.name
            ?? nodes.first { surroundings.isThisMachine($0.name) }?.name
        plan.isRestarted = surroundings.value("SLURM_RESTART_COUNT").flatMap { Int($0) } ?? 0 > 0
        plan.endQuery = .slurm(job: job)
        warnOfOptions(sizing, against: nodes[0].component, &plan.warnings)
        let fillsNodes = fillsNodes(sizing, surroundings, &plan.warnings)
        let launching = try SlurmLaunching(surroundings)
        plan.notes += launching.settings.map { "srun's environment: \($0)" }
        for node in nodes {
            let share = coresPerTask(sizing, node.component)
            let count = try slots(of: node, share, sizing, fillsNodes: fillsNodes, surroundings)
            guard count >= 1 else {
                plan.warnings.append(
                    "\(node.name) is not used: it has \(node.cores) cores, too few for one task of \(share) (-c)")
                continue
            }
            guard count <= EnginePlan.maximumSlots else {
                throw ContextError(
                    "\(node.name): more than \(EnginePlan.maximumSlots) tasks at once are not possible (-c, -t)")
            }
            let whole = sizing.coresPerTask.map { Int($0.rounded(.down)) } ?? (node.cores / count)
            var engine = EnginePlan(node: node.name, slots: count, coresPerTask: max(1, whole))
            engine.place = .launched(launching.launcher(of: node, tasks: node.tasks ?? count))
            plan.engines.append(engine)
        }
        guard !plan.engines.isEmpty else {
            let share = coresPerTask(sizing, nodes[0].component)
            throw ContextError("no node of job \(job) has the cores for one task of \(share) (-c): nothing was run")
        }
        return plan
    }

    /// Cores for each task: `-c` before what the job was submitted with.
    private static func coresPerTask(_ sizing: ContextSizing, _ component: SlurmAllocation.Component) -> Double {
        sizing.coresPerTask ?? Double(component.coresPerTask ?? 1)
    }

    private static func warnOfOptions(
        _ sizing: ContextSizing, against component: SlurmAllocation.Component, _ warnings: inout [String]
    ) {
        if let own = sizing.coresPerTask, let submitted = component.coresPerTask, own != Double(submitted) {
            warnings.append("-c \(own) differs from the job's \(submitted) (SLURM_CPUS_PER_TASK): -c is used")
        }
        if let own = sizing.tasksPerNode, let submitted = component.tasksPerNode, own != submitted {
            warnings.append("-t \(own) differs from the job's \(submitted) (SLURM_NTASKS_PER_NODE): -t is used")
        }
    }

    private static func fillsNodes(
        _ sizing: ContextSizing, _ surroundings: Surroundings, _ warnings: inout [String]
    ) -> Bool {
        guard sizing.fillsNodes else { return false }
        let gpus = ["CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"].first { surroundings.variable($0) != nil }
        guard let gpus else { return true }
        warnings.append("--fill is ignored: the job has GPUs (\(gpus) is set)")
        return false
    }

    /// The slots of a node: 0 where not even one task fits.
    private static func slots(
        of node: SlurmAllocation.Node, _ share: Double, _ sizing: ContextSizing, fillsNodes: Bool,
        _ surroundings: Surroundings
    ) throws(ContextError) -> Int {
        if let own = sizing.tasksPerNode { return own }
        let fitting = Int(exactly: (Double(node.cores) / share).rounded(.down)) ?? .max
        // A node may have fewer of the job's tasks than it was to have at most.
        if let submitted = node.component.tasksPerNode { return min(submitted, node.tasks ?? submitted, fitting) }
        if fillsNodes { return fitting }
        if node.tasks == nil { _ = try surroundings.required("SLURM_TASKS_PER_NODE", .slurm) }
        return min(node.tasks ?? fitting, fitting)
    }
}
