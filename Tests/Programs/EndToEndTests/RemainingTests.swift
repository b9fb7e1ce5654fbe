import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// `dbutil --remaining`, whose files are really run, and `--rebuild`.
@Suite(.blocking) struct RemainingTests {
    /// Tasks that each write a line of their own, in three parts.
    private let tasks = """
        #DISBATCH PERENGINE START echo engine >>engines
        #DISBATCH PREFIX ( echo "one\u{20}
        #DISBATCH SUFFIX ") >>ran
        a  b
        c
        #DISBATCH BARRIER
        #DISBATCH REPEAT 6 start 3 step 4 $DISBATCH_REPEAT_INDEX
        #DISBATCH BARRIER CHECK
        #DISBATCH PREFIX
        #DISBATCH SUFFIX
        echo last >>ran
        #DISBATCH REPEAT 2 echo step $DISBATCH_REPEAT_INDEX >>ran

        """
    private let all = [
        "one a  b", "one c", "one 3", "one 7", "one 11", "one 15", "one 19", "one 23", "last", "step 0", "step 1",
    ]

    @Test(arguments: [1, 2, 3, 5, 8, 9, 10])
    func whatWasDoneAndWhatRemainsAreAllTasksOnce(limit: Int) throws {
        try Sandbox.with { box in
            let first = try box.runTasks(tasks, ["--limit", "\(limit)"])
            #expect(first.status == 4, "\(first.error)")
            #expect(try box.lines(of: "ran").count == limit)
            let left = try box.dbutil(["--run", "run", "--remaining", "-o", "left.txt"])
            #expect(left.status == 0 && left.error == "dbutil: \(11 - limit) task\(limit == 10 ? "" : "s") to run\n")
            try box.write("tasks.txt", "gone\n")
            let second = try box.run(["-s", "localhost:1", "-p", "second", "left.txt"])
            #expect(second.status == 0, "\(second.error)")
            let ran = try box.lines(of: "ran")
            #expect(ran.sorted() == all.sorted())
            let parts = ran.map { line in line.hasPrefix("one") ? line.contains { $0.isNumber } ? 1 : 0 : 2 }
            #expect(parts == parts.sorted(), "a barrier was lost: \(ran)")
            #expect(try box.lines(of: "engines").count == 2)
        }
    }

    @Test func failuresRemainWhereTheyAreAskedFor() throws {
        try Sandbox.with { box in
            let tasks = "echo 0 >>ran\n[ -e fixed ] && echo 1 >>ran\n#DISBATCH BARRIER CHECK\necho 3 >>ran\n"
            #expect(try box.runTasks(tasks).status == 1)
            let without = try box.dbutil(["--remaining"])
            #expect(without.output.hasSuffix("\necho 3 >>ran\n") && !without.output.contains("fixed"))
            #expect(without.error.contains("line 3 is a CHECK") && without.error.contains("--failed"))
            try box.write("fixed", "")
            try box.dbutil(["--remaining", "--failed", "-o", "left.txt"])
            #expect(try box.run(["-s", "localhost:2", "-p", "second", "left.txt"]).status == 0)
            #expect(try box.lines(of: "ran") == ["0", "1", "3"])
            let nothing = try box.dbutil(["--run", "second", "--remaining"])
            #expect(nothing.status == 0 && nothing.error.hasSuffix("dbutil: nothing remains\n"))
        }
    }

    @Test func bytesThatAreNoTextRemain() throws {
        try Sandbox.with { box in
            let line = Array("printf '".utf8) + [0xff, 0xc3] + Array("' >>ran".utf8)
            try box.write("tasks.txt", Array("true\n".utf8) + line + [0x0a] + line + [0x0a])
            try box.run(["-s", "localhost:1", "-p", "run", "--limit", "2", "tasks.txt"])
            try box.dbutil(["--remaining", "-o", "left.txt"])
            #expect(try box.bytes(of: "left.txt").suffix(line.count + 1) == line + [0x0a])
            #expect(try box.run(["-s", "localhost:1", "-p", "second", "left.txt"]).status == 0)
            #expect(try box.bytes(of: "ran") == [0xff, 0xc3, 0xff, 0xc3])
        }
    }

