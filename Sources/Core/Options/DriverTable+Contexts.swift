import DisbatchCore

extension DriverOptions {
    static let contextGroup = DriverOptionGroup(
        "Contexts",
        options: [
            new(
                "context", value: .required("NAME"), completion: choices(ContextKind.self),
                isOfContext: true, sets: .value(\.context.kind, .choice),
                help:
                    "Where engines run: local (this machine), ssh (the hosts of -s), or the allocation of slurm, sge, "
                    + "pbs or lsf. Default: what -s or the environment says."),
            old(
                "ssh-node", "s", value: .required("HOST:CORES[,...]"), isRepeatable: true,
                isOfContext: true, sets: .list(\.context.sshLists, .text),
                help: "Use CORES cores of HOST, reached by SSH. This machine, by its name or as localhost, "
                    + "needs none."),
            old(
                "cpusPerTask", "c", aliases: ["cpus-per-task"], value: .required("N"),
                isOfContext: true, sets: .value(\.context.sizing.coresPerTask, .positive),
                help: "Cores for each task (default: 1). Fractions let more tasks run than there are cores."),
            old(
                "tasksPerNode", "t", aliases: ["tasks-per-node"], value: .required("N"),
                isOfContext: true, sets: .value(\.context.sizing.tasksPerNode, .count(atLeast: 1)),
                help: "Run at most N tasks at a time on each node."),
            old(
                "fill", isOfContext: true, sets: .flag(\.context.sizing.fillsNodes),
                help: "Use all cores that a node was given, even if that makes more slots than asked for."),
            new(
                "bind", value: .required("HOW"), completion: .choices(CoreBinding.allCases.map(\.name)),
                isOfContext: true, sets: .value(\.context.policy.binding, .binding),
                help: "Give each slot cores of its own (cores), or leave all of them to all tasks (none). "
                    + "Default: cores under a resource manager, else none."),
            old(
                "env-resource", "E", value: .required("VAR"), isRepeatable: true,
                isOfContext: true, sets: .sharedVariables,
                help: "Share out the comma-separated values of the variable VAR (or of several, VAR,VAR), one to each "
                    + "slot."),
            old(
                "gpu", "g", isOfContext: true, sets: .gpuVariables,
                help: "Same as -E CUDA_VISIBLE_DEVICES -E GPU_DEVICE_ORDINAL."),
            new(
                "env", value: .required("NAME[=VALUE]"), isRepeatable: true,
                sets: .list(\.environment, .environmentSetting),
                help: "Set a variable in each task's environment, or pass on the one of disbatch."),
            new(
                "shell", value: .required("WHEN"), completion: choices(ShellUse.self), sets: .shellUse,
                help: "Start every task by bash (always), or start simple lines directly where nothing can differ "
                    + "(auto, the default)."),
            old(
                "context-task-limit", "C", value: .required("N"), isOfContext: true, sets: .contextTaskLimit,
                help: "Stop a context once it was given N tasks (default: 0, no limit)."),
            old(
                "label", "l", value: .required("LABEL"),
                isOfContext: true, sets: .value(\.context.sizing.label, .label),
                help: "The context's name, for logs and file names."),
            old(
                "no-retire", isOfContext: true, sets: .constant(\.context.policy.retirement, .none),
                help: "Do not give nodes back to the resource manager when they are no longer needed."),
            old(
                "retire-cmd", "k", value: .required("COMMAND"), isOfContext: true, sets: .retirementCommand,
                help: "Run COMMAND in a shell to give back a node. An empty COMMAND is --no-retire."),
            new(
                "lease", value: .required("DURATION"), sets: .value(\.scheduler.lease, .positive),
                help: "An engine on another machine that is cut off for this long kills its tasks, and they are run "
                    + "elsewhere (default: 5m)."),
            new(
                "margin", value: .required("DURATION"),
                isOfContext: true, sets: .value(\.context.policy.margin, .duration),
                help: "So long before an allocation's end no more tasks are started in it; 15 seconds before its end "
                    + "those that still run are ended, for a later run (default: 60s, or a quarter of a short "
                    + "allocation; 0: its end is not looked at)."),
            new(
                "ssh-client", value: .required("HOW"), completion: choices(SSHClientChoice.self),
                isOfContext: true, sets: .value(\.context.sshClient, .choice),
                help: "Log in to hosts by a child process each (openssh), from this one (libssh2), or as suits the "
                    + "host (auto, the default)."),
            new(
                "reconnect", value: .required("N"), sets: .value(\.policy.reconnects, .count(atLeast: 0)),
                help: "Try a host that was lost N more times, with growing pauses (default: 5)."),
            new(
                "no-quarantine", sets: .constant(\.scheduler.quarantineAfter, nil),
                help: "Go on giving tasks to an engine whose last ten all failed within a second each, while others' "
                    + "succeed."),
            new(
                "workdir", value: .required("DIR"), completion: .directory,
                sets: .value(\.workingDirectory, .absolutePath),
                help: "Run tasks in DIR, made where it is missing (default: the current directory, by the same path "
                    + "on every host)."),
            old(
                "startup-only", "S", sets: .flag(\.policy.waitsForContexts),
                help: "Start without a context, and wait for those that PREFIX_dbUtil.sh adds."),
        ])

