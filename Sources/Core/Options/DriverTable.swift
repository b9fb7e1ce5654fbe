import DisbatchCore

extension DriverOptions {
    /// The options of `disbatch`.
    package static let table = OptionTable(
        program: "disbatch",
        otherNames: ["disBatch", "disBatch.py"],
        synopses: ["[OPTION]... TASKFILE", "[OPTION]... -"],
        summary: "Run the tasks of a file, one shell command a line, as many at a time as there are slots, "
            + "and record how each ended.",
        groups: groups.map(\.shown),
        notes: [
            "A DURATION is 90 or 90s, 10m, 2h, 1d, or several of these: 1h30m.",
            "Long names may be shortened while they stay unambiguous.",
            "Exit status: 0 all done; 1 failed tasks (with -e, -f or a CHECK barrier); 2 wrong usage or task file, "
                + "nothing was run; 3 the run broke; 4 tasks were left undone; 129, 130, 143 ended by "
                + "SIGHUP, SIGINT, SIGTERM. See disbatch(1).",
        ])

    private static let groups = [
        taskSourceGroup, resumeGroup, failureGroup, contextGroup, googleCloudGroup, stagingGroup, fileGroup,
        watchingGroup, networkGroup, otherGroup,
    ]

    private static let optionsByName = Dictionary(
        uniqueKeysWithValues: groups.flatMap(\.options).map { ($0.spec.name, $0) })

    /// The option with this long name.
    static func option(_ name: String) -> DriverOption? { optionsByName[name] }

    /// An option that disBatch has too: what could be shortened there can be shortened here.
    static func old(
        _ name: String, _ letter: Character? = nil, aliases: [String] = [], value: OptionSpec.Value = .none,
        completion: OptionSpec.Completion = .none, availability: OptionSpec.Availability = .available,
        isRepeatable: Bool = false, needs: String? = nil, isOfContext: Bool = false, sets effect: OptionEffect,
        help: String
    ) -> DriverOption {
        let spec = OptionSpec(
            name, letter, aliases: aliases, value: value, completion: completion, availability: availability,
            isRepeatable: isRepeatable, winsAbbreviations: true, needs: needs, help: help)
        return DriverOption(spec, sets: effect, isOfContext: isOfContext)
    }

    /// An option that disBatch does not have.
    static func new(
        _ name: String, value: OptionSpec.Value = .none, completion: OptionSpec.Completion = .none,
        isRepeatable: Bool = false, isImmediate: Bool = false, isOfContext: Bool = false, sets effect: OptionEffect,
        help: String
    ) -> DriverOption {
        let spec = OptionSpec(
            name, value: value, completion: completion, isRepeatable: isRepeatable, isImmediate: isImmediate,
            help: help)
        return DriverOption(spec, sets: effect, isOfContext: isOfContext)
    }

    /// A value of a few words, all of which shells offer.
    static func choices<Choice: RawRepresentable<String> & CaseIterable>(
        _ type: Choice.Type
    ) -> OptionSpec.Completion {
        .choices(Choice.allCases.map(\.rawValue))
    }

    private static let taskSourceGroup = DriverOptionGroup(
        "Task source",
        operands: [
            .init("TASKFILE", help: "The tasks, one a line; - reads them from standard input as they come.")
        ],
        options: [
            old(
                "taskcommand", value: .required("COMMAND"),
                availability: .notYet("A command that prints its tasks can be piped instead: COMMAND | disbatch -"),
                sets: .nothing,
                help: "Start COMMAND, and take tasks from it through a key-value server."),
            old(
                "taskserver", value: .optional("HOST:PORT"),
                availability: .notYet("A program that prints its tasks can be piped instead: PROGRAM | disbatch -"),
                sets: .nothing,
                help: "Take tasks from a key-value server."),
        ])

    private static let resumeGroup = DriverOptionGroup(
        "Resume",
        options: [
            old(
                "resume-from", "r", value: .required("FILE"), completion: .file, isRepeatable: true,
                sets: .list(\.resumeFrom, .text),
                help: "Skip the tasks that have a result in FILE, an earlier run's status file."),
            old("retry", "R", sets: .flag(\.retriesFailures), help: "With -r, run again the tasks that failed."),
            old(
                "force-resume", sets: .flag(\.forcesResume),
                help: "With -r, go by task numbers alone, even where command, line or repeat index differ."),
            new(
                "no-wait", sets: .flag(\.waitsForEarlierEngines, false),
                help: "With -r, do not wait for engines of the earlier run that may still be alive."),
        ])

