import DisbatchCore
import Testing

@testable import Options

@Suite struct DriverOptionsTests {
    @Test func defaults() throws {
        let options = try #require(try DriverOptions.run(["Tasks"]))
        #expect(options == DriverOptions(taskSource: .file("Tasks")))
        #expect(options.scheduler.maxLost == 3)
        #expect(options.tasks.killAfter == .seconds(10))
        #expect(options.lease == .seconds(300))
        #expect(options.prefix == ".")
        #expect(options.warnings.isEmpty)
    }

    @Test func standardInput() throws {
        #expect(try DriverOptions.run(["-e", "-"])?.taskSource == .standardInput)
        #expect(try DriverOptions.run(["--", "-x"])?.taskSource == .file("-x"))
    }

    @Test func everyOptionReachesItsField() throws {
        let words = [
            "-r", "a", "-rb", "-R", "--force-resume", "--no-wait", "-ef", "--retries", "2", "--max-lost=0",
            "--task-timeout", "1h30m", "--kill-after=0", "--strict-start", "--limit", "9", "-s", "h:1,i:2", "-sj:3",
            "-c0.5", "-t", "4", "--fill", "--bind", "cores", "-EA", "-g", "-E", "A,B", "--env", "N", "--env", "M=a=b",
            "--shell", "always", "-C", "7", "-l", "L", "--no-retire", "-p", "out/x",
            "--status-header", "--capture", "cap", "--no-record", "--logfile", "log", "--loglevel", "debug",
            "--progress", "never", "--use-address", "[::1]:80", "--dry-run", "Tasks",
        ]
        var expected = DriverOptions(taskSource: .file("Tasks"))
        expected.resumeFrom = ["a", "b"]
        expected.retriesFailures = true
        expected.forcesResume = true
        expected.waitsForEarlierEngines = false
        expected.failsOnTaskFailure = true
        expected.scheduler.failsFast = true
        expected.scheduler.retries = 2
        expected.scheduler.maxLost = 0
        expected.tasks.timeout = .seconds(5400)
        expected.tasks.killAfter = .zero
        expected.scheduler.isStartStrict = true
        expected.runTaskLimit = 9
        expected.context.sshLists = ["h:1,i:2", "j:3"]
        expected.context.sizing.coresPerTask = 0.5
        expected.context.sizing.tasksPerNode = 4
        expected.context.sizing.fillsNodes = true
        expected.context.policy.binding = .cores
        expected.context.policy.sharedVariables = ["A", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "B"]
        expected.environment = [.init(name: "N", value: nil), .init(name: "M", value: "a=b")]
        expected.tasks.alwaysUsesShell = true
        expected.context.policy.contextTaskLimit = 7
        expected.context.sizing.label = "L"
        expected.context.policy.retirement = .none
        expected.prefix = "out/x"
        expected.writesStatusHeader = true
        expected.captureDirectory = "cap"
        expected.keepsRecord = false
        expected.logFile = "log"
        expected.logLevel = .debug
        expected.progress = .never
        expected.useAddress = HostPort(host: "::1", port: 80)
        expected.isDryRun = true
        #expect(try DriverOptions.run(words) == expected)
    }

    @Test(
        arguments: [
            (["--retire-cmd", "echo $NODE"], .command("echo $NODE")),
            (["-k", ""], .none),
            (["--retire-cmd="], .none),
            (["--no-retire", "-k", "x"], .command("x")),
            (["-k", "x", "--no-retire"], .none),
            ([], .standard),
        ] as [([String], RetirementChoice)])
    func retirement(words: [String], expected: RetirementChoice) throws {
        #expect(try DriverOptions.run(words + ["Tasks"])?.context.policy.retirement == expected)
    }

    @Test func noLimitOfAContextIsZero() throws {
        #expect(try DriverOptions.run(["-C0", "Tasks"])?.context.policy.contextTaskLimit == nil)
    }

    @Test func optionsThatDoNothingWithoutResumeAreWarnedOf() throws {
        let idle = try DriverOptions.run(["-R", "--no-wait", "Tasks"])
        #expect(idle?.warnings == ["--retry does nothing without -r", "--no-wait does nothing without -r"])
        #expect(try DriverOptions.run(["-R", "-r", "old", "Tasks"])?.warnings == [])
    }

