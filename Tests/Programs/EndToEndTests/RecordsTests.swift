import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// `dbutil` over the files of real runs, ended and going on.
@Suite(.blocking) struct RecordsTests {
    /// Failures of several kinds, and what they end with.
    private let tasks = """
        true
        exit 3
        nosuchcommand --x
        kill -9 $$
        #DISBATCH BARRIER
        #DISBATCH REPEAT 2 start 5 test $DISBATCH_REPEAT_INDEX = 5 || { echo gone >&2; exit 4; }
        kill -SEGV $$

        """

    @Test func failuresAreListedWithWhatTheyEndedWith() throws {
        try Sandbox.with { box in
            try box.runTasks(tasks, ["--retries", "1"])
            let list = try box.dbutil([
                "--list", "--filter", "state=failed", "--format", "tsv", "--fields", "id,return_code,attempts",
            ])
            #expect(list.output == "id\treturn_code\tattempts\n1\t3\t2\n2\t127\t2\n3\t-9\t2\n6\t4\t2\n7\t-11\t2\n")
            #expect(list.error == "dbutil: the newest run here: run (--run PREFIX for another)\n")
            let all = try box.tasks(["--run", "run", "--list", "--format", "json"])
            #expect(all.count == 7)
            #expect(all[5]["command"] as? String == box.rows().of(task: 6)?.command)
            #expect(all[5]["repeat_index"] as? Int == 6 && all[5]["err"] as? String == "gone\n")
            let named = try box.dbutil(["--run", "run_status.txt", "--list", "--filter", "id=1"])
            #expect(named.error.isEmpty && named.output.contains("exit 3"))
        }
    }

    @Test func oneTaskIsShownWithItsAttemptsAndFiles() throws {
        try Sandbox.with { box in
            try box.runTasks(
                "true\necho out; echo 'sorry: No space left on device' >&2; exit 1\n",
                ["--retries", "1", "--capture", "kept"])
            let shown = try box.dbutil(["--show", "1"])
            #expect(shown.status == 0)
            for part in [
                "Task 1: failed (line 2)", "Attempt 1\n", "Attempt 2\n", "exit status 1", "a disk is full", "| out\n",
                box.at("kept/000/1.out") + " (4 B)", box.at("kept/000/1.2.err"),
            ] {
                #expect(shown.output.contains(part), "\(part) is not in \(shown.output)")
            }
            let json = try box.json(["--show", "1", "--format", "json"])
            #expect((json["attempts"] as? [Any])?.count == 2 && (json["captured"] as? [Any])?.count == 4)
            let none = try box.dbutil(["--show", "7"])
            #expect(none.status == 1 && none.error.contains("no task 7"))
        }
    }

    @Test func reportAndStatisticsTellWhatHappened() throws {
        try Sandbox.with { box in
            try box.runTasks(tasks)
            let report = try box.dbutil(["--run", "run", "--report"])
            #expect(report.status == 0 && report.error.isEmpty)
            for part in [
                "Tasks: 2 done, 5 failed", "5 tasks, 5 causes", "nosuchcommand: command not found",
                "likely: command not found", "maybe out of memory", "segmentation fault", "exit status 4: gone",
                "Slots: 2 in 1 engine",
                "cd \(box.work) && disbatch -r \(box.at("run_status.txt")) -R -s localhost:2 -p run tasks.txt",
            ] {
                #expect(report.output.contains(part), "\(part) is not in \(report.output)")
            }
            try box.dbutil(["--report", "--html", "page.html"])
            #expect(try box.text(of: "page.html").hasSuffix("</html>\n"))
            let figures = try box.json(["--stats", "--format", "json"])
            let elapsed = try #require(figures["elapsed"] as? [String: Any])
            #expect(elapsed["count"] as? Int == 7 && figures["failed"] as? Int == 5)
            #expect(try box.dbutil(["--stats"]).output.contains("median"))
        }
    }

