extension DriverOptions {
    /// The options of `disbatch`.
    package static let table = OptionTable(
        program: "disbatch",
        otherNames: ["disBatch", "disBatch.py"],
        synopses: ["[OPTION]... TASKFILE", "[OPTION]... -"],
        summary: "Run the tasks of a file, one shell command a line, as many at a time as there are slots, "
            + "and record how each ended.",
        groups: [taskSource, resume, failures, contexts, googleCloud, staging, files, watching, network, other],
        notes: [
            "A DURATION is 90 or 90s, 10m, 2h, 1d, or several of these: 1h30m.",
            "Long names may be shortened while they stay unambiguous.",
            "Exit status: 0 all done; 1 failed tasks (with -e, -f or a CHECK barrier); 2 wrong usage or task file, "
                + "nothing was run; 3 the run broke; 4 tasks were left undone; 129, 130, 143 ended by "
                + "SIGHUP, SIGINT, SIGTERM. See disbatch(1).",
        ])

    /// An option that disBatch has too: what could be shortened there can be shortened here.
    private static func old(
        _ option: DriverOption, _ letter: Character? = nil, aliases: [String] = [], value: OptionSpec.Value = .none,
        completion: OptionSpec.Completion = .none, availability: OptionSpec.Availability = .available,
        isRepeatable: Bool = false, needs: DriverOption? = nil, help: String
    ) -> OptionSpec {
        OptionSpec(
            option.rawValue, letter, aliases: aliases, value: value, completion: completion,
            availability: availability, isRepeatable: isRepeatable, winsAbbreviations: true,
            needs: needs?.rawValue, help: help)
    }

    /// An option that disBatch does not have.
    private static func new(
        _ option: DriverOption, value: OptionSpec.Value = .none, completion: OptionSpec.Completion = .none,
        availability: OptionSpec.Availability = .available, isRepeatable: Bool = false, isImmediate: Bool = false,
        help: String
    ) -> OptionSpec {
        OptionSpec(
            option.rawValue, value: value, completion: completion, availability: availability,
            isRepeatable: isRepeatable, isImmediate: isImmediate, help: help)
    }