    private static let failureGroup = DriverOptionGroup(
        "Failures",
        options: [
            old("exit-code", "e", sets: .flag(\.failsOnTaskFailure), help: "Exit with status 1 if a task failed."),
            old(
                "fail-fast", "f", sets: .flag(\.scheduler.failsFast),
                help: "At the first failed task, end the running ones and exit with status 1."),
            new(
                "retries", value: .required("N"), sets: .value(\.scheduler.retries, .count(atLeast: 0)),
                help: "Run a failed task again, up to N times, before it counts as failed (default: 0)."),
            new(
                "max-lost", value: .required("N"), sets: .value(\.scheduler.maxLost, .count(atLeast: 0)),
                help: "Run a task again, up to N times, if its engine was lost (default: 3). "
                    + "Then it counts as failed, with return code -100."),
            new(
                "task-timeout", value: .required("DURATION"), sets: .value(\.tasks.timeout, .positive),
                help: "End a task that runs for longer: SIGTERM, then SIGKILL after --kill-after. "
                    + "Its return code is 124."),
            new(
                "kill-after", value: .required("DURATION"), sets: .value(\.tasks.killAfter, .duration),
                help: "Time from SIGTERM to SIGKILL when a task is ended, at a timeout or when the run is "
                    + "interrupted (default: 10s)."),
            new(
                "strict-start", sets: .flag(\.scheduler.isStartStrict),
                help: "Do not use an engine on which a PERENGINE START command failed."),
            new(
                "start-timeout", value: .required("DURATION"),
                sets: .value(\.scheduler.startTimeout, .durationOrNone),
                help: "End a PERENGINE START command that runs for longer, as at --task-timeout (default: 10m; 0 for "
                    + "no limit)."),
            new(
                "limit", value: .required("N"), sets: .value(\.runTaskLimit, .count(atLeast: 1)),
                help: "Start only the first N tasks, and leave the rest to a later run with -r."),
        ])

    private static let fileGroup = DriverOptionGroup(
        "Files and records",
        options: [
            old(
                "prefix", "p", value: .required("PATH"), completion: .file, sets: .value(\.prefix, .text),
                help: "Where the files of the run stand: a directory (default: .), or the beginning of their names."),
            old(
                "status-header", sets: .flag(\.writesStatusHeader),
                help: "Begin the status file with a line of column names."),
            new(
                "capture", value: .required("DIR"), completion: .directory, sets: .value(\.captureDirectory, .text),
                help: "Write each task's stdout and stderr to files under DIR too."),
            new("no-record", sets: .flag(\.keepsRecord, false), help: "Keep no run record (<prefix>_run.db)."),
            old(
                "logfile", value: .required("FILE"), completion: .file, sets: .value(\.logFile, .text),
                help: "The driver's log (default: <prefix>_driver.log)."),
            old(
                "loglevel", value: .required("LEVEL"), completion: .choices(LogLevel.mostSevereFirst.map(\.name)),
                sets: .value(\.logLevel, .logLevel),
                help: "The least severe messages to log: CRITICAL, ERROR, WARNING, INFO (default) or DEBUG."),
        ])

    private static let watchingGroup = DriverOptionGroup(
        "Watching",
        options: [
            new(
                "progress", value: .required("WHEN"), completion: choices(ProgressMode.self),
                sets: .value(\.progress, .choice),
                help: "Show progress on standard error: always as one redrawn line, never, or as suits it (auto, "
                    + "the default)."),
            old(
                "web", "w", sets: .page,
                help: "Show the run on a web page, for this machine alone. Its address is printed, and stands in "
                    + "<prefix>_url."),
            new(
                "web-address", value: .required("HOST[:PORT]"), sets: .value(\.web, .listeningAddress),
                help: "Serve the page of --web, which this implies, at this address of this machine (default: "
                    + "127.0.0.1, and any port). 0.0.0.0 is all addresses: who knows the page's own can see it from "
                    + "elsewhere, and the network sees it too."),
            old(
                "mailTo", aliases: ["mail-to"], value: .required("ADDR"), sets: .mailAddress,
                help: "Send mail to ADDR as tasks end, and when the run has ended, by the server DISBATCH_SMTP "
                    + "(default: localhost:25)."),
            old(
                "mailFreq", aliases: ["mail-freq"], value: .required("N"), needs: "mailTo", sets: .nothing,
                help: "With --mailTo, send mail every N tasks (default: 1); at the run's end alone with 0."),
        ])

    private static let networkGroup = DriverOptionGroup(
        "Network",
        options: [
            old(
                "use-address", value: .required("HOST:PORT"), sets: .value(\.useAddress, .hostPort),
                help: "The address at which other machines reach this one (default: all that it has, and any port)."),
            new(
                "listen-ports", value: .required("A-B"), sets: .value(\.listenPorts, .ports),
                help: "Listen at the first free port of these, for firewalls."),
            new(
                "no-listen", sets: .flag(\.listens, false),
                help: "Open no port: the run can't be watched or controlled by dbutil."),
            old(
                "kvsserver", value: .optional("HOST:PORT"), availability: .notYet(""), sets: .nothing,
                help: "Use a running key-value server, or start one."),
        ])

    private static let otherGroup = DriverOptionGroup(
        "Other",
        options: [
            new(
                "dry-run", sets: .flag(\.isDryRun),
                help: "Read and check everything, say what would be run and where, start nothing, write nothing."),
            new(
                "completions", value: .required("SHELL"), completion: choices(CompletionShell.self), isImmediate: true,
                sets: .nothing,
                help: "Print a completion script for bash, zsh or fish, and exit."),
            DriverOption(.version, sets: .nothing),
            DriverOption(.help, sets: .nothing),
        ])
}

extension OptionEffect {
    /// `--web`: a page at this machine's own address, unless `--web-address` names another.
    fileprivate static let page = OptionEffect { (options, _) throws(OptionError) in
        options.web = options.web ?? .loopback
    }

    fileprivate static let mailAddress = OptionEffect { (options, given) throws(OptionError) in
        options.mail = MailOptions(address: try given.mailAddress())
    }
}

extension ValueReader<LogLevel> {
    fileprivate static let logLevel = ValueReader { (given) throws(OptionError) in
        try given.choice(of: LogLevel.mostSevereFirst, word: \.name)
    }
}

extension LogLevel {
    fileprivate static var mostSevereFirst: [LogLevel] { allCases.reversed() }
}
