package import DisbatchCore

/// The options of `dbutil`.
package struct DbutilOptions: Equatable, Sendable {
    /// The action that `dbutil` is to perform.
    package enum Action: Equatable, Sendable {
        /// `--list`
        case list
        /// `--show`: everything of the task with this number.
        case show(Int)
        case stats
        case report
        /// `--rebuild`, from these status files; from the run's own where there are none.
        case rebuild([String])
        /// `--remaining`, of this task file; of the run's own where it is nil.
        case remaining(String?)
        /// `--mon`
        case monitor
        case status
        case watch
        case wait
        /// `--tail`: the output of the task with this number.
        case tail(Int)
        /// A request to the run itself.
        case ask(RunControl)
        /// `--add`, or any option of a context.
        case add(ContextOptions)
        /// `--gce`: bring machines of Google's to the run.
        case addMachines(GoogleCloudOptions)
        /// `--gce-check`, `--gce-list`, `--gce-cleanup`: arguments of `disbatch-gce`.
        case googleCloud([String])
    }

    package var action: Action
    /// `--run`; nil for the newest here.
    package var run: String?
    package var filter: String?
    package var fields: String?
    /// `--format`
    package var format: ListFormat?
    /// `-o`: a file instead of standard output.
    package var output: String?
    /// `--html`: where the page goes; `-` is standard output.
    package var htmlFile: String?
    /// `--failed`: what failed remains too.
    package var includesFailed = false
}

extension DbutilOptions {
    private static func action(
        _ name: String, value: OptionSpec.Value = .none, help: String
    ) -> OptionSpec {
        OptionSpec(name, value: value, help: help)
    }

    /// The options of `dbutil`.
    package static let table = OptionTable(
        program: "dbutil",
        synopses: [
            "[--run PREFIX] --mon", "[--run PREFIX] --status [--json] | --watch | --wait", "[--run PREFIX] --tail TASK",
            "[--run PREFIX] --drain | --stop | --kill TASK",
            "[--run PREFIX] --stop-engine RANK | --stop-context LABEL",
            "[--run PREFIX] --list [--filter EXPR] [--fields NAMES]", "[--run PREFIX] --show TASK",
            "[--run PREFIX] --stats | --report [--html FILE]", "[--run PREFIX] --remaining [--failed] [TASKFILE]",
            "[--run PREFIX] --rebuild [STATUSFILE]...",
            "[--run PREFIX] [--add] [-s HOST:CORES] [-c N] [-t N] [-C N]...",
            "[--run PREFIX] --gce N[:MACHINE]", "--gce-check | --gce-list | --gce-cleanup [RUN]",
        ],
        summary: "Watch and control a run of disbatch while it goes on, add engines to it, and look at it afterwards.",
        groups: [actions, details, DriverOptions.addedContext, machines, other],
        notes: [
            "Without --run it takes the newest run in the current directory, and says which. "
                + "Long names may be shortened while they stay unambiguous.",
            "Exit status: 0; 1 if the run can't be reached or its files read, or the result not be written; 2 wrong "
                + "usage; with --watch and --wait, the run's. See dbutil(1).",
        ])

    private static let actions = OptionTable.Group(
        "What to do",
        options: [
            OptionSpec(
                "mon", aliases: ["monitor"],
                help: "Show the run on the whole screen, as it goes on; ? shows the keys."),
            action("status", help: "Print what the run is like now, or how it ended."),
            action("watch", help: "Print a line whenever something changed, to the run's end."),
            action("wait", help: "Wait for the run's end. The exit status is the run's, as with --watch."),
            action(
                "tail", value: .required("TASK"),
                help: "Print what the task of this number writes, as it comes, until it has ended; "
                    + "one that waits is followed from its start."),
            action(
                "kill", value: .required("TASK"),
                help: "End the running task of this number, which counts as failed and is not run again: SIGTERM, and "
                    + "SIGKILL after --kill-after; asked again, at once."),
            action("drain", help: "Let the run start no new task; it ends when the running ones have."),
            action("stop", help: "Let the run end its running tasks, and itself; asked again, at once."),
            action(
                "stop-engine", value: .required("RANK"),
                help: "Let the engine of this rank take no more tasks, and go when its running ones have ended."),
            action(
                "stop-context", value: .required("LABEL"),
                help: "Let all engines of a context take no more tasks, and go when their running ones have ended."),
            action("list", help: "List tasks, each with its last attempt."),
            action("show", value: .required("TASK"), help: "Show all that is known of the task of this number."),
            action(
                "stats",
                help: "Show times, CPU time and memory: median, 95th percentile, maximum and sum, by node too."),
            action(
                "report",
                help: "Say what failed and probably why, which nodes and tasks stand out, how slots were used, "
                    + "and the command that does what is left."),
            action(
                "remaining",
                help: "Write a task file of what is not done, fit to be run on its own. "
                    + "TASKFILE is needed only if the run record does not say where the tasks came from."),
            action(
                "rebuild",
                help: "Make the run record anew from the run's status file, or from the STATUSFILEs. "
                    + "The old one is kept beside it."),
            action(
                "add",
                help: "Add a context to the run: that of the allocation this is started in, or of -s. "
                    + "It stays until its engines have gone. Any option of a context says this too."),
        ])