    /// A value of a few words, all of which shells offer.
    private static func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type
    ) -> OptionSpec.Completion {
        .choices(Choice.allCases.map(\.rawValue))
    }

    private static let taskSource = OptionTable.Group(
        "Task source",
        operands: [
            .init("TASKFILE", help: "The tasks, one a line; - reads them from standard input as they come.")
        ],
        options: [
            old(
                .taskCommand, value: .required("COMMAND"),
                availability: .notYet("A command that prints its tasks can be piped instead: COMMAND | disbatch -"),
                help: "Start COMMAND, and take tasks from it through a key-value server."),
            old(
                .taskServer, value: .optional("HOST:PORT"),
                availability: .notYet("A program that prints its tasks can be piped instead: PROGRAM | disbatch -"),
                help: "Take tasks from a key-value server."),
        ])

    private static let resume = OptionTable.Group(
        "Resume",
        options: [
            old(
                .resumeFrom, "r", value: .required("FILE"), completion: .file, isRepeatable: true,
                help: "Skip the tasks that have a result in FILE, an earlier run's status file."),
            old(.retry, "R", help: "With -r, run again the tasks that failed."),
            old(
                .forceResume,
                help: "With -r, go by task numbers alone, even where command, line or repeat index differ."),
            new(.noWait, help: "With -r, do not wait for engines of the earlier run that may still be alive."),
        ])

    private static let failures = OptionTable.Group(
        "Failures",
        options: [
            old(.exitCode, "e", help: "Exit with status 1 if a task failed."),
            old(.failFast, "f", help: "At the first failed task, end the running ones and exit with status 1."),
            new(
                .retries, value: .required("N"),
                help: "Run a failed task again, up to N times, before it counts as failed (default: 0)."),
            new(
                .maxLost, value: .required("N"),
                help: "Run a task again, up to N times, if its engine was lost (default: 3). "
                    + "Then it counts as failed, with return code -100."),
            new(
                .taskTimeout, value: .required("DURATION"),
                help: "End a task that runs for longer: SIGTERM, then SIGKILL after --kill-after. "
                    + "Its return code is 124."),
            new(
                .killAfter, value: .required("DURATION"),
                help: "Time from SIGTERM to SIGKILL when a task is ended, at a timeout or when the run is "
                    + "interrupted (default: 10s)."),
            new(.strictStart, help: "Do not use an engine on which a PERENGINE START command failed."),
            new(
                .limit, value: .required("N"),
                help: "Start only the first N tasks, and leave the rest to a later run with -r."),
        ])

    private static let contexts = OptionTable.Group(
        "Contexts",
        options: [
            new(
                .context, value: .required("NAME"), completion: choices(ContextName.self),
                help:
                    "Where engines run: local (this machine), ssh (the hosts of -s), or the allocation of slurm, sge, "
                    + "pbs or lsf. Default: what -s or the environment says."),
            old(
                .sshNode, "s", value: .required("HOST:CORES[,...]"), isRepeatable: true,
                help: "Use CORES cores of HOST, reached by SSH. This machine, by its name or as localhost, "
                    + "needs none."),
            old(
                .cpusPerTask, "c", aliases: ["cpus-per-task"], value: .required("N"),
                help: "Cores for each task (default: 1). Fractions let more tasks run than there are cores."),
            old(
                .tasksPerNode, "t", aliases: ["tasks-per-node"], value: .required("N"),
                help: "Run at most N tasks at a time on each node."),
            old(.fill, help: "Use all cores that a node was given, even if that makes more slots than asked for."),
            new(
                .bind, value: .required("HOW"), completion: choices(CoreBinding.self),
                help: "Give each slot cores of its own (cores), or leave all of them to all tasks (none). "
                    + "Default: cores under a resource manager, else none."),
            old(
                .envResource, "E", value: .required("VAR"), isRepeatable: true,
                help: "Share out the comma-separated values of the variable VAR (or of several, VAR,VAR), one to each "
                    + "slot."),
            old(.gpu, "g", help: "Same as -E CUDA_VISIBLE_DEVICES -E GPU_DEVICE_ORDINAL."),
            new(
                .env, value: .required("NAME[=VALUE]"), isRepeatable: true,
                help: "Set a variable in each task's environment, or pass on the one of disbatch."),
            new(
                .shell, value: .required("WHEN"), completion: choices(ShellUse.self),
                help: "Start every task by bash (always), or start simple lines directly where nothing can differ "
                    + "(auto, the default)."),
            old(
                .contextTaskLimit, "C", value: .required("N"),
                help: "Stop a context once it was given N tasks (default: 0, no limit)."),
            old(
                .label, "l", value: .required("LABEL"),
                help: "The context's name, for logs and file names."),
            old(.noRetire, help: "Do not give nodes back to the resource manager when they are no longer needed."),
            old(
                .retireCommand, "k", value: .required("COMMAND"),
                help: "Run COMMAND in a shell to give back a node. An empty COMMAND is --no-retire."),
            new(
                .lease, value: .required("DURATION"),
                help: "An engine on another machine that is cut off for this long kills its tasks, and they are run "
                    + "elsewhere (default: 5m)."),
            new(
                .margin, value: .required("DURATION"),
                help: "So long before an allocation's end no more tasks are started in it; 15 seconds before its end "
                    + "those that still run are ended, for a later run (default: 60s, or a quarter of a short "
                    + "allocation; 0: its end is not looked at)."),
            new(
                .sshClient, value: .required("HOW"), completion: choices(SSHClient.self),
                help: "Log in to hosts by a child process each (openssh), from this one (libssh2), or as suits the "
                    + "host (auto, the default)."),
            new(
                .reconnect, value: .required("N"),
                help: "Try a host that was lost N more times, with growing pauses (default: 5)."),
            new(
                .noQuarantine,
                help: "Go on giving tasks to an engine whose last ten all failed within a second each, while others' "
                    + "succeed."),
            new(
                .workdir, value: .required("DIR"), completion: .directory,
                help: "Run tasks in DIR, made where it is missing (default: the current directory, by the same path "
                    + "on every host)."),
            old(
                .startupOnly, "S",
                help: "Start without a context, and wait for those that PREFIX_dbUtil.sh adds."),
        ])

    /// What can be asked of a context that is added to a run.
    static let addedContext = OptionTable.Group(
        "Adding a context",
        options: contexts.options.filter { option in
            DriverOption(rawValue: option.name).map { ContextOptions.ofAdded.contains($0) } ?? false
        })

    static let googleCloud = OptionTable.Group(
        "Google Compute Engine",
        options: [
            new(
                .gce, value: .required("N[:MACHINE]"),
                help:
                    "Make up to N virtual machines of type MACHINE as tasks need them, beside the hosts of -s if there "
                    + "are any, and delete them when they have nothing to do."),
            new(.spot, help: "Make spot machines, which are cheaper and may be taken back at any time."),
            new(
                .spotAttempts, value: .required("N"),
                help: "Replace a machine by one on demand once N in its place were taken back (default: 2)."),
            new(
                .linger, value: .required("DURATION"),
                help: "Keep a machine without tasks for this long (default: 0)."),
            new(
                .pool, value: .required("NAME"),
                help:
                    "Take over machines of the same settings that earlier runs left to the pool NAME, before others "
                    + "are made. At the end leave machines to it that have nothing to do: they end themselves when no "
                    + "run took them for the time of --linger, at least 60 s; with --linger 0 none is left."),
            new(
                .gceSet, value: .required("KEY=VALUE"), isRepeatable: true,
                help:
                    "Set a key of section [gce] of the configuration file: project, zones, image, container, network, "
                    + "disk, gpus and others."),
            new(.gceDryRun, help: "Print what would be asked of Google, and exit."),
        ])

    private static let staging = OptionTable.Group(
        "Tasks' files on other machines",
        options: [
            new(
                .stageIn, value: .required("PATH[:DEST]"), completion: .file, isRepeatable: true,
                help: "Send the file or directory PATH to each host before its first task, to DEST there (default: "
                    + "PATH). What is there already, of the same size and time, is not sent again."),
            new(
                .taskDir,
                help: "Run each task in a new directory of its own below the working directory, DISBATCH_TASK_DIR."),
            new(
                .stageOut, value: .required("GLOB[:DIR]"), isRepeatable: true,
                help: "When a task has succeeded, bring its files that match GLOB home to DIR (default: to the same "
                    + "place). %t stands for the task's number. A task whose files can't be brought home has return "
                    + "code 125."),
        ])

    private static let files = OptionTable.Group(
        "Files and records",
        options: [
            old(
                .prefix, "p", value: .required("PATH"), completion: .file,
                help: "Where the files of the run stand: a directory (default: .), or the beginning of their names."),
            old(.statusHeader, help: "Begin the status file with a line of column names."),
            new(
                .capture, value: .required("DIR"), completion: .directory,
                help: "Write each task's stdout and stderr to files under DIR too."),
            new(.noRecord, help: "Keep no run record (<prefix>_run.db)."),
            old(
                .logFile, value: .required("FILE"), completion: .file,
                help: "The driver's log (default: <prefix>_driver.log)."),
            old(
                .logLevel, value: .required("LEVEL"), completion: choices(LogLevel.self),
                help: "The least severe messages to log: CRITICAL, ERROR, WARNING, INFO (default) or DEBUG."),
        ])

    private static let watching = OptionTable.Group(
        "Watching",
        options: [
            new(
                .progress, value: .required("WHEN"), completion: choices(ProgressMode.self),
                help: "Show progress on standard error: always as one redrawn line, never, or as suits it (auto, "
                    + "the default)."),
            old(
                .web, "w",
                help: "Show the run on a web page, for this machine alone. Its address is printed, and stands in "
                    + "<prefix>_url."),
            new(
                .webAddress, value: .required("HOST[:PORT]"),
                help: "Serve the page of --web, which this implies, at this address of this machine (default: "
                    + "127.0.0.1, and any port). 0.0.0.0 is all addresses: who knows the page's own can see it from "
                    + "elsewhere, and the network sees it too."),
            old(
                .mailTo, aliases: ["mail-to"], value: .required("ADDR"),
                help: "Send mail to ADDR as tasks end, and when the run has ended, by the server DISBATCH_SMTP "
                    + "(default: localhost:25)."),
            old(
                .mailFreq, aliases: ["mail-freq"], value: .required("N"), needs: .mailTo,
                help: "With --mailTo, send mail every N tasks (default: 1); at the run's end alone with 0."),
        ])

    private static let network = OptionTable.Group(
        "Network",
        options: [
            old(
                .useAddress, value: .required("HOST:PORT"),
                help: "The address at which other machines reach this one (default: all that it has, and any port)."),
            new(
                .listenPorts, value: .required("A-B"),
                help: "Listen at the first free port of these, for firewalls."),
            new(.noListen, help: "Open no port: the run can't be watched or controlled by dbutil."),
            old(
                .kvsServer, value: .optional("HOST:PORT"), availability: .notYet(""),
                help: "Use a running key-value server, or start one."),
        ])

    private static let other = OptionTable.Group(
        "Other",
        options: [
            new(
                .dryRun,
                help: "Read and check everything, say what would be run and where, start nothing, write nothing."),
            new(
                .completions, value: .required("SHELL"), completion: choices(CompletionShell.self), isImmediate: true,
                help: "Print a completion script for bash, zsh or fish, and exit."),
            .version,
            .help,
        ])
}