    @Test func failedPerEngineCommandsAreMentioned() throws {
        try Sandbox.with { box in
            try box.runTasks("#DISBATCH PERENGINE START exit 9\ntrue\n")
            #expect(try box.dbutil(["--report"]).output.contains("note: 1 PERENGINE command failed"))
            let run = try #require(try box.json(["--stats", "--format", "json"])["run"] as? [String: Any])
            #expect(run["failed_per_engine"] as? Int == 1)
        }
    }

    @Test func aRunThatGoesOnIsReadAndNotHeldUp() throws {
        try Sandbox.with { box in
            let tasks =
                "until [ -e go ]; do sleep 0.02; done\n" + String(repeating: "true\n", count: 3_000)
                + "#DISBATCH BARRIER\necho last\n"
            let run = try box.startTasks(tasks)
            try box.wait(for: "1000 tasks in the record") {
                let states = try box.dbutil(["--list", "--filter", "state=done", "--fields", "id", "--format", "tsv"])
                return states.output.split(separator: "\n").count > 1_000
            }
            let first = try box.tasks(["--list", "--filter", "id=0", "--format", "json"])
            #expect(first.first?["state"] as? String == "running" && first.first?["return_code"] is NSNull)
            let last = try box.tasks(["--list", "--filter", "state=waiting,command=echo*", "--format", "json"])
            #expect(last.map { $0["id"] as? Int } == [3_002])
            #expect(try box.dbutil(["--report"]).output.contains("still running"))
            #expect(try box.dbutil(["--rebuild"]).error.contains("goes on"))
            let left = try box.dbutil(["--remaining"])
            #expect(left.output.contains("until [ -e go ]") && left.output.hasSuffix("#DISBATCH BARRIER\necho last\n"))
            #expect(left.error.contains("this run goes on"))
            try box.write("go", "")
            #expect(try run.wait().status == 0)
            #expect(
                try box.query("SELECT dropped, failure, (SELECT count(*) FROM task WHERE state = 'done') FROM run") == [
                    ["0", "", "3002"]
                ])
        }
    }

    @Test func whatAnEarlierRunDidIsListedToo() throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\nexit 5\necho c\n", ["--limit", "2"])
            try box.runTasks("echo a\nexit 5\necho c\n", ["-r", "run_status.txt"], prefix: "second")
            let rows = try box.dbutil([
                "--run", "second", "--list", "--format", "tsv", "--fields", "id,state,return_code,node,command",
            ])
            let node = box.rows().first?.node ?? ""
            #expect(
                rows.output.split(separator: "\n").dropFirst() == [
                    "0\tskipped\t0\t\(node)\techo a", "1\tskipped\t5\t\(node)\texit 5", "2\tdone\t0\t\(node)\techo c",
                ])
            #expect(try box.dbutil(["--run", "second", "--report"]).output.contains("exit status 5"))
            // The same prefix again: two runs in one record.
            try box.runTasks("echo a\nexit 5\necho c\n", ["-R", "-r", "run_status.txt"])
            let shown = try box.dbutil(["--run", "run", "--show", "1"])
            #expect(
                shown.output.contains("Attempt 1 (run 1)") && shown.output.contains("Attempt 1 (run 2)"),
                "\(shown.output)")
        }
    }

    @Test func aKilledRunIsToldFromOneThatGoesOn() throws {
        try Sandbox.with { box in
            let run = try box.startTasks("true\nsleep 1000\necho never\n", slots: 1)
            try box.wait(for: "the second task in the record") {
                try box.dbutil(["--list", "--filter", "state=running", "--format", "tsv"]).output.contains("sleep 1000")
            }
            run.signal(SIGKILL)
            try run.wait()
            try box.wait(for: "its engine's end") { box.processes().isEmpty }
            let list = try box.dbutil(["--list"])
            #expect(list.status == 0 && list.error.contains("ended without a word"))
            #expect(try box.dbutil(["--report"]).output.contains("broken off"))
            let left = try box.dbutil(["--remaining"])
            #expect(
                left.output.contains("sleep 1000\necho never\n") && left.error.hasSuffix("dbutil: 2 tasks to run\n"))
        }
    }

    /// A writer that was killed in the midst of a transaction leaves a journal, which must be rolled back first.
    @Test func whatAKilledWriterBeganIsTakenBack() throws {
        try Sandbox.with { box in
            try box.runTasks("true\nfalse\n")
            let script = """
                PRAGMA cache_size = 1;
                PRAGMA journal_mode = TRUNCATE;
                BEGIN IMMEDIATE;
                UPDATE task SET state = 'running', command = hex(zeroblob(100000));
                .shell kill -9 $PPID
                """
            let writer = try box.run([box.at("run_run.db")], program: "/usr/bin/sqlite3", input: .text(script + "\n"))
            #expect(writer.status == -SIGKILL)
            #expect(try !box.bytes(of: "run_run.db-journal").isEmpty, "the test needs a journal")
            let list = try box.dbutil(["--list", "--format", "tsv", "--fields", "id,state,command"])
            #expect(list.output == "id\tstate\tcommand\n0\tdone\ttrue\n1\tfailed\tfalse\n", "\(list.error)")
        }
    }

    @Test func aWritersLockIsWaitedFor() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n")
            let script = """
                BEGIN EXCLUSIVE;
                .shell touch locked; until [ -e go ]; do sleep 0.02; done
                COMMIT;
                """
            let writer = try box.start([box.at("run_run.db")], program: "/usr/bin/sqlite3", input: .text(script + "\n"))
            try box.wait(for: "the lock") { box.exists("locked") }
            let list = try box.start(["--list", "--format", "tsv"], program: "dbutil")
            try box.wait(for: "dbutil to have opened the record") { list.error.contains("newest run here") }
            try box.write("go", "")
            #expect(try list.wait().output.contains("\ttrue\n"))
            try writer.wait()
        }
    }

    @Test func theNewestRunIsTaken() throws {
        try Sandbox.with { box in
            let none = try box.dbutil(["--list"])
            #expect(none.status == 1 && none.error.contains("say which run: --run PREFIX"))
            try box.runTasks("true\n", ["--no-record"], prefix: "b")
            #expect(try box.dbutil(["--stats"]).error.contains("newest run here: b"))
            try box.runTasks("true\n", prefix: "a")
            #expect(try box.dbutil(["--stats"]).error.contains("newest run here: a"))
            let wrong = try box.dbutil(["--run", "c", "--list"])
            #expect(wrong.status == 1 && wrong.error.contains("neither c_run.db nor c_status.txt"))
        }
    }

    @Test(arguments: [
        ["--list", "--filter", "x=1"], ["--list", "--fields", "x"], ["--list", "x"], ["--nonsense"], [],
    ])
    func wrongUsageIsStatus2(arguments: [String]) throws {
        try Sandbox.with { box in
            let result = try box.dbutil(arguments)
            #expect(result.status == 2 && result.output.isEmpty && result.error.hasPrefix("dbutil: "))
        }
    }

    @Test func aFileAppearsWhole() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n")
            #expect(try box.dbutil(["--list", "-o", "list.tsv", "--format", "tsv"]).output.isEmpty)
            #expect(try box.lines(of: "list.tsv").count == 2)
            let bad = try box.dbutil(["--list", "-o", "nowhere/list"])
            #expect(bad.status == 1 && bad.error.contains("-o nowhere/list: No such file"))
            let full = try box.dbutil(["--list", "-o", "/dev/full"])
            #expect(full.status == 1 && full.error.contains("No space left"))
            #expect(try box.files().filter { $0.hasPrefix(".") }.isEmpty)
        }
    }
}

extension Sandbox {
    /// Runs `dbutil` to its end.
    @discardableResult
    func dbutil(_ arguments: [String]) throws -> ProgramResult { try run(arguments, program: "dbutil") }

    /// What `dbutil` prints, as JSON.
    func json(_ arguments: [String]) throws -> [String: Any] {
        let result = try dbutil(arguments)
        let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
        let object = try #require(value as? [String: Any], "\(result.error)")
        #expect(object["format"] as? Int == 1)
        return object
    }

    /// The tasks of a list as JSON.
    func tasks(_ arguments: [String]) throws -> [[String: Any]] {
        try #require(try json(arguments)["tasks"] as? [[String: Any]])
    }
}
