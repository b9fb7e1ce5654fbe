/// The options for virtual machines of Google Compute Engine. Only `disbatch-gce`, which makes them, looks into most of
/// it.
package struct GoogleCloudOptions: Equatable, Sendable {
    /// The options as they are given to `disbatch-gce`; empty where there is no `--gce`.
    package var words: [String] = []
    /// `--gce-dry-run`
    package var isDryRun = false

    package init() {}

    package var isWanted: Bool { !words.isEmpty }
}

extension GoogleCloudOptions {
    /// The options for machines of Google's.
    static let ofMachines: Set<String> = ["gce", "spot", "spot-attempts", "linger", "pool", "gce-set"]

    /// Those of one context that such machines can have.
    static let ofContext: Set<String> = ["cpusPerTask", "tasksPerNode", "context-task-limit", "label", "ssh-client"]

    /// Reads what was given.
    init(_ parsed: ParsedOptions, withContext: Bool = false) throws(OptionError) {
        let given = parsed.occurrences.filter { Self.ofMachines.contains($0.name) }
        isDryRun = parsed.contains("gce-dry-run")
        guard let count = given.last(where: { $0.name == "gce" }) else {
            if let first = given.first ?? parsed.occurrences.first(where: { $0.name == "gce-dry-run" }) {
                throw OptionError(.unexpectedValue, "\(first.spelling) goes with --gce alone")
            }
            return
        }
        let number = (count.value ?? "").prefix { $0 != ":" }
        guard let machines = Int(number), (1...10_000).contains(machines) else {
            throw OptionError(
                .badValue,
                "\(count.spelling) \((count.value ?? "").quoted): expected N or N:MACHINE, such as 20:n2-standard-4")
        }
        let contextual =
            withContext ? parsed.occurrences.filter { Self.ofContext.contains($0.name) } : []
        words = (given + contextual).map { occurrence in
            occurrence.value.map { "--\(occurrence.name)=\($0)" } ?? "--\(occurrence.name)"
        }
    }
}

/// The options of `disbatch-gce`, which is started by `disbatch` and `dbutil`, not by users.
package struct GoogleCloudHelperOptions: Equatable, Sendable {
    /// The action that `disbatch-gce` is to perform.
    package enum Action: Equatable, Sendable {
        /// Bring machines to the run of this file.
        case run(file: String)
        /// See, before a run, whether the options can be understood.
        case check
        /// Print what would be asked of Google, for so many tasks.
        case dryRun(tasks: Int?)
        /// Look whether machines can be made.
        case examine
        /// Print the machines that there are.
        case list
        /// Delete them: those of one run, or all.
        case cleanUp(run: String?)
    }

    package var action = Action.check
    /// `--gce`: `N` or `N:MACHINE`.
    package var machines: String?
    package var wantsSpot = false
    package var spotAttempts: Int?
    package var linger: Duration?
    package var pool: String?
    /// `--gce-set`: keys of section `[gce]`, in their order.
    package var settings: [String] = []
    package var context = ContextOptions()
    /// Whether the driver started it, and ends its standard input when it is gone.
    package var isOfDriver = false
    /// `--earlier`: files of earlier runs, whose machines are to be deleted.
    package var earlier: [String] = []

    /// The options of `disbatch-gce`.
    package static let table = OptionTable(
        program: "disbatch-gce", synopses: ["[OPTION]... RUNFILE"],
        summary: "Bring virtual machines of Google Compute Engine to a run of disbatch. It is started by disbatch and "
            + "dbutil.",
        groups: [
            OptionTable.Group(
                "Run", operands: [.init("RUNFILE", help: "The run's PREFIX_run.json.")],
                options: [
                    OptionSpec("check", help: "See whether the options can be understood, and exit."),
                    OptionSpec("dry-run", help: "Print what would be asked of Google, and exit."),
                    OptionSpec("tasks", value: .required("N"), help: "With --dry-run, for so many tasks."),
                    OptionSpec("examine", help: "Look whether machines can be made, and exit."),
                    OptionSpec("list", help: "Print the machines that there are, and exit."),
                    OptionSpec("clean-up", help: "Delete them, and exit."),
                    OptionSpec("run-label", value: .required("RUN"), help: "With --clean-up, those of one run."),
                    OptionSpec(
                        "earlier", value: .required("FILE"), isRepeatable: true,
                        help: "Delete the machines of an earlier run, of this PREFIX_gce.json."),
                    OptionSpec("of-driver", help: "The end of standard input is the driver's."),
                ]),
            DriverOptions.googleCloudGroup.shown,
            OptionTable.Group(
                "Context",
                options: DriverOptions.addedContext.options.filter { GoogleCloudOptions.ofContext.contains($0.name) }),
            OptionTable.Group("Other", options: [.version, .help]),
        ])

    /// Reads the arguments of `disbatch-gce`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<GoogleCloudHelperOptions> {
        let parsed = try OptionParser(table).parse(words)
        if let immediate = parsed.immediate {
            return .show(immediate.name == OptionSpec.version.name ? table.versionText : helpText(for: table))
        }
        var options = GoogleCloudHelperOptions()
        for occurrence in parsed.occurrences { try options.apply(occurrence) }
        options.context = try ContextOptions(parsed)
        options.action = try action(of: parsed)
        return .run(options)
    }

    private mutating func apply(_ given: ParsedOptions.Occurrence) throws(OptionError) {
        switch given.name {
        case "of-driver": isOfDriver = true
        case "earlier": earlier.append(try given.text())
        case "gce": machines = try given.text()
        case "spot": wantsSpot = true
        case "spot-attempts": spotAttempts = try given.count(atLeast: 0)
        case "linger": linger = try given.duration(allowsZero: true)
        case "pool": pool = try given.text()
        case "gce-set": settings.append(try given.text())
        default: break
        }
    }

    private static func action(of parsed: ParsedOptions) throws(OptionError) -> Action {
        if parsed.contains("check") { return .check }
        if parsed.contains("dry-run") {
            return .dryRun(tasks: try parsed.occurrences.last { $0.name == "tasks" }?.count(atLeast: 0))
        }
        if parsed.contains("examine") { return .examine }
        if parsed.contains("list") { return .list }
        if parsed.contains("clean-up") { return .cleanUp(run: parsed.value(of: "run-label")) }
        guard parsed.operands.count == 1 else { throw OptionError(.wrongOperands, "one run file is needed") }
        return .run(file: parsed.operands[0])
    }
}
