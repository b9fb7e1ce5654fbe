/// The environment that an engine gives its tasks, all but the `DISBATCH_*` of one task.
///
/// The driver's environment, as its user had it and less what describes a login, is overlaid by what the node itself
/// sets, then by `--env`. Every entry is `NAME=VALUE`, in bytes.
package enum TaskEnvironment {
    /// Variables that only the login they come from can use: left out where tasks run on another machine.
    static let loginVariables: Set<[UInt8]> = names([
        "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "GPG_AGENT_INFO", "KRB5CCNAME", "MAIL", "OLDPWD", "PWD", "SHLVL",
        "SSH_AGENT_PID", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "STY", "TMUX",
        "TMUX_PANE", "TTY", "WAYLAND_DISPLAY", "WINDOWID", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_SEAT",
        "XDG_SESSION_CLASS", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "XDG_VTNR", "_",
    ])

    /// Variables that a run sets for its own tasks: those of a run that this one is a task of would mislead.
    static let runVariables: Set<[UInt8]> = names([
        "DISBATCH_CORES_PER_TASK", "DISBATCH_CYLINDER_RANK", "DISBATCH_ENGINE_RANK", "DISBATCH_GUARD",
        "DISBATCH_JOBID", "DISBATCH_NAMETASKS", "DISBATCH_REPEAT_INDEX", "DISBATCH_REPEAT_INDEX_ZP",
        "DISBATCH_STREAM_INDEX", "DISBATCH_STREAM_INDEX_ZP", "DISBATCH_TASKID", "DISBATCH_TASKID_ZP",
        "DISBATCH_TASK_DIR", "DISBATCH_WORKDIR",
    ])

    /// The variable that the starter of an engine in a container sets.
    package static let containerMark = "DISBATCH_CONTAINER"
    /// Variables that the engine alone is given there.
    private static let engineVariables: Set<[UInt8]> = names([containerMark, "XDG_CACHE_HOME"])

    /// Variables that a container's image and its starter set, PATH before all.
    private static func containerVariables(_ node: [[UInt8]]) -> Set<[UInt8]> {
        Set(node.compactMap(name)).subtracting(loginVariables).subtracting(runVariables).subtracting(engineVariables)
    }

    /// Variables that the node knows better than the driver.
    static func nodeVariables(_ kind: NodeKind) -> Set<[UInt8]> {
        switch kind {
        case .local: []
        case .ssh: names(["HOME", "HOSTNAME", "LOGNAME", "SHELL", "TMPDIR", "USER"])
        case .slurm:
            names([
                "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HIP_VISIBLE_DEVICES", "HOSTNAME",
                "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "SLURMD_NODENAME", "SLURM_NODEID", "TMPDIR",
                "ZE_AFFINITY_MASK",
            ])
        case .gridEngine: names(["HOSTNAME", "QUEUE", "SGE_TASK_ID", "TMP", "TMPDIR"])
        case .pbs: names(["HOSTNAME", "PBS_NODENUM", "PBS_TASKNUM", "TMPDIR"])
        case .lsf: names(["HOSTNAME", "TMPDIR"])
        }
    }

    /// Makes the environment, each name once.
    ///
    /// - Parameters:
    ///   - driver: the driver's environment.
    ///   - node: the engine's own.
    package static func make(
        driver: [[UInt8]], node: [[UInt8]], kind: NodeKind, extra: [[UInt8]]
    ) -> [[UInt8]] {
        let isContained = kind == .ssh && value(of: containerMark, in: node) != nil
        let fromNode = nodeVariables(kind).union(isContained ? containerVariables(node) : [])
        let dropped = kind == .local ? runVariables : runVariables.union(loginVariables).union(fromNode)
        var result = OrderedVariables()
        for entry in driver {
            guard let name = name(of: entry), !dropped.contains(name) else { continue }
            result.set(name, to: entry)
        }
        for entry in node {
            guard let name = name(of: entry), fromNode.contains(name) else { continue }
            result.set(name, to: entry)
        }
        // srun hands on the HOSTNAME of where it was started.
        if kind == .slurm, value(of: "HOSTNAME", in: driver) != nil, let own = value(of: "SLURMD_NODENAME", in: node) {
            result.set(Array("HOSTNAME".utf8), to: Array("HOSTNAME=".utf8) + own)
        }
        for entry in extra {
            // A second DISBATCH_TASKID would come before the task's own, or behind it, for one program or another.
            guard let name = name(of: entry), !runVariables.contains(name) else { continue }
            result.set(name, to: entry)
        }
        return result.entries
    }

    /// The name in `NAME=VALUE`, or nil where there is none.
    package static func name(of entry: [UInt8]) -> [UInt8]? {
        guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { return nil }
        return Array(entry[..<equals])
    }

    /// The value of a variable, or nil where it is not set.
    package static func value(of name: String, in environment: [[UInt8]]) -> [UInt8]? {
        let start = Array("\(name)=".utf8)
        return environment.last { $0.starts(with: start) }.map { Array($0[start.count...]) }
    }

    private static func names(_ list: [String]) -> Set<[UInt8]> { Set(list.map { Array($0.utf8) }) }
}

/// Variables in the order in which they were first set, each with its latest value.
private struct OrderedVariables {
    private(set) var entries: [[UInt8]] = []
    private var places: [[UInt8]: Int] = [:]

    mutating func set(_ name: [UInt8], to entry: [UInt8]) {
        if let place = places[name] {
            entries[place] = entry
        } else {
            places[name] = entries.count
            entries.append(entry)
        }
    }
}
