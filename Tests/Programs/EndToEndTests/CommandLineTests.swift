import TestSupport
import Testing

@testable import EndToEndSupport

/// Options as users meet them: what is refused, what is accepted, what they lead to.
@Suite(.blocking) struct CommandLineTests {
    @Test(arguments: [
        ["--kvsserver"], ["--kvsserver", "h:1"], ["--taskserver"], ["--taskcommand", "x"],
    ])
    func whatIsNotThereYetIsRefused(options: [String]) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            let result = try box.run(options + ["-p", "run", "tasks.txt"])
            #expect(result.status == 2)
            #expect(result.error.contains("not available yet"), "\(result.error)")
            #expect(result.error.contains(options[0]), "the option is named")
            #expect(try box.files() == ["tasks.txt"])
        }
    }

    @Test(arguments: [
        ["--use-address", "host:99"], ["--fill"], ["--retire-cmd", "x"], ["-k", "x"], ["-k", ""], ["--no-retire"],
        ["--use-address=host:0", "--fill", "--no-retire", "-k", ""], ["--cpusPerTask", "1"], ["--tasksPerNode=2"],
        ["--context-task-limit", "0"], ["--exit-code"], ["--label", "L"], ["--loglevel", "DEBUG"],
    ])
    func oldCommandLinesWork(options: [String]) throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\n", options)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().count == 1)
        }
    }

    @Test(
        arguments: [
            ([], "no task file"), (["a", "b"], "\"a\", \"b\""), (["--nosuch", "a"], "--nosuch"),
            (["--exit-cod3", "a"], "--exit-code"), (["-c", "0", "a"], "-c"), (["-t", "x", "a"], "-t"),
            (["--retries", "-1", "a"], "--retries"), (["--limit", "0", "a"], "--limit"), (["-s", "host", "a"], "-s"),
            (["--bind", "some", "a"], "--bind"), (["--progress", "loud", "a"], "--progress"), (["-p", "", "a"], "-p"),
            (["--loglevel", "LOUD", "a"], "--loglevel"), (["-C", "-1", "a"], "-C"), (["--env", "=x", "a"], "--env"),
            (["-E", "", "a"], "-E"), (["--exit-code=1", "a"], "--exit-code"), (["-r"], "-r"),
        ] as [([String], String)])
    func wrongUsageNamesTheOption(arguments: [String], text: String) throws {
        try Sandbox.with { box in
            let result = try box.run(arguments)
            #expect(result.status == 2)
            #expect(result.error.hasPrefix("disbatch: ") && result.error.contains(text), "\(result.error)")
            #expect(result.output.isEmpty)
        }
    }

    @Test func helpAndVersionGoToStandardOutput() throws {
        try Sandbox.with { box in
            let help = try box.run(["-h"])
            #expect(help.status == 0 && help.output.contains("Contexts") && help.error.isEmpty)
            for program in ["disbatch", "disbatch-engine", "dbutil"] {
                let version = try box.run(["--version"], program: program)
                #expect(version.status == 0 && version.output.contains(" 0."), "\(version.output)")
            }
        }
    }

    // MARK: Contexts

    @Test(arguments: ["sbatch", "qsub", "pbsdsh", "bsub"])
    func aLoginNodeIsNotForComputing(program: String) throws {
        try Sandbox.with { box in
            try box.makeDirectory("bin")
            try box.writeProgram("bin/\(program)", "#!/bin/sh\n")
            try box.write("tasks.txt", "touch ran\n")
            let path: [String: String?] = ["PATH": box.at("bin")]
            let result = try box.run(["-p", "run", "tasks.txt"], environment: path)
            #expect(result.status == 2)
            #expect(result.error.contains("sbatch -n N disbatch ...") && result.error.contains("-s localhost:N"))
            #expect(try box.files().filter { !$0.hasPrefix("bin") } == ["tasks.txt"])
            // Whoever names cores may use them.
            let named = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"], environment: path)
            #expect(named.status == 0)
            let listed = try box.run(
                ["-p", "run2", "tasks.txt"],
                environment: ["PATH": box.at("bin"), "DISBATCH_SSH_NODELIST": "localhost:1,localhost:2"])
            #expect(listed.status == 0)
            #expect(try box.query("SELECT slots FROM engine", prefix: "run2") == [["3"]], "a host given twice adds up")
        }
    }

    @Test func withoutAContextTheAllowedCoresAreUsed() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let program = BuildDirectory.path + "/disbatch"
            let result = try box.run(
                ["-c", "0", program, "-p", "run", "tasks.txt"], program: "/usr/bin/taskset",
                environment: ["PATH": "/nonexistent"])
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.query("SELECT slots FROM engine") == [["1"]], "the affinity mask counts")
        }
    }

    @Test(arguments: [
        (["-s", "localhost:5", "-c", "2"], "2", "2"), (["-s", "localhost:2", "-c", "0.5"], "4", "1"),
        (["-s", "localhost:4", "-t", "3"], "3", "1"), (["-s", "localhost:6", "-t", "2"], "2", "3"),
        (["-s", "localhost:1", "-s", "localhost:2"], "3", "1"),
    ])
    func slotsFollowFromCores(options: [String], slots: String, cores: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo $DISBATCH_CORES_PER_TASK\n")
            let result = try box.run(options + ["-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.query("SELECT slots, cores_per_task FROM engine") == [[slots, cores]])
            #expect(box.rows().first?.outSnippet == "'\(cores)\\n'")
        }
    }

    @Test func tooFewCoresForATaskIsAnError() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\n", ["-c", "3"])
            #expect(result.status == 2)
            #expect(result.error.contains("-c"))
        }
    }

    @Test func aContextTakesNoMoreThanItsLimit() throws {
        try Sandbox.with { box in
            let text = "echo 0\necho 1\necho 2\necho 3\n"
            let result = try box.runTasks(text, ["-C", "3"])
            #expect(result.status == 4)
            #expect(box.rows().map(\.id).sorted() == [0, 1, 2])
            #expect(try box.runTasks(text, ["-r", "run_status.txt"], prefix: "rest").status == 0)
        }
    }

    // MARK: Parts and names of a run

    @Test func limitLeavesTheRest() throws {
        try Sandbox.with { box in
            let text = "echo 0\necho 1\n#DISBATCH BARRIER\necho 3\n"
            for (limit, status, ids) in [(1, 4, [0]), (2, 4, [0, 1]), (3, 0, [0, 1, 2, 3]), (9, 0, [0, 1, 2, 3])] {
                let prefix = "run\(limit)"
                let result = try box.runTasks(text, ["--limit", "\(limit)"], prefix: prefix)
                #expect(result.status == Int32(status), "--limit \(limit)")
                #expect(box.rows(prefix).filter { !$0.isBarrier || ids.contains($0.id) }.map(\.id).sorted() == ids)
            }
            let next = try box.runTasks(text, ["--limit", "1", "-r", "run1_status.txt"], prefix: "next")
            #expect(next.status == 4, "skipped tasks don't count")
            #expect(box.rows("next").filter { !$0.isBarrier }.map { "\($0.id)\($0.kind)" } == ["0S", "1 "])
            let rest = try box.runTasks(text, ["-r", "next_status.txt"], prefix: "rest")
            #expect(rest.status == 0)
            #expect(box.rows("rest").map(\.id) == [0, 1, 2, 3])
        }
    }

    @Test func dryRunSaysWhatWouldRunAndTouchesNothing() throws {
        try Sandbox.with { box in
            let text = """
                #DISBATCH PERENGINE START touch ran
                #DISBATCH PREFIX touch
                #DISBATCH REPEAT 2 start 5 step 2 a
                #DISBATCH BARRIER CHECK
                b

                """
            let result = try box.runTasks(text.replacing("PREFIX touch", with: "PREFIX touch "), ["--dry-run"])
            #expect(result.status == 0, "\(result.error)")
            #expect(
                result.output.split(separator: "\n") == [
                    "START 0\t1\t-1\ttouch ran", "0\t3\t5\ttouch a", "1\t3\t7\ttouch a",
                    "2\t4\t-1\t#DISBATCH BARRIER CHECK", "3\t5\t-1\ttouch b",
                ])
            #expect(try box.files() == ["tasks.txt"])
            let limited = try box.runTasks("a\nb\nc\n", ["--dry-run", "--limit", "2"])
            #expect(limited.output == "0\t1\t-1\ta\n1\t2\t-1\tb\n")
        }
    }

    @Test func theFilesOfARunStandWhereThePrefixSays() throws {
        try Sandbox.with { box in
            try box.makeDirectory("logs")
            try box.write("list.tasks", "echo $DISBATCH_JOBID\n")
            for options in [["-p", "logs"], ["-p", "logs/"], []] {
                #expect(try box.run(options + ["-s", "localhost:1", "list.tasks"]).status == 0)
            }
            let names = try box.files().filter { $0.hasSuffix("_status.txt") }
            #expect(names.count == 3)
            for name in names {
                let own = name.hasPrefix("logs/") ? String(name.dropFirst(5)) : name
                #expect(own.wholeMatch(of: #/list\.tasks_disBatch_\d{12}_\d{3}_status\.txt/#) != nil, "\(own)")
                let prefix = String(name.dropLast("_status.txt".count))
                let id = own.dropLast("_status.txt".count)
                #expect(box.rows(prefix).first?.outBytes == id.utf8.count + 1, "DISBATCH_JOBID is the last component")
            }
            #expect(names.count { $0.hasPrefix("logs/") } == 2)
            let missing = try box.run(["-s", "localhost:1", "-p", "nowhere/run", "list.tasks"])
            #expect(missing.status == 2)
            #expect(missing.error.contains("directory nowhere does not exist"))
            let named = try box.run(["-s", "localhost:1", "-l", "mine", "-p", "logs/named", "list.tasks"])
            #expect(named.status == 0)
            let own = Set(try box.files().filter { $0.hasPrefix("logs/named") })
            let host = box.rows("logs/named").first?.node ?? ""
            #expect(
                own
                    == Set(
                        [
                            "status.txt", "driver.log", "run.db", "run.json", "dbUtil.sh", "mine.context.log",
                            "mine_\(host)_engine_0.log",
                        ].map { "logs/named_" + $0 }), "and no other file is left")
        }
    }

    @Test func statusHeaderIsWrittenOnceAndReadBack() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n", ["--status-header"])
            let header =
                "ROE[ PSZ]\tTaskID\tLineNum\tRepeatIndex\tNode\tPID\tReturnCode\tElapsed\tStart\tFinish\t"
                + "BytesOfLeakedOutput\tOutputSnippet\tBytesOfLeakedError\tErrorSnippet\tCommand"
            #expect(try box.lines(of: "run_status.txt").first == header)
            #expect(try box.runTasks("true\n", ["-r", "run_status.txt"], prefix: "again").status == 0)
            #expect(box.rows("again").map(\.kind) == ["S"])
        }
    }
}