    /// The options of a context that is added to a run.
    static let addedContext = OptionTable.Group(
        "Adding a context", options: contextGroup.options.filter(\.isOfContext).map(\.spec))

    static let googleCloudGroup = DriverOptionGroup(
        "Google Compute Engine",
        options: [
            new(
                "gce", value: .required("N[:MACHINE]"), sets: .nothing,
                help:
                    "Make up to N virtual machines of type MACHINE as tasks need them, beside the hosts of -s if there "
                    + "are any, and delete them when they have nothing to do."),
            new(
                "spot", sets: .nothing,
                help: "Make spot machines, which are cheaper and may be taken back at any time."),
            new(
                "spot-attempts", value: .required("N"), sets: .nothing,
                help: "Replace a machine by one on demand once N in its place were taken back (default: 2)."),
            new(
                "linger", value: .required("DURATION"), sets: .nothing,
                help: "Keep a machine without tasks for this long (default: 0)."),
            new(
                "pool", value: .required("NAME"), sets: .nothing,
                help: "Take over machines of the same settings that earlier runs left to the pool NAME, before others "
                    + "are made. At the end leave machines to it that have nothing to do: they end themselves when no "
                    + "run took them for the time of --linger, at least 60 s; with --linger 0 none is left."),
            new(
                "gce-set", value: .required("KEY=VALUE"), isRepeatable: true, sets: .nothing,
                help:
                    "Set a key of section [gce] of the configuration file: project, zones, image, container, network, "
                    + "disk, gpus and others."),
            new("gce-dry-run", sets: .nothing, help: "Print what would be asked of Google, and exit."),
        ])

    static let stagingGroup = DriverOptionGroup(
        "Tasks' files on other machines",
        options: [
            new(
                "stage-in", value: .required("PATH[:DEST]"), completion: .file, isRepeatable: true,
                sets: .list(\.staging.stageIn, .stageIn),
                help: "Send the file or directory PATH to each host before its first task, to DEST there (default: "
                    + "PATH). What is there already, of the same size and time, is not sent again. A PATH that has a "
                    + "colon needs one more behind it."),
            new(
                "task-dir", sets: .flag(\.staging.givesTaskDirectories),
                help: "Run each task in a new directory of its own below the working directory, DISBATCH_TASK_DIR."),
            new(
                "stage-out", value: .required("GLOB[:DIR]"), isRepeatable: true,
                sets: .list(\.staging.stageOut, .stageOut),
                help: "When a task has succeeded, bring its files that match GLOB home to DIR (default: to the same "
                    + "place). %t stands for the task's number. A task whose files can't be brought home has return "
                    + "code 125."),
        ])
}

extension ValueReader<CoreBinding> {
    fileprivate static let binding = ValueReader { (given) throws(OptionError) in
        try given.choice(of: CoreBinding.allCases, word: \.name)
    }
}

extension OptionEffect {
    /// `-E`
    fileprivate static let sharedVariables = OptionEffect { (options, given) throws(OptionError) in
        for name in try given.variableNames() { options.context.policy.share(name) }
    }

    /// `-g`
    fileprivate static let gpuVariables = OptionEffect { (options, _) throws(OptionError) in
        options.context.policy.share("CUDA_VISIBLE_DEVICES")
        options.context.policy.share("GPU_DEVICE_ORDINAL")
    }

    fileprivate static let shellUse = OptionEffect { (options, given) throws(OptionError) in
        let use: ShellUse = try given.choice()
        options.tasks.alwaysUsesShell = use == .always
    }

    /// `-C`, where 0 is no limit.
    fileprivate static let contextTaskLimit = OptionEffect { (options, given) throws(OptionError) in
        let limit = try given.count(atLeast: 0)
        options.context.policy.contextTaskLimit = limit == 0 ? nil : limit
    }

    fileprivate static let retirementCommand = OptionEffect { (options, given) throws(OptionError) in
        let command = given.value ?? ""
        options.context.policy.retirement = command.isEmpty ? .none : .command(command)
    }
}
