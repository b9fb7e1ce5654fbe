/// A Slurm job's allocation, by the variables that Slurm sets in the job.
struct SlurmAllocation {
    /// One node of the job.
    struct Node {
        let name: String
        /// All of it that the job has.
        let cores: Int
        /// As many tasks as Slurm would start there; nil where that is not told.
        let tasks: Int?
        /// The component of the job that the node belongs to.
        let component: Component
    }

    /// A part of a heterogeneous job, submitted as a job of its own; of any other job, all of it.
    struct Component: Equatable {
        /// Its number among the parts; nil where there is but one.
        var group: Int?
        var coresPerTask: Int?
        var tasksPerNode: Int?
        var gpusPerTask: String?
    }

    let job: String
    private(set) var nodes: [Node] = []
    private(set) var warnings: [String] = []
    var cores: Int { nodes.reduce(0) { $0 + $1.cores } }

    init(_ surroundings: Surroundings) throws(ContextError) {
        job = try surroundings.required("SLURM_JOB_ID", .slurm)
        let groups = try surroundings.count("SLURM_HET_SIZE") ?? 1
        for group in 0..<groups {
            nodes += try Self.nodes(of: Variables(surroundings, group: groups > 1 ? group : nil))
        }
        try confineToStep(surroundings)
        warnOfArray(surroundings)
    }

    // MARK: Nodes

    /// The variables of a component.
    private struct Variables {
        let surroundings: Surroundings
        let group: Int?

        init(_ surroundings: Surroundings, group: Int?) {
            self.surroundings = surroundings
            self.group = group
        }

        func name(_ name: String) -> String { group.map { "\(name)_HET_GROUP_\($0)" } ?? name }
        func value(_ name: String) -> String? { surroundings.value(self.name(name)) }
        func count(_ name: String) throws(ContextError) -> Int? { try surroundings.count(self.name(name)) }
        func required(_ name: String) throws(ContextError) -> String {
            try surroundings.required(self.name(name), .slurm)
        }

        /// A number for each of some nodes.
        func counts(_ name: String, _ nodes: Int) throws(ContextError) -> [Int] {
            let (text, name) = (try required(name), self.name(name))
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
    }

    private static func nodes(of variables: Variables) throws(ContextError) -> [Node] {
        let listName = variables.value("SLURM_JOB_NODELIST") == nil ? "SLURM_NODELIST" : "SLURM_JOB_NODELIST"
        let list = try variables.required(listName)
        guard let names = SlurmNodeList.names(list) else {
            throw ContextError("\(variables.name(listName)) is \"\(list)\", no list of nodes: nothing was run")
        }
        let cores = try variables.counts("SLURM_JOB_CPUS_PER_NODE", names.count)
        // In a step it is told of the step's tasks.
        let tellsTasks = variables.value("SLURM_TASKS_PER_NODE") != nil && variables.surroundings.slurmStep == nil
        let tasks = tellsTasks ? try variables.counts("SLURM_TASKS_PER_NODE", names.count) : nil
        var component = Component(group: variables.group)
        component.coresPerTask = try variables.count("SLURM_CPUS_PER_TASK")
        component.tasksPerNode = try variables.count("SLURM_NTASKS_PER_NODE")
        component.gpusPerTask = variables.value("SLURM_GPUS_PER_TASK")
        return names.indices.map {
            Node(name: names[$0], cores: cores[$0], tasks: tasks?[$0], component: component)
        }
    }

    // MARK: Steps and arrays

    /// Leaves what a step of one task has, where the driver is one: `srun -n 1 disbatch`. As one of several it would
    /// run all tasks as often. The shell that salloc starts in a step has all of the job.
    private mutating func confineToStep(_ surroundings: Surroundings) throws(ContextError) {
        guard let step = surroundings.slurmStep else { return }
        let count = try surroundings.count("SLURM_STEP_NUM_TASKS") ?? 1
        guard count == 1 else {
            throw ContextError(
                """
                srun started \(count) of these, and each would run all tasks: nothing was run.
                Write "sbatch -n \(count) disbatch TASKS" or "salloc -n \(count) disbatch TASKS", without srun
                """)
        }
        guard step < Self.firstStepOfShells else { return }
        let list = surroundings.value("SLURM_STEP_NODELIST") ?? surroundings.value("SLURMD_NODENAME") ?? ""
        let own = SlurmNodeList.names(list) ?? []
        guard let node = nodes.first(where: { own.contains($0.name) }) else { return }
        let all = (nodes: nodes.count, cores: cores)
        let cores = min(node.cores, try surroundings.count("SLURM_CPUS_ON_NODE") ?? node.cores)
        nodes = [Node(name: node.name, cores: cores, tasks: 1, component: node.component)]
        guard all != (1, cores) else { return }
        warnings.append(
            "this is a step of one task, on \(node.name): \(cores) of the job's \(all.cores) cores are used; "
                + "without srun before it, disbatch uses all")
    }

    /// Numbers of steps from which on they are those of shells and scripts, not of `srun`.
    private static let firstStepOfShells = 4_294_967_290

    private mutating func warnOfArray(_ surroundings: Surroundings) {
        guard let array = surroundings.value("SLURM_ARRAY_JOB_ID"),
            let member = surroundings.value("SLURM_ARRAY_TASK_ID")
        else { return }
        warnings.append("this is member \(member) of the job array \(array): each member runs all tasks of its own")
    }
}

extension Surroundings {
    /// The number of the step of a job of Slurm that this process is in; nil in none.
    fileprivate var slurmStep: Int? { value("SLURM_STEP_ID").flatMap { Int($0) } }
}
