/// A Slurm allocation: the nodes and cores of the job that the driver runs in.
package enum SlurmContext {
    /// One node of the allocation.
    private struct Node {
        let name: String
        /// All of it that the job has.
        let cores: Int
        /// As many tasks as Slurm would start there.
        let tasks: Int?
    }

    /// An engine for each node that has the cores for one task.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let job = try surroundings.required("SLURM_JOB_ID", .slurm)
        let nodes = try nodes(surroundings)
        var plan = ContextPlan(
            label: sizing.label ?? "J\(job)", kind: "slurm", engines: [], bindsCores: true,
            notes: ["job \(job): \(nodes.count) nodes, \(nodes.reduce(0) { $0 + $1.cores }) cores"])
        plan.job = job
        let ownName = surroundings.value("SLURMD_NODENAME")
        plan.home =
            nodes.first { $0.name == ownName }?.name
            ?? nodes.first { surroundings.isThisMachine($0.name) }?.name
        plan.isRestarted = surroundings.value("SLURM_RESTART_COUNT").flatMap { Int($0) } ?? 0 > 0
        plan.endQuery = .slurm(job: job)
        let share = try coresPerTask(sizing, surroundings, &plan.warnings)
        let slots = try slots(nodes, share, sizing, surroundings, &plan)
        let launching = try SlurmLaunching(surroundings)
        plan.notes += launching.settings.map { "srun's environment: \($0)" }
        for (node, count) in zip(nodes, slots) {
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
            engine.place = .launched(launching.launcher(node: node.name, cores: node.cores, tasks: node.tasks ?? count))
            plan.engines.append(engine)
        }
        guard !plan.engines.isEmpty else {
            throw ContextError("no node of job \(job) has the cores for one task of \(share) (-c): nothing was run")
        }
        return plan
    }

    private static func nodes(_ surroundings: Surroundings) throws(ContextError) -> [Node] {
        let listName = surroundings.value("SLURM_JOB_NODELIST") == nil ? "SLURM_NODELIST" : "SLURM_JOB_NODELIST"
        let list = try surroundings.required(listName, .slurm)
        guard let names = SlurmNodeList.names(list) else {
            throw ContextError("\(listName) is \"\(list)\", no list of nodes: nothing was run")
        }
        let cores = try counts("SLURM_JOB_CPUS_PER_NODE", names.count, surroundings)
        let hasTasks = surroundings.value("SLURM_TASKS_PER_NODE") != nil
        let tasks = hasTasks ? try counts("SLURM_TASKS_PER_NODE", names.count, surroundings) : nil
        return names.indices.map { Node(name: names[$0], cores: cores[$0], tasks: tasks?[$0]) }
    }

    private static func counts(
        _ name: String, _ nodes: Int, _ surroundings: Surroundings
    ) throws(ContextError) -> [Int] {
        let text = try surroundings.required(name, .slurm)
        guard let counts = SlurmNodeList.counts(text) else {
            throw ContextError("\(name) is \"\(text)\", no list of counts such as 40,128(x3): nothing was run")
        }
        guard counts.count == nodes else {
            throw ContextError(
                """
                \(name) is "\(text)", for \(counts.count) nodes, and the job has \(nodes): nothing was run.
                If the job was resized, read in the script that scontrol wrote then: . ./slurm_job_ID_resize.sh
                """)
        }
        return counts
    }

    /// Cores for each task: `-c` before what the job was submitted with.
    private static func coresPerTask(
        _ sizing: ContextSizing, _ surroundings: Surroundings, _ warnings: inout [String]
    ) throws(ContextError) -> Double {
        let submitted = try surroundings.count("SLURM_CPUS_PER_TASK")
        guard let own = sizing.coresPerTask else { return Double(submitted ?? 1) }
        if let submitted, own != Double(submitted) {
            warnings.append("-c \(own) differs from the job's \(submitted) (SLURM_CPUS_PER_TASK): -c is used")
        }
        return own
    }

    /// The slots of each node: 0 where not even one task fits.
    private static func slots(
        _ nodes: [Node], _ share: Double, _ sizing: ContextSizing, _ surroundings: Surroundings,
        _ plan: inout ContextPlan
    ) throws(ContextError) -> [Int] {
        let submitted = try surroundings.count("SLURM_NTASKS_PER_NODE")
        if let own = sizing.tasksPerNode, let submitted, own != submitted {
            plan.warnings.append("-t \(own) differs from the job's \(submitted) (SLURM_NTASKS_PER_NODE): -t is used")
        }
        if let fixed = sizing.tasksPerNode ?? submitted { return nodes.map { _ in fixed } }
        let fitting = nodes.map { Int(exactly: (Double($0.cores) / share).rounded(.down)) ?? .max }
        if sizing.fillsNodes {
            let gpus = ["CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL"].first { surroundings.variable($0) != nil }
            guard let gpus else { return fitting }
            plan.warnings.append("--fill is ignored: the job has GPUs (\(gpus) is set)")
        }
        guard nodes.allSatisfy({ $0.tasks != nil }) else {
            _ = try surroundings.required("SLURM_TASKS_PER_NODE", .slurm)
            return []
        }
        return zip(nodes, fitting).map { min($0.tasks ?? 0, $1) }
    }
}
