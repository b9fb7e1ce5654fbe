import DisbatchCore

extension DriverOptions {
    /// Reads the arguments of `disbatch`.
    ///
    /// - Parameter words: the arguments, without the program's name.
    package static func read(_ words: [String]) throws(OptionError) -> Invocation<DriverOptions> {
        let parsed = try OptionParser(table).parse(words)
        if let immediate = parsed.immediate { return .show(try text(for: immediate)) }
        var options = DriverOptions(taskSource: try taskSource(of: parsed))
        for occurrence in parsed.occurrences {
            try option(occurrence.name)?.effect.apply(&options, occurrence)
        }
        if let frequency = parsed.occurrences.last(where: { $0.name == "mailFreq" }) {
            options.mail?.frequency = try frequency.count(atLeast: 0)
        }
        try options.staging.check()
        if options.policy.waitsForContexts { try checkStartup(parsed) }
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
        switch immediate.name {
        case "version": return table.versionText
        case "completions": return completionScript(for: table, shell: try immediate.choice())
        default: return helpText(for: table)
        }
    }

    private static func taskSource(of parsed: ParsedOptions) throws(OptionError) -> TaskSource {
        let operands = parsed.operands
        guard let name = operands.first else {
            throw OptionError(.wrongOperands, "no task file was given (- reads tasks from standard input)")
        }
        guard operands.count == 1 else {
            let names = operands.map(\.quoted).joined(separator: ", ")
            let resumes = parsed.occurrences.contains { $0.name == "resume-from" }
            let advice = resumes ? "; each status file needs a -r of its own" : ""
            throw OptionError(
                .wrongOperands, "one task file is needed, but there are \(operands.count): \(names)\(advice)")
        }
        guard !name.isEmpty else { throw OptionError(.wrongOperands, "the task file's name is empty") }
        return name == "-" ? .standardInput : .file(name)
    }

    /// Refuses options of a context that a run with `-S` has not.
    private static func checkStartup(_ parsed: ParsedOptions) throws(OptionError) {
        let shared = ["cpusPerTask", "tasksPerNode", "ssh-client"]
        if let other = parsed.occurrences.first(where: { given in
            option(given.name)?.isOfContext == true && !shared.contains(given.name)
        }) {
            throw OptionError(
                .unexpectedValue, "-S starts no context: give \(other.spelling) to PREFIX_dbUtil.sh, which adds one")
        }
        if let other = parsed.occurrences.first(where: { $0.name == "no-listen" }) {
            throw OptionError(.unexpectedValue, "-S waits for contexts, and with \(other.spelling) none could come")
        }
    }

    /// Options that do nothing without `-r` are accepted without it, as in disBatch.
    private static func warnings(_ parsed: ParsedOptions) -> [String] {
        guard !parsed.contains("resume-from") else { return [] }
        let idle = ["retry", "force-resume", "no-wait"]
        return idle.filter { parsed.contains($0) }.map { "--\($0) does nothing without -r" }
    }
}