    @Test(
        arguments: [
            ([], "no task file was given (- reads tasks from standard input)"),
            (["a", "b"], #"one task file is needed, but there are 2: "a", "b""#),
            (
                ["-r", "a", "b", "c"],
                #"one task file is needed, but there are 2: "b", "c"; each status file needs a -r of its own"#
            ),
            ([""], "the task file's name is empty"),
            (
                ["--taskcommand", "gen"],
                "--taskcommand is not available yet. A command that prints its tasks can be piped instead: "
                    + "COMMAND | disbatch -"
            ),
            (["--kvsserver", "h:1", "Tasks"], "--kvsserver is not available yet."),
            (["-S", "-s", "a:1", "Tasks"], "-S starts no context: give -s to PREFIX_dbUtil.sh, which adds one"),
            (["-S", "--no-listen", "Tasks"], "-S waits for contexts, and with --no-listen none could come"),
            (["--mail-freq", "2", "Tasks"], "--mail-freq needs --mailTo"),
            (
                ["-w", "--no-listen", "Tasks"],
                "--web needs the port that --no-listen does not open; leave one of them away"
            ),
            (["--rety"], "unknown option --rety (did you mean --retry?)"),
        ] as [([String], String)])
    func refuses(words: [String], expected: String) {
        #expect(message { () throws(OptionError) in try DriverOptions.read(words) } == expected)
    }

    @Test(
        arguments: [
            (["-w"], HostPort.loopback), (["--web-address", "0.0.0.0"], HostPort(host: "0.0.0.0", port: 0)),
            (["--web-address", "node1:80", "-w"], HostPort(host: "node1", port: 80)),
            (["-w", "--web-address", "::1"], HostPort(host: "::1", port: 0)),
            (["--web-address", "[::1]"], HostPort(host: "::1", port: 0)),
            (["--web-address=[::1]:8080"], HostPort(host: "::1", port: 8080)), ([], nil),
        ] as [([String], HostPort?)])
    func placesOfThePage(words: [String], expected: HostPort?) throws {
        #expect(try DriverOptions.run(words + ["Tasks"])?.web == expected)
    }

    @Test func mails() throws {
        #expect(try DriverOptions.run(["Tasks"])?.mail == nil)
        var mail = MailOptions(address: "anna+x@example.org")
        #expect(try DriverOptions.run(["--mailTo", mail.address, "Tasks"])?.mail == mail)
        mail.frequency = 5
        #expect(try DriverOptions.run(["--mailFreq", "5", "--mail-to", mail.address, "Tasks"])?.mail == mail)
        #expect(try DriverOptions.run(["--mailTo", "root", "Tasks"])?.mail?.address == "root")
    }

    /// What disBatch 3.0 takes for these (tried with its parser), whatever options came since.
    @Test(arguments: [
        ("--retr", "retry"), ("--res", "resume-from"), ("--no", "no-retire"), ("--no-r", "no-retire"),
        ("--p", "prefix"), ("--u", "use-address"), ("--k", "kvsserver"), ("--fi", "fill"),
        ("--co", "context-task-limit"),
        ("--cpu", "cpusPerTask"), ("--ss", "ssh-node"), ("--la", "label"), ("--v", "version"), ("--w", "web"),
        ("--exit", "exit-code"), ("--stat", "status-header"), ("--logl", "loglevel"), ("--tasksP", "tasksPerNode"),
    ])
    func shortNamesOfDisBatchKeepTheirMeaning(word: String, expected: String) {
        #expect(DriverOptions.table.options(matching: String(word.dropFirst(2))).map(\.name) == [expected])
    }

    /// Values that differ from all defaults, by their names in help texts.
    private static let samples = [
        "FILE": "f", "N": "7", "DURATION": "7s", "HOST:CORES[,...]": "h:1", "VAR": "V", "NAME[=VALUE]": "V=1",
        "LABEL": "l", "COMMAND": "c", "DIR": "/d", "N[:MACHINE]": "3", "NAME": "p", "KEY=VALUE": "zone=a",
        "PATH[:DEST]": "f", "GLOB[:DIR]": "%t", "PATH": "x", "HOST[:PORT]": "h:1", "ADDR": "a@b", "HOST:PORT": "h:1",
        "A-B": "1-2",
    ]

    @Test(arguments: DriverOptions.table.options.filter { $0.isAvailable && !$0.isImmediate })
    func everyOptionIsRead(option: OptionSpec) throws {
        let isOfMachines = DriverOptions.googleCloudGroup.options.contains { $0.spec == option }
        let others = (isOfMachines ? ["--gce", "2"] : []) + (option.needs.map { ["--\($0)", "x"] } ?? [])
        var words = ["--\(option.name)"]
        if case .choices(let choices) = option.completion {
            words += choices.suffix(1)
        } else if case .required(let metavar) = option.value {
            words.append(try #require(Self.samples[metavar]))
        }
        var given = try #require(try DriverOptions.run(others + words + ["Tasks"]))
        given.warnings = []
        #expect(try given != DriverOptions.run(others + ["Tasks"]))
    }

    @Test func namesAreOfOneOptionEach() {
        let names = DriverOptions.table.options.flatMap(\.names)
        #expect(names.sorted() == Set(names).sorted())
        #expect(GoogleCloudOptions.ofContext.union(GoogleCloudOptions.ofMachines).isSubset(of: names))
    }

    @Test func versionAndHelp() throws {
        #expect(try DriverOptions.read(["--version"]) == .show("disbatch 0.1.0\n"))
        #expect(try DriverOptions.read(["-eh"]) == .show(helpText(for: DriverOptions.table)))
        #expect(try EngineOptions.read([]) == .run(EngineOptions()))
        #expect(try EngineOptions.read(["--version"]) == .show("disbatch-engine 0.1.0\n"))
        #expect(try DbutilOptions.read(["--version"]) == .show("dbutil 0.1.0\n"))
    }

    @Test func engineTakesNoOperand() {
        let expected = #"takes no operand ("x"); disbatch starts it by itself"#
        #expect(message { () throws(OptionError) in try EngineOptions.read(["x"]) } == expected)
    }
}
