extension DriverOptions {
    /// Reads the arguments of `disbatch`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<DriverOptions> {
        let parsed = try OptionParser(table).parse(words)
        if let immediate = parsed.immediate { return .show(try text(for: immediate)) }
        var options = DriverOptions(taskSource: try taskSource(of: parsed.operands))
        for occurrence in parsed.occurrences {
            guard let option = DriverOption(rawValue: occurrence.name) else { continue }
            try options.apply(option, occurrence)
        }
        if let frequency = parsed.occurrences.last(where: { $0.name == DriverOption.mailFreq.rawValue }) {
            options.mail?.frequency = try frequency.count(atLeast: 0)
        }
        try options.staging.check()
        if options.startsUpOnly { try checkStartup(parsed) }
        options.googleCloud = try GoogleCloudOptions(parsed)
        if options.googleCloud.isWanted, !options.listens {
            throw OptionError(
                .unexpectedValue, "--gce needs the port that --no-listen does not open; leave one of them away")
        }
        try options.checkWatchers()
        options.warnings = warnings(parsed)
        return .run(options)
    }

    /// Page and mail come from programs that watch the run as dbutil does.
    private func checkWatchers() throws(OptionError) {
        guard !listens else { return }
        let wish = web != nil ? "--web" : mail != nil ? "--mailTo" : nil
        guard let wish else { return }
        throw OptionError(
            .badValue, "\(wish) needs the port that --no-listen does not open; leave one of them away")
    }

    private static func text(for immediate: ParsedOptions.Occurrence) throws(OptionError) -> String {
        switch DriverOption(rawValue: immediate.name) {
        case .version: return table.versionText
        case .completions: return completionScript(for: table, shell: try immediate.choice())
        default: return helpText(for: table)
        }
    }

    private static func taskSource(of operands: [String]) throws(OptionError) -> TaskSource {
        guard let name = operands.first else {
            throw OptionError(.wrongOperands, "no task file was given (- reads tasks from standard input)")
        }
        guard operands.count == 1 else {
            let names = operands.map(\.quoted).joined(separator: ", ")
            throw OptionError(.wrongOperands, "one task file is needed, but there are \(operands.count): \(names)")
        }
        guard !name.isEmpty else { throw OptionError(.wrongOperands, "the task file's name is empty") }
        return name == "-" ? .standardInput : .file(name)
    }

    /// What would be of a context that there is not.
    private static func checkStartup(_ parsed: ParsedOptions) throws(OptionError) {
        let others: [DriverOption] = [
            .context, .sshNode, .fill, .bind, .envResource, .gpu, .contextTaskLimit, .label, .noRetire, .retireCommand,
            .margin,
        ]
        if let other = parsed.occurrences.first(where: { given in others.contains { $0.rawValue == given.name } }) {
            throw OptionError(
                .unexpectedValue, "-S starts no context: give \(other.spelling) to PREFIX_dbUtil.sh, which adds one")
        }
        if let other = parsed.occurrences.first(where: { $0.name == DriverOption.noListen.rawValue }) {
            throw OptionError(.unexpectedValue, "-S waits for contexts, and with \(other.spelling) none could come")
        }
    }

    /// Options that do nothing without `-r` are accepted without it, as in disBatch.
    private static func warnings(_ parsed: ParsedOptions) -> [String] {
        guard !parsed.contains(DriverOption.resumeFrom.rawValue) else { return [] }
        let idle = [DriverOption.retry, .forceResume, .noWait].map(\.rawValue)
        return idle.filter { parsed.contains($0) }.map { "--\($0) does nothing without -r" }
    }

    private mutating func apply(
        _ option: DriverOption, _ given: ParsedOptions.Occurrence
    ) throws(OptionError) {
        switch option {
        case .resumeFrom: resumeFrom.append(try given.text())
        case .retry: runsFailedAgain = true
        case .forceResume: forcesResume = true
        case .noWait: waitsForEarlierEngines = false
        case .exitCode: exitsWithTaskFailure = true
        case .failFast: failsFast = true
        case .retries: retries = try given.count(atLeast: 0)
        case .maxLost: maxLost = try given.count(atLeast: 0)
        case .taskTimeout: taskTimeout = try given.duration(allowsZero: false)
        case .killAfter: killAfter = try given.duration(allowsZero: true)
        case .strictStart: needsSuccessfulStart = true
        case .limit: taskLimit = try given.count(atLeast: 1)
        case .context, .sshNode, .cpusPerTask, .tasksPerNode, .fill, .bind, .envResource, .gpu, .env, .shell,
            .contextTaskLimit, .label, .noRetire, .retireCommand, .lease, .margin, .reconnect, .sshClient, .workdir,
            .noQuarantine:
            try context.apply(option, given)
        case .stageIn, .taskDir, .stageOut: try staging.apply(option, given)
        case .prefix: prefix = try given.text()
        case .statusHeader: writesStatusHeader = true
        case .capture: captureDirectory = try given.text()
        case .noRecord: keepsRecord = false
        case .logFile: logFile = try given.text()
        case .logLevel: logLevel = try given.choice()
        case .progress: progress = try given.choice()
        case .useAddress: useAddress = try given.hostPort()
        case .listenPorts: listenPorts = try given.ports()
        case .noListen: listens = false
        case .web: web = web ?? .loopback
        case .webAddress: web = try given.listeningAddress()
        case .mailTo: mail = MailOptions(address: try given.mailAddress())
        case .mailFreq: break  // Read once it is known that --mailTo is there.
        case .dryRun: isDryRun = true
        case .startupOnly: startsUpOnly = true
        case .gce, .spot, .spotAttempts, .linger, .pool, .gceSet, .gceDryRun:
            break  // Read together, by GoogleCloudOptions.
        case .taskCommand, .taskServer, .kvsServer:
            break  // Not available yet: the parser refuses them.
        case .completions, .help, .version:
            break  // Immediate: dealt with before.
        }
    }
}