    private static let machines = OptionTable.Group(
        DriverOptions.googleCloudGroup.title,
        options: DriverOptions.googleCloudGroup.shown.options.filter { $0.name != "gce-dry-run" } + [
            action(
                "gce-check",
                help:
                    "Look whether machines can be made, those of --gce if that is given: credentials, project, image, "
                    + "network, quota. What is wrong is shown with the command that mends it."),
            action("gce-list", help: "List the machines of all runs in the project."),
            action(
                "gce-cleanup",
                help: "Delete the machines of all runs in the project, or of RUN, as --gce-list names it."),
        ])

    private static let details = OptionTable.Group(
        "How",
        options: [
            OptionSpec(
                "run", value: .required("PREFIX"), completion: .file,
                help: "Which run: its -p, or one of its files such as PREFIX_run.db or PREFIX_status.txt."),
            OptionSpec(
                "filter", value: .required("EXPR"),
                help: "With --list, only tasks for which all conditions hold, such as "
                    + "state=failed,elapsed>60,node=n1*. Compare by =, !=, <, <=, > and >=."),
            OptionSpec(
                "fields", value: .required("NAMES"),
                help: "With --list, the columns, with commas between them. A wrong name shows all there are."),
            OptionSpec(
                "format", value: .required("FORMAT"), completion: .choices(ListFormat.allCases.map(\.rawValue)),
                help: "With --list: table, tsv, csv or json. With --show, --stats and --report: json."),
            OptionSpec(
                "output", "o", value: .required("FILE"), completion: .file,
                help: "Write to FILE, which appears when it is whole."),
            OptionSpec(
                "html", value: .required("FILE"), completion: .file,
                help: "With --report, write it to FILE as a page with charts that needs no other file."),
            OptionSpec("json", help: "With --status: the same as --format json."),
            OptionSpec("failed", "R", help: "With --remaining, write the tasks that failed, too."),
        ])

    private static let other = OptionTable.Group(
        "Other",
        options: [
            OptionSpec(
                "completions", value: .required("SHELL"),
                completion: .choices(CompletionShell.allCases.map(\.rawValue)), isImmediate: true,
                help: "Print a completion script for bash, zsh or fish, and exit."),
            .version, .help,
        ])

