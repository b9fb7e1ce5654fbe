/// How `srun` brings an engine to a node: one step for each, with all that the job has there, so that a node can be
/// given back alone, and an `srun` within a task works.
struct SlurmLaunching {
    /// Variables of srun's environment, `NAME=VALUE`.
    let settings: [String]
    private let unset: [String]
    /// Whether srun is to bind the engine, as the user has it: to no more than the cores that it is asked for.
    private let binds: Bool
    /// Each node's share of the GPUs that the job asked for in all (`--gpus`), as `--gpus` has it.
    private let gpusByNode: [String: String]

    /// Variables of the job's own options, which would be asked of each engine's step again.
    private static let options = [
        "SLURM_ARBITRARY_NODELIST", "SLURM_CPUS_PER_GPU", "SLURM_CPUS_PER_TASK", "SLURM_CPU_FREQ_REQ",
        "SLURM_DISTRIBUTION", "SLURM_EXACT", "SLURM_EXCLUSIVE", "SLURM_GPUS", "SLURM_GPUS_PER_NODE",
        "SLURM_GPUS_PER_SOCKET", "SLURM_GPUS_PER_TASK", "SLURM_GPU_BIND", "SLURM_HINT", "SLURM_JOB_NUM_NODES",
        "SLURM_LABELIO", "SLURM_MULTI_PROG", "SLURM_NNODES", "SLURM_NPROCS", "SLURM_NTASKS", "SLURM_NTASKS_PER_CORE",
        "SLURM_NTASKS_PER_GPU", "SLURM_NTASKS_PER_NODE", "SLURM_NTASKS_PER_SOCKET", "SLURM_NTASKS_PER_TRES",
        "SLURM_OPEN_MODE", "SLURM_STDERRMODE", "SLURM_STDINMODE", "SLURM_STDOUTMODE", "SLURM_STEP_GRES",
        "SLURM_TASK_PROLOG", "SLURM_TASK_EPILOG", "SLURM_THREADS_PER_CORE", "SLURM_TRES_PER_TASK",
        "SLURM_UNBUFFEREDIO", "SLURM_WHOLE",
    ]

    init(_ surroundings: Surroundings) throws(ContextError) {
        let settings = try Self.settings(surroundings)
        let names = settings.map { $0.prefix { $0 != "=" } }
        self.settings = settings
        binds = !settings.contains("SLURM_CPU_BIND=none")
        unset = Self.options.filter { surroundings.variable($0) != nil && !names.contains($0[...]) }
        gpusByNode = surroundings.value("SLURM_GPUS") == nil ? [:] : try Self.gpusOfJob(surroundings)
    }

    func launcher(of node: SlurmAllocation.Node, tasks: Int) -> Launcher {
        var words = ["--unbuffered", "--overlap", "--export=ALL", "--kill-on-bad-exit=0", "--wait=0"]
        words += ["-n", "1", "-N", "1", "-w", node.name]
        if let group = node.component.group { words.append("--het-group=\(group)") }
        // Without a number of cores the step has all that the job has there. With one, Slurm refuses steps of jobs that
        // have other numbers on other nodes, and of half a core's threads.
        if binds { words += ["-c", "\(node.cores)"] }
        // Of what is asked for each task, a step of one task would have one share; of what is asked for all, too much.
        let gpus = gpusByNode[node.name] ?? node.component.gpusPerTask.flatMap { Self.resources($0, times: tasks) }
        // By node, as --gres has it, Slurm refuses what the job asked for in all.
        if let gpus { words.append("--gpus=\(gpus)") }
        var launcher = Launcher(.slurm, "srun", words)
        launcher.environment = settings
        launcher.unset = unset
        launcher.stepNameOption = "-J"
        return launcher
    }

    /// The user's file of settings; without one, srun binds no engine, which has its step's cores (and binds its tasks
    /// to their share), and MPI is left to tasks.
    private static func settings(_ surroundings: Surroundings) throws(ContextError) -> [String] {
        guard let path = surroundings.value("DISBATCH_SLURM_SRUN_OPTIONS_FILE") else {
            let own = surroundings.value("SLURM_CPU_BIND")
            // In a step (salloc may give its shell one) it is a mask of that step's cores.
            let isMask = own.map { $0.contains("mask") || $0.contains("map") } ?? true
            return ["SLURM_CPU_BIND=\(isMask ? "none" : own ?? "none")", "SLURM_MPI_TYPE=none"]
        }
        guard let text = surroundings.readFile(path) else {
            throw ContextError("\(path), which DISBATCH_SLURM_SRUN_OPTIONS_FILE names, can't be read: nothing was run")
        }
        var settings: [String] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty {
            guard line.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*=.*/) != nil else {
                throw ContextError("\(path):\(number + 1): \"\(line)\" is not NAME=VALUE: nothing was run")
            }
            settings.append(String(line))
        }
        return settings
    }

    /// Asks Slurm for what its variables don't tell: how many of the job's GPUs each node has.
    private static func gpusOfJob(_ surroundings: Surroundings) throws(ContextError) -> [String: String] {
        let job = try surroundings.required("SLURM_JOB_ID", .slurm)
        let words = ["scontrol", "-o", "-d", "show", "job", job]
        guard let text = surroundings.output(words) else {
            throw ContextError(
                """
                "\(words.joined(separator: " "))" fails, which tells which node has how many of the job's GPUs: \
                nothing was run.
                Try again, or ask for them by --gpus-per-node
                """)
        }
        return gpus(in: text)
    }

    /// Reads `Nodes=node[1-2] CPU_IDs=0-1 Mem=0 GRES=gpu:2(IDX:0-1)`, of which there is one for each kind of node.
    static func gpus(in text: String) -> [String: String] {
        var found: [String: String] = [:]
        var nodes: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if word.hasPrefix("Nodes=") { nodes = SlurmNodeList.names(String(word.dropFirst(6))) ?? [] }
            guard word.hasPrefix("GRES=") else { continue }
            let entries = word.dropFirst(5).replacing(/\([^)]*\)/, with: "").split(separator: ",")
            let gpus = entries.filter { $0.hasPrefix("gpu:") }.map { $0.dropFirst(4) }.joined(separator: ",")
            if !gpus.isEmpty { for node in nodes { found[node] = gpus } }
        }
        return found
    }

    /// The GPUs of that many tasks together, each with `2` or `a100:2` (or several kinds), as `--gpus` has it.
    static func resources(_ each: String, times tasks: Int) -> String? {
        var kinds: [String] = []
        for entry in each.split(separator: ",") {
            let parts = entry.split(whereSeparator: { $0 == ":" || $0 == "=" }).filter { $0 != "gres" && $0 != "gpu" }
            guard let count = parts.last.flatMap({ Int($0) }), count > 0, parts.count <= 2 else { return nil }
            let kind = parts.count == 2 ? "\(parts[0]):" : ""
            kinds.append("\(kind)\(count * tasks)")
        }
        return kinds.isEmpty ? nil : kinds.joined(separator: ",")
    }
}