extension ContextOptions {
    /// Those that make sense for one context among others; the rest is the run's.
    static let ofAdded: Set<DriverOption> = [
        .context, .sshNode, .cpusPerTask, .tasksPerNode, .fill, .bind, .envResource, .gpu, .contextTaskLimit, .label,
        .noRetire, .retireCommand, .margin, .sshClient,
    ]

    /// Takes in one option.
    mutating func apply(
        _ option: DriverOption, _ given: ParsedOptions.Occurrence
    ) throws(OptionError) {
        switch option {
        case .context: kind = try given.choice()
        case .sshNode: sshNodes.append(try given.text())
        case .cpusPerTask: coresPerTask = try given.positiveNumber()
        case .tasksPerNode: tasksPerNode = try given.count(atLeast: 1)
        case .fill: fillsNodes = true
        case .bind: binding = try given.choice()
        case .envResource: for name in try given.variableNames() { addResource(name) }
        case .gpu:
            addResource("CUDA_VISIBLE_DEVICES")
            addResource("GPU_DEVICE_ORDINAL")
        case .env: environment.append(try given.environmentSetting())
        case .shell: shellUse = try given.choice()
        case .contextTaskLimit:
            let limit = try given.count(atLeast: 0)
            taskLimit = limit == 0 ? nil : limit
        case .label: label = try given.label()
        case .noRetire: retirement = .none
        case .retireCommand:
            let command = given.value ?? ""
            retirement = command.isEmpty ? .none : .command(command)
        case .lease: lease = try given.duration(allowsZero: false)
        case .margin: margin = try given.duration(allowsZero: true)
        case .sshClient: sshClient = try given.choice()
        case .reconnect: reconnects = try given.count(atLeast: 0)
        case .noQuarantine: quarantines = false
        case .workdir: workingDirectory = try given.absolutePath()
        default: break  // Not of a context.
        }
    }
}
