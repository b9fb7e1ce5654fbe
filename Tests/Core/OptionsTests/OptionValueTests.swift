import Options
import Testing

@Suite struct OptionValueTests {
    @Test(
        arguments: [
            ("90", .seconds(90)), ("90s", .seconds(90)), ("10m", .seconds(600)), ("2h", .seconds(7200)),
            ("1d", .seconds(86_400)), ("1h30m", .seconds(5400)), ("1d2h3m4s", .seconds(93_784)), ("0", .zero),
            ("0.5", .milliseconds(500)), ("1.5h", .seconds(5400)), ("1m0.25s", .milliseconds(60_250)),
            ("10000d", .seconds(864_000_000)), ("007", .seconds(7)),
        ] as [(String, Duration)])
    func readsDurations(text: String, expected: Duration) {
        #expect(parseDuration(text) == expected)
    }

    @Test(arguments: [
        "", "s", "5x", "-5", "+5", " 5", "5 ", "1h30", "30m1h", "1h1h", "1.5h30m", "1.", ".5", "1.s", "1e3", "inf",
        "10000d1s", "10001d", "99999999999999999999", "0.1234567891", "1,5", "10M", "1\u{301}",
    ])
    func refusesOtherDurations(text: String) {
        #expect(parseDuration(text) == nil)
    }

    private static let notDuration = "not a duration; write 90, 90s, 10m, 2h, 1d or 1h30m (at most 10000d)"
    private static let notPort = "not HOST:PORT with a port from 0 to 65535"
    private static let notName = "a variable's name is letters, digits and _, and does not begin with a digit"

    @Test(arguments: [
        (["--task-timeout", "5x"], #"--task-timeout "5x": "# + notDuration),
        (["--task-timeout", "0"], #"--task-timeout "0": must be more than 0"#),
        (["--task-timeout=0s"], #"--task-timeout "0s": must be more than 0"#),
        (["--kill-after="], #"--kill-after "": "# + notDuration),
        (["--retries", "-1"], #"--retries "-1": not a whole number of 0 or more"#),
        (["--max-lost", "1.5"], #"--max-lost "1.5": not a whole number of 0 or more"#),
        (["--limit", "0"], #"--limit "0": not a whole number of 1 or more"#),
        (["-t", "0"], #"-t "0": not a whole number of 1 or more"#),
        (["-C99999999999999999999"], #"-C "99999999999999999999": not a whole number of 0 or more"#),
        (["-c", "0"], #"-c "0": not a number above 0, such as 2 or 0.5"#),
        (["-c", "-1"], #"-c "-1": not a number above 0, such as 2 or 0.5"#),
        (["--cpus", "two"], #"--cpusPerTask "two": not a number above 0, such as 2 or 0.5"#),
        (["-c", "inf"], #"-c "inf": not a number above 0, such as 2 or 0.5"#),
        (["-c", "1e3"], #"-c "1e3": not a number above 0, such as 2 or 0.5"#),
        (["-c", "."], #"-c ".": not a number above 0, such as 2 or 0.5"#),
        (["--loglevel", "LOUD"], #"--loglevel "LOUD": not one of CRITICAL, ERROR, WARNING, INFO, DEBUG"#),
        (["--bind=x"], #"--bind "x": not one of cores, none"#),
        (["--shell="], #"--shell "": not one of auto, always"#),
        (["--progress=no"], #"--progress "no": not one of always, auto, never"#),
        (["--use-address", "host"], #"--use-address "host": "# + notPort),
        (["--use-address", "host:65536"], #"--use-address "host:65536": "# + notPort),
        (["--use-address", ":0"], #"--use-address ":0": "# + notPort),
        (["--use-address", "[]:0"], #"--use-address "[]:0": "# + notPort),
        (["--env", "1X=3"], #"--env "1X=3": "# + notName),
        (["--env", "=3"], #"--env "=3": "# + notName),
        (
            ["--env", "DISBATCH_TASKID=3"],
            #"--env "DISBATCH_TASKID=3": disbatch sets DISBATCH_TASKID itself for each task"#
        ),
        (["-E", "A,B,"], #"-E "A,B,": "# + notName),
        (["-l", "a/b"], #"-l "a/b": must hold no blank and no /, for it becomes part of file names"#),
        (["-l", ""], #"-l "": must not be empty"#),
        (["-p", ""], #"-p "": must not be empty"#),
        (["-p\u{1b}[31m", "--limit", "\u{1b}\n"], #"--limit "\x1b\x0a": not a whole number of 1 or more"#),
        (["-r="], #"-r "": must not be empty"#),
        (["--completions", "tcsh"], #"--completions "tcsh": not one of bash, zsh, fish"#),
    ])
    func refusesValues(words: [String], expected: String) {
        #expect(message { () throws(OptionError) in try DriverOptions.read(words + ["Tasks"]) } == expected)
    }
}