    @Test(arguments: ["tasks.txt", "./run_status.txt", "run_run.db"])
    func whatIsReadIsNotOverwritten(name: String) throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\necho b\n", ["--limit", "1"])
            let before = try box.bytes(of: name)
            let result = try box.dbutil(["--remaining", "-o", name])
            #expect(result.status == 1 && result.error.contains("not overwritten"), "\(result.error)")
            #expect(try box.bytes(of: name) == before)
        }
    }

    @Test func anotherTaskFileIsRefused() throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\necho b\n", ["--limit", "1"])
            try box.write("tasks.txt", "echo x\necho b\n")
            let changed = try box.dbutil(["--remaining", "-o", "left.txt"])
            #expect(changed.status == 1 && changed.error.contains("task 0 is not the one that ran"))
            #expect(!box.exists("left.txt"))
            let list = try box.dbutil(["--list"])
            #expect(list.error.contains("isn't what this run was given") && list.output.contains("echo a"))
            try box.run(
                ["-s", "localhost:1", "-p", "piped", "--limit", "1", "-"], input: .text("echo a\necho b\n"))
            #expect(try box.dbutil(["--run", "piped", "--remaining"]).error.contains("standard input"))
            try box.write("same.txt", "echo a\necho b\n")
            #expect(try box.dbutil(["--run", "piped", "--remaining", "same.txt"]).output.hasSuffix("\necho b\n"))
        }
    }

    // MARK: --rebuild

    private func rows(_ box: Sandbox) throws -> [[String]] {
        try box.query(
            """
            SELECT id, line, repeat_index, state, return_code, pid, round(start, 3), hex(out_snippet), hex(command)
            FROM task ORDER BY id
            """
        )
    }

    @Test func aRecordIsMadeAnewFromTheStatusFile() throws {
        try Sandbox.with { box in
            try box.runTasks(
                "echo a\nexit 3\n#DISBATCH BARRIER\n#DISBATCH REPEAT 2 printf '\\377'\n", ["--retries", "1"])
            let before = try rows(box)
            let details = "SELECT id, user_seconds, peak_memory_kib, engine, attempts FROM task ORDER BY id"
            let attempts = "SELECT task_id, attempt, return_code FROM attempts ORDER BY 1, 2"
            let (figures, tried) = (try box.query(details), try box.query(attempts))
            let rebuilt = try box.dbutil(["--rebuild"])
            #expect(rebuilt.status == 0 && rebuilt.error.contains("run_run.db.old"), "\(rebuilt.error)")
            let after = try rows(box)
            #expect(after.map { $0[0...6] } == before.map { $0[0...6] } && after.map(\.last) == before.map(\.last))
            #expect(try box.query(details) == figures && box.query(attempts) == tried, "what only the old one knew")
            #expect(try box.query("SELECT count(*) FROM barrier") == [["1"]])
            try FileManager.default.removeItem(atPath: box.at("run_run.db"))
            #expect(try box.dbutil(["--run", "run_status.txt", "--rebuild"]).status == 0)
            #expect(try rows(box).map { $0[0...6] } == before.map { $0[0...6] })
            #expect(try box.query("SELECT state, tasks FROM states") == [["done", "3"], ["failed", "1"]])
            // And a run goes on with it.
            #expect(try box.runTasks("echo a\ntrue\n", ["-r", "run_status.txt", "-R", "--force-resume"]).status == 0)
            #expect(try box.query("SELECT state, tasks FROM states").first == ["done", "4"])
        }
    }

    @Test func ofSeveralFilesWhatCountsIsTheResult() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n[ -e fixed ]\n", prefix: "a")
            try box.write("fixed", "")
            try box.runTasks("true\n[ -e fixed ]\n", ["-r", "a_status.txt", "-R"], prefix: "b")
            for files in [["a", "b"], ["b", "a"]] {
                let result = try box.dbutil(["--run", "b", "--rebuild"] + files.map { $0 + "_status.txt" })
                #expect(result.status == 0, "\(result.error)")
                #expect(try box.query("SELECT id, state FROM task", prefix: "b") == [["0", "done"], ["1", "done"]])
                #expect(
                    try box.query("SELECT return_code FROM attempts WHERE task_id = 1 ORDER BY finish", prefix: "b")
                        == [["1"], ["0"]])
            }
        }
    }

    @Test func aRecordStaysWhereItsSuccessorFails() throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\n")
            let record = try box.bytes(of: "run_run.db")
            try box.write("bad_status.txt", "this is no row\n")
            let names = try box.files()
            let result = try box.dbutil(["--run", "run", "--rebuild", "bad_status.txt"])
            #expect(result.status == 1 && result.error.contains("bad_status.txt:1: "), "\(result.error)")
            #expect(try box.bytes(of: "run_run.db") == record && box.files() == names)
        }
    }

    @Test func aSpoiltRecordIsNoObstacle() throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\nexit 2\n")
            try box.write("run_run.db", "no database at all, but long enough to look like a file")
            let list = try box.dbutil(["--list", "--format", "tsv", "--fields", "id,return_code"])
            #expect(list.output == "id\treturn_code\n0\t0\n1\t2\n" && list.error.contains("--rebuild"))
            #expect(try box.dbutil(["--rebuild"]).error.contains("could not be read"))
            #expect(try box.query("SELECT count(*) FROM task") == [["2"]])
        }
    }
}
