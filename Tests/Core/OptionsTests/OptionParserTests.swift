import Options
import Testing

@Suite struct OptionParserTests {
    private let parser = OptionParser(smallTable)

    /// What is wrong is shown, and does nothing to the terminal.
    @Test(arguments: [["--\u{1b}[31m"], ["-\u{7}"], ["--retries", "-\u{1b}c"], ["--exit-code=\u{9b}"]])
    func errorsHoldNoControlCharacters(words: [String]) {
        let error = #expect(throws: OptionError.self) { try parser.parse(words) }
        #expect(error?.message.unicodeScalars.contains { $0.properties.generalCategory == .control } == false)
    }

    /// Each line: words, then what they are read as (`name` or `name=value`), then operands.
    @Test(
        arguments: [
            ([], [], []),
            (["--exit-code", "-R"], ["exit-code", "retry"], []),
            (["-eR"], ["exit-code", "retry"], []),
            (["-c", "2"], ["cpusPerTask=2"], []),
            (["-c2"], ["cpusPerTask=2"], []),
            (["-c=2"], ["cpusPerTask=2"], []),
            (["-ec2"], ["exit-code", "cpusPerTask=2"], []),
            (["-ec", "2", "x"], ["exit-code", "cpusPerTask=2"], ["x"]),
            (["-ceR"], ["cpusPerTask=eR"], []),
            (["--cpusPerTask", "2"], ["cpusPerTask=2"], []),
            (["--cpus-per-task=2"], ["cpusPerTask=2"], []),
            (["--cpus", "2"], ["cpusPerTask=2"], []),
            (["--cpus-", "2"], ["cpusPerTask=2"], []),
            (["--retries=a=b"], ["retries=a=b"], []),
            (["--retries="], ["retries="], []),
            (["--retries", ""], ["retries="], []),
            // Negative numbers and `-` are values, as in argparse.
            (["-c", "-2"], ["cpusPerTask=-2"], []),
            (["-c", "-.5"], ["cpusPerTask=-.5"], []),
            (["--from", "-"], ["from=-"], []),
            (["--from=--retry"], ["from=--retry"], []),
            // A shortened name that an older option could have had goes on meaning it.
            (["--retr"], ["retry"], []),
            (["--ret"], ["retry"], []),
            (["--retri", "1"], ["retries=1"], []),
            (["--reta"], ["retain"], []),
            // Operands anywhere, `--` and `-`.
            (["x", "-e", "y"], ["exit-code"], ["x", "y"]),
            (["-e", "-", "-R"], ["exit-code", "retry"], ["-"]),
            (["-e", "--", "-R", "--"], ["exit-code"], ["-R", "--"]),
            ([""], [], [""]),
            // Optional values.
            (["--server", "a:1", "x"], ["server=a:1"], ["x"]),
            (["--server=a:1", "x"], ["server=a:1"], ["x"]),
            (["--server"], ["server"], []),
            (["--server", "-e"], ["server", "exit-code"], []),
            (["--server", "-"], ["server"], ["-"]),
            (["--server", "--", "x"], ["server"], ["x"]),
            (["-va:1"], ["server=a:1"], []),
            (["-v", "a:1"], ["server=a:1"], []),
            // Reading stops at --help.
            (["-e", "--help", "--bogus"], ["exit-code", "help"], []),
            (["-eh", "--bogus"], ["exit-code", "help"], []),
            (["--every", "1", "--to", "x"], ["every=1", "to=x"], []),
        ] as [([String], [String], [String])])
    func reads(words: [String], options: [String], operands: [String]) throws {
        let parsed = try parser.parse(words)
        #expect(parsed.occurrences.map { $0.name + ($0.value.map { "=" + $0 } ?? "") } == options)
        #expect(parsed.operands == operands)
    }

    @Test(arguments: [
        ("--rety", "unknown option --rety (did you mean --retry?)"),
        ("--rtery", "unknown option --rtery (did you mean --retry?)"),
        ("--RETRY", "unknown option --RETRY (did you mean --retry?)"),
        ("--retris=3", "unknown option --retris (did you mean --retries?)"),
        ("--cpus_per_task", "unknown option --cpus_per_task (did you mean --cpusPerTask?)"),
        ("--tx", "unknown option --tx (did you mean --to?)"),
        ("--completely-else", "unknown option --completely-else"),
        ("--=x", "unknown option --"),
        ("-x", "unknown option -x"),
        ("-ex", "unknown option -x in -ex"),
        ("-C", "unknown option -C (did you mean -c?)"),
        ("-to", "unknown option -t in -to (did you mean --to?)"),
        ("-5", "unknown option -5"),
        ("--re", nil),
        ("--e", "--e is short for more than one option: --exit-code, --every"),
        ("--retry=yes", #"--retry takes no value ("yes")"#),
        ("--retr=yes", #"--retry takes no value ("yes")"#),
        ("-c", "-c needs a value: -c N"),
        ("--cpus", "--cpusPerTask needs a value: --cpusPerTask N"),
        ("--every=1", "--every needs --to"),
        ("--later", "--later is not available yet. Use --to."),
        ("-el", "-l is not available yet. Use --to."),
        ("--never", "--never is not available yet."),
    ])
    func refuses(word: String, expected: String?) {
        #expect(message { () throws(OptionError) in try parser.parse([word]) } == expected)
    }

    @Test(arguments: [
        (["-c", "-e"], "-c needs a value before -e (if that is the value, write -c-e)"),
        (["--from", "--retry"], "--from needs a value before --retry (if that is the value, write --from=--retry)"),
        (["--from", "--"], "--from needs a value before -- (if that is the value, write --from=--)"),
    ])
    func optionsAreNoValues(words: [String], expected: String) {
        #expect(message { () throws(OptionError) in try parser.parse(words) } == expected)
    }

    @Test func lastValueWinsAndRepeatableOnesAreAllKept() throws {
        let parsed = try parser.parse(["-c1", "-rA", "-c2", "--from=B"])
        #expect(parsed.value(of: "cpusPerTask") == "2")
        #expect(parsed.values(of: "from") == ["A", "B"])
        #expect(parsed.value(of: "to") == nil)
    }

    @Test func messagesNameTheOptionAsWrittenButWhole() throws {
        let parsed = try parser.parse(["--cpus-", "1", "-c", "2", "--cpusP=3"])
        #expect(parsed.occurrences.map(\.spelling) == ["--cpus-per-task", "-c", "--cpusPerTask"])
    }

    @Test func reportIsWhatStandardErrorShows() {
        let error = OptionError(.unknownOption, "unknown option --rety (did you mean --retry?)")
        #expect(
            error.report(program: "disbatch") == """
                disbatch: unknown option --rety (did you mean --retry?)
                Try 'disbatch --help'.

                """)
    }

    @Test(arguments: [DriverOptions.table, EngineOptions.table, DbutilOptions.table])
    func namesAndLettersAreUnique(table: OptionTable) {
        let spellings = table.options.flatMap(\.spellings)
        let twice = Dictionary(grouping: spellings, by: { $0 }).filter { $0.value.count > 1 }.keys
        #expect(twice.isEmpty, "used twice in the table of \(table.program): \(twice)")
    }
}
