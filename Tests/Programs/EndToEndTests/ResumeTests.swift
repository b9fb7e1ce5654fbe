import TestSupport
import Testing

@testable import EndToEndSupport

/// `-r`, `-R`, `--force-resume`: what is done stays done, and nothing else.
@Suite(.blocking) struct ResumeTests {
    /// A row of an earlier run, of disBatch's form, for line `id + 1`.
    private func row(_ id: Int, _ command: String, code: Int = 0, flags: String? = nil) -> String {
        let flag = flags ?? (code == 0 ? "    " : "R   ")
        let columns = [
            flag, "\(id)", "\(id + 1)", "-1", "old", "77", "\(code)", "0.004", "1795205810.508", "1795205810.512",
            "0", "''", "0", "''", command,
        ]
        return columns.joined(separator: "\t") + "\n"
    }

    private let tasks = "echo 0\nexit 1\necho 2\necho 3\n"

    @Test func skippedRowsComeFirstInOrderOfIdAndUnchanged() throws {
        try Sandbox.with { box in
            try box.write("old_status.txt", row(2, "echo 2") + row(0, "echo 0") + row(1, "exit 1", code: 1))
            let result = try box.runTasks(tasks, ["-r", "old_status.txt"])
            #expect(result.status == 0, "\(result.error)")
            let lines = try box.lines(of: "run_status.txt")
            #expect(
                lines.dropLast().map { $0 + "\n" } == [
                    row(0, "echo 0", flags: "   S"), row(1, "exit 1", code: 1, flags: "R  S"),
                    row(2, "echo 2", flags: "   S"),
                ])
            #expect(box.rows().last?.id == 3 && box.rows().last?.kind == " ")
        }
    }

    @Test func retryRunsTheFailedOnesAgain() throws {
        try Sandbox.with { box in
            try box.runTasks("echo 0\n[ -e fixed ]\n")
            try box.write("fixed", "")
            let result = try box.runTasks("echo 0\n[ -e fixed ]\n", ["-R", "-r", "run_status.txt"], prefix: "second")
            #expect(result.status == 0)
            #expect(box.rows("second").map { "\($0.id)\($0.kind)\($0.returnCode)" } == ["0S0", "1 0"])
            let third = try box.runTasks("echo 0\n[ -e fixed ]\n", ["-R", "-r", "second_status.txt"], prefix: "third")
            #expect(third.status == 0)
            #expect(box.rows("third").map(\.kind) == ["S", "S"], "the newest status file alone suffices")
        }
    }

    @Test func ofSeveralFilesASuccessCounts() throws {
        try Sandbox.with { box in
            try box.write("a_status.txt", row(0, "echo 0", code: -100) + row(1, "exit 1", code: 1))
            try box.write("b_status.txt", row(0, "echo 0") + row(2, "echo 2"))
            try box.write("c_status.txt", row(0, "echo 0", code: 3))
            let files = ["a", "b", "c"].flatMap { ["-r", "\($0)_status.txt"] }
            try box.runTasks(tasks, ["-R"] + files)
            #expect(box.rows().filter { $0.kind == "S" }.map(\.id) == [0, 2])
            #expect(box.rows().filter { $0.kind == " " }.map(\.id).sorted() == [1, 3])
        }
    }

    @Test func rowsOfDisBatch2AreRead() throws {
        try Sandbox.with { box in
            let old =
                "    \t0\t1\t-1\told\t77\t0\t0.0041232\t1795205810.508123\t1795205810.512456"
                + "\t0\t\"\"\t0\t\"\"\techo 0\n"
            let quoted = "R   \t1\t2\t-1\told\t77\t1\t0.1\t1795205810.5\t1795205810.6\t0\t\"\"\t0\t\"\"\t'exit 1'\n"
            try box.write("old_status.txt", old + quoted)
            let result = try box.runTasks(tasks, ["-r", "old_status.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().filter { $0.kind == "S" }.map(\.id) == [0, 1])
        }
    }

    @Test func aTornLastLineIsIgnoredWithAWarning() throws {
        try Sandbox.with { box in
            try box.write("old_status.txt", row(0, "echo 0") + String(row(1, "exit 1").dropLast(3)))
            let result = try box.runTasks(tasks, ["-r", "old_status.txt"])
            #expect(result.error.contains("torn"))
            #expect(box.rows().filter { $0.kind == "S" }.map(\.id) == [0])
            #expect(box.rows().count == 4)
        }
    }

    @Test func aTornLastLineIsCutOffWhereTheRunGoesOn() throws {
        try Sandbox.with { box in
            let whole = row(0, "echo 0")
            try box.write("run_status.txt", whole + String(row(1, "exit 1").dropLast(3)))
            let result = try box.runTasks(tasks, ["-r", "run_status.txt"])
            #expect(result.status == 0)
            #expect(try box.text(of: "run_status.txt").hasPrefix(whole))
            #expect(box.rows().map(\.id).sorted() == [0, 1, 2, 3], "appended to, without S rows")
            #expect(box.rows().allSatisfy { $0.kind == " " })
        }
    }

    @Test(arguments: [
        ("echo other\nexit 1\n", "echo other", "echo 0"), ("#\necho 0\n", "line 2", "line 1"),
        ("#DISBATCH REPEAT 1 echo 0\n", "repeat index 0", "repeat index -1"),
    ])
    func aChangedTaskIsAnErrorThatNamesBoth(tasks: String, now: String, before: String) throws {
        try Sandbox.with { box in
            try box.write("old_status.txt", row(0, "echo 0"))
            let result = try box.runTasks(tasks, ["-r", "old_status.txt"])
            #expect(result.status == 2)
            #expect(result.error.contains(now) && result.error.contains(before), "\(result.error)")
            #expect(result.error.contains("old_status.txt:1") && result.error.contains("--force-resume"))
            #expect(!box.exists("run_status.txt"))
            let forced = try box.runTasks(tasks, ["--force-resume", "-r", "old_status.txt"])
            #expect(forced.status == 0)
            #expect(box.rows().of(task: 0)?.kind == "S")
        }
    }

    @Test func anExistingStatusFileIsNeverOverwritten() throws {
        try Sandbox.with { box in
            try box.runTasks("echo 0\n")
            let before = try box.text(of: "run_status.txt")
            let result = try box.runTasks("echo 0\n")
            #expect(result.status == 2)
            #expect(result.error.contains("run_status.txt is there already"))
            try box.write("other_status.txt", row(0, "echo 0"))
            #expect(try box.runTasks("echo 0\n", ["-r", "other_status.txt"]).status == 2)
            #expect(try box.text(of: "run_status.txt") == before)
        }
    }

    @Test func aRunThatIsAmongItsOwnResumeFilesIsAppendedTo() throws {
        try Sandbox.with { box in
            try box.runTasks("echo 0\nexit 1\n", ["--status-header"])
            let before = try box.text(of: "run_status.txt")
            // By another name of the same file.
            let name = box.work + "/./run_status.txt"
            let result = try box.runTasks("echo 0\nexit 1\n", ["--status-header", "-R", "-r", name])
            #expect(result.status == 0)
            let after = try box.text(of: "run_status.txt")
            #expect(after.hasPrefix(before))
            #expect(StatusLine.parse(String(after.dropFirst(before.count))).map(\.id) == [1], "no header, no S rows")
            #expect(try box.query("SELECT count(*) FROM run") == [["2"]], "one record of both")
        }
    }

    @Test func barriersAndChecksAreMetAnew() throws {
        try Sandbox.with { box in
            let text = "exit 1\n#DISBATCH BARRIER CHECK\necho after\n"
            try box.runTasks(text)
            let second = try box.runTasks(text, ["-r", "run_status.txt"], prefix: "second")
            #expect(second.status == 1, "a skipped failure fails the CHECK again")
            #expect(second.error.contains("-R"))
            #expect(box.rows("second").map(\.flags) == ["R  S", "C    "])
            #expect(
                try box.runTasks(
                    "true\n#DISBATCH BARRIER CHECK\necho after\n",
                    ["-R", "-r", "second_status.txt"], prefix: "third"
                ).status == 0)
            #expect(box.rows("third").map(\.id) == [0, 1, 2])
        }
    }

    @Test(arguments: ["missing_status.txt", ".", "tasks.txt"]) func aFileThatIsNoStatusFileIsRefused(name: String)
        throws
    {
        try Sandbox.with { box in
            let result = try box.runTasks("echo 0\n", ["-r", name])
            #expect(result.status == 2)
            #expect(result.error.contains("-r \(name)"))
            #expect(!box.exists("run_status.txt"))
        }
    }

    @Test func nothingLeftToDoIsDoneQuickly() throws {
        try Sandbox.with { box in
            try box.write("old_status.txt", (0..<1000).map { row($0, "echo \($0)") }.joined())
            let text = (0..<1000).map { "echo \($0)\n" }.joined()
            let result = try box.runTasks(text, ["-r", "old_status.txt"])
            #expect(result.status == 0)
            #expect(box.rows().map(\.id) == Array(0..<1000))
            #expect(box.rows().allSatisfy { $0.kind == "S" })
            #expect(try box.query("SELECT first_id, last_id, failed FROM skipped") == [["0", "999", "0"]])
        }
    }

    @Test func aStreamIsResumedToo() throws {
        try Sandbox.with { box in
            try box.write("old_status.txt", row(0, "echo 0") + row(1, "exit 1", code: 1))
            let result = try box.run(
                ["-s", "localhost:1", "-p", "run", "-R", "-r", "old_status.txt", "-"], input: .text(tasks))
            #expect(result.status == 0)
            #expect(box.rows().map { "\($0.id)\($0.kind)" } == ["0S", "1 ", "2 ", "3 "])
        }
    }
}