    /// Reads the arguments of `dbutil`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<DbutilOptions> {
        let parsed = try OptionParser(table).parse(words)
        if let immediate = parsed.immediate {
            switch immediate.name {
            case OptionSpec.version.name: return .show(table.versionText)
            case "completions": return .show(completionScript(for: table, shell: try immediate.choice()))
            default: return .show(helpText(for: table))
            }
        }
        var options = DbutilOptions(action: try action(of: parsed))
        try options.checkFitting(parsed)
        for occurrence in parsed.occurrences {
            switch occurrence.name {
            case "run": options.run = try occurrence.text()
            case "filter": options.filter = try occurrence.text()
            case "fields": options.fields = try occurrence.text()
            case "format": options.format = try occurrence.choice()
            case "output": options.output = try occurrence.text()
            case "html": options.htmlFile = try occurrence.text()
            case "failed": options.includesFailed = true
            case "json": options.format = .json
            default: break
            }
        }
        if case .add = options.action { options.action = .add(try ContextOptions(parsed)) }
        try options.checkFormat()
        return .run(options)
    }

    private static func action(of parsed: ParsedOptions) throws(OptionError) -> Action {
        if let action = try googleCloudAction(parsed) { return action }
        let given = parsed.occurrences.filter { occurrence in
            actions.options.contains { $0.name == occurrence.name }
        }
        let added = parsed.occurrences.first { occurrence in
            DriverOptions.addedContext.options.contains { $0.name == occurrence.name }
        }
        guard let first = given.first ?? added else {
            throw OptionError(
                .missingOption, "say what to do: \(actions.options.map { "--\($0.name)" }.joined(separator: ", "))")
        }
        if let added, first.name != added.name, first.name != "add" {
            throw OptionError(
                .unexpectedValue, "\(added.spelling) adds a context, and does not go with \(first.spelling)")
        }
        if let second = given.first(where: { $0.name != first.name }) {
            throw OptionError(.unexpectedValue, "\(first.spelling) and \(second.spelling) can't be done at once")
        }
        let operands = parsed.operands
        switch first.name {
        case "rebuild": return .rebuild(operands)
        case "remaining" where operands.count <= 1: return .remaining(operands.first)
        default: break
        }
        if let operand = operands.last {
            throw OptionError(
                .wrongOperands, "\(first.spelling) takes no operand \(operand.quoted) (which run: --run PREFIX)")
        }
        switch first.name {
        case "show": return .show(try first.count(atLeast: 0))
        case "mon": return .monitor
        case "status": return .status
        case "watch": return .watch
        case "wait": return .wait
        case "tail": return .tail(try first.count(atLeast: 0))
        case "kill": return .ask(.kill(TaskID(try first.count(atLeast: 0))))
        case "drain": return .ask(.drain)
        case "stop": return .ask(.stop)
        case "stop-engine": return .ask(.stopEngine(EngineID(try first.count(atLeast: 0))))
        case "stop-context": return .ask(.stopContext(label: try first.label()))
        case "stats": return .stats
        case "report": return .report
        case "list": return .list
        default: return .add(ContextOptions())
        }
    }

    /// The action on machines of Google's, if one is asked for.
    private static func googleCloudAction(_ parsed: ParsedOptions) throws(OptionError) -> Action? {
        let names = ["gce", "gce-check", "gce-list", "gce-cleanup"]
        let check = parsed.occurrences.first { $0.name == "gce-check" }
        guard let first = check ?? parsed.occurrences.first(where: { names.contains($0.name) }) else {
            _ = try GoogleCloudOptions(parsed)
            return nil
        }
        if let other = parsed.occurrences.first(where: { given in
            given.name != first.name && (check == nil || given.name != "gce")
                && (names + actions.options.map(\.name)).contains(given.name)
        }) {
            throw OptionError(.unexpectedValue, "\(first.spelling) and \(other.spelling) can't be done at once")
        }
        let settings = parsed.values(of: "gce-set").map { "--gce-set=\($0)" }
        switch first.name {
        case "gce": return .addMachines(try GoogleCloudOptions(parsed, withContext: true))
        case "gce-check":
            let machines = parsed.values(of: "gce").map { "--gce=\($0)" } + (parsed.contains("spot") ? ["--spot"] : [])
            return .googleCloud(["--examine"] + settings + machines)
        case "gce-list": return .googleCloud(["--list"] + settings)
        default: return .googleCloud(["--clean-up"] + settings + parsed.operands.prefix(1).map { "--run-label=\($0)" })
        }
    }

    /// Checks that each option goes with the action: none may be given in vain.
    private func checkFitting(_ parsed: ParsedOptions) throws(OptionError) {
        for occurrence in parsed.occurrences {
            let home: String? =
                switch (occurrence.name, action) {
                case ("filter", .list), ("fields", .list), ("html", .report), ("failed", .remaining): nil
                case ("json", .status), ("format", .status): nil
                case ("json", _): "--status"
                case ("output", .monitor), ("output", .status), ("output", .watch), ("output", .wait), ("output", .ask),
                    ("output", .add), ("output", .addMachines), ("output", .googleCloud), ("output", .tail):
                    "what reads files"
                case ("format", .list), ("format", .show), ("format", .stats), ("format", .report): nil
                case ("output", .rebuild): "what is printed"
                case ("filter", _), ("fields", _): "--list"
                case ("html", _): "--report"
                case ("failed", _): "--remaining"
                case ("format", _): "--list, --show, --stats and --report"
                default: nil
                }
            if let home { throw OptionError(.unexpectedValue, "\(occurrence.spelling) goes with \(home) alone") }
        }
    }

    private func checkFormat() throws(OptionError) {
        if let format, action != .list, format != .json {
            throw OptionError(.badValue, "--format \(format.rawValue) goes with --list alone; here it can be json")
        }
        if htmlFile != nil, format != nil || output != nil {
            throw OptionError(.unexpectedValue, "--html names its file itself, and takes no --format and no -o")
        }
    }
}
