import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What a user sees of a run: progress, summary, logs, the run record.
@Suite(.blocking) struct WatchingTests {
    /// Runs tasks on a terminal of their own. Everything that appears there is in the file `screen`.
    private func onTerminal(
        _ box: Sandbox, _ text: String, _ options: String = "", environment: [String: String?] = [:]
    ) throws -> String {
        let result = try startOnTerminal(box, text, options, environment: environment).wait()
        #expect(result.status == 0, "\(result.output)")
        return try box.text(of: "screen")
    }

    private func startOnTerminal(
        _ box: Sandbox, _ text: String, _ options: String = "", environment: [String: String?] = [:]
    ) throws -> RunningProgram {
        try box.write("tasks.txt", text)
        let line = "\(BuildDirectory.path)/disbatch -s localhost:1 -p run \(options) tasks.txt"
        var changes: [String: String?] = ["TERM": "xterm"]
        for (name, value) in environment { changes[name] = value }
        return try box.start(
            ["-q", "-e", "-f", "-c", line, "screen"], program: "/usr/bin/script", environment: changes)
    }

    @Test func aTerminalShowsOneLineThatIsRedrawn() throws {
        try Sandbox.with { box in
            let held = "until [ -e $DISBATCH_TASKID.gate ]; do sleep 0.05; done\n"
            let driver = try startOnTerminal(box, held + "exit 1\n" + held)
            let lines = [
                0: "0/3 done (0 %), 1 running, 2 waiting", 2: "2/3 done (66 %), 1 failed, 1 running, 0 waiting",
            ]
            for task in lines.keys.sorted() {
                let line = try #require(lines[task])
                try box.wait(for: line) { (try? box.text(of: "screen"))?.contains(line) == true }
                try box.write("\(task).gate", "")
            }
            #expect(try driver.wait().status == 0)
            let screen = try box.text(of: "screen")
            #expect(screen.contains("\r\u{1b}[K"), "the line is redrawn")
            let end = try #require(screen.split(separator: "\r\u{1b}[K").last)
            #expect(end.contains("3 tasks ended, 1 failed"), "the summary takes the line's place")
        }
    }

    @Test func aTerminalShowsTheSummaryOfAGoodRun() throws {
        try Sandbox.with { box in
            let screen = try onTerminal(box, "true\n")
            #expect(screen.contains("disbatch: 1 task ended in "))
            #expect(screen.contains("status file: \(box.at("run_status.txt"))"))
            #expect(!screen.contains("disbatch -r"), "there is nothing to retry")
        }
    }

    @Test func coloursAreForTerminalsThatWantThem() throws {
        let text = "#DISBATCH PERENGINE START exit 1\ntrue\n"
        let colour = "\u{1b}[33m"
        try Sandbox.with { box in
            let screen = try onTerminal(box, text)
            #expect(screen.contains(colour))
        }
        for unwanted in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            try Sandbox.with { box in
                let screen = try onTerminal(box, text, environment: unwanted.mapValues(Optional.some))
                #expect(screen.contains("warning:") && !screen.contains(colour), "\(unwanted)")
            }
        }
    }

    @Test func progressNeverShowsNone() throws {
        try Sandbox.with { box in
            let screen = try onTerminal(box, "sleep 0.5\n", "--progress never")
            #expect(!screen.contains("running"))
        }
    }

    @Test func elsewhereAGoodShortRunSaysNothing() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\nsleep 0.5\n")
            #expect(result.output.isEmpty && result.error.isEmpty)
        }
    }

    @Test func progressAlwaysRedrawsInAFileToo() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("sleep 1.2\n", ["--progress", "always"])
            #expect(result.error.contains("\r\u{1b}[K0/1 done"))
            #expect(!result.error.contains("\u{1b}[3"), "but without colour")
        }
    }

    @Test func theSummarySaysWhatToDoNext() throws {
        try Sandbox.with { box in
            try box.write("my tasks.txt", "true\nexit 1\nexit 2\n")
            let result = try box.run(["-s", "localhost:2", "-p", "run", "--limit", "2", "my tasks.txt"])
            let status = box.at("run_status.txt")
            #expect(result.errorLines.first?.contains("2 tasks ended, 1 failed, some left undone in ") == true)
            #expect(
                result.errorLines.dropFirst() == [
                    "  status file: \(status)",
                    "  to retry the failures and run the rest: "
                        + "disbatch -r \(status) -R -s localhost:2 -p run 'my tasks.txt'",
                ])
        }
    }

    // MARK: Logs

    @Test func theLogsSayWhatWasChosen() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n", ["-l", "lab", "-c", "2", "--env", "A=b c"], slots: 4)
            let driver = try box.text(of: "run_driver.log")
            #expect(driver.contains("disbatch 0."))
            #expect(driver.contains("--env 'A=b c'"), "the command line, as a shell takes it")
            #expect(driver.contains(box.at("run_status.txt")) && driver.contains("context lab"))
            #expect(driver.contains("exit status 0"))
            let start = #/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ +|    /#
            for line in driver.split(separator: "\n") { #expect(line.prefixMatch(of: start) != nil, "\(line)") }
            #expect(try box.text(of: "run_lab.context.log").contains("2 slots of 2 cores"))
            let engine = try box.files().first { $0.hasSuffix("_engine_0.log") }
            #expect(try box.text(of: engine ?? "").contains("2 slots"))
        }
    }

    @Test func aLogCanStandElsewhereAndSayLess() throws {
        try Sandbox.with { box in
            try box.runTasks("true\n", ["--logfile", "my.log", "--loglevel", "WARNING"])
            #expect(!box.exists("run_driver.log"))
            #expect((try? box.text(of: "my.log")) ?? "" == "", "there was nothing to warn of")
            try box.runTasks("true\n", ["--logfile", "full.log"], prefix: "full")
            #expect(try box.text(of: "full.log").contains("exit status 0"))
        }
    }

    // MARK: The run record

    @Test func theRecordIsReadableWhileTheRunGoesOn() throws {
        try Sandbox.with { box in
            let run = try box.startTasks("echo a\ntouch up; while [ ! -e go ]; do sleep 0.01; done\n")
            try box.waitForFile("up")
            try box.wait(for: "the running task in the record") {
                (try? box.query("SELECT id, state FROM task ORDER BY id")) == [["0", "done"], ["1", "running"]]
            }
            #expect(try box.query("SELECT id, pid > 0, command LIKE 'touch up%' FROM running") == [["1", "1", "1"]])
            #expect(try box.query("SELECT exit_status IS NULL FROM run") == [["1"]])
            try box.write("go", "")
            #expect(try run.wait().status == 0)
            #expect(try box.query("SELECT count(*) FROM task WHERE state = 'done'") == [["2"]])
            #expect(try box.query("SELECT exit_status, total_tasks FROM run") == [["0", "2"]])
        }
    }

    @Test func theRecordHoldsWhatTheRowsDoAndMore() throws {
        try Sandbox.with { box in
            try box.runTasks("echo out; echo err >&2\nkill -9 $$\n#DISBATCH BARRIER\nexit 3\n")
            let columns = "return_code, signal, out_bytes, err_bytes, ending, user_seconds >= 0, peak_memory_kib > 0"
            #expect(
                try box.query("SELECT \(columns) FROM task ORDER BY id") == [
                    ["0", "", "4", "4", "exited", "1", "1"], ["-9", "9", "0", "0", "exited", "1", "1"],
                    ["3", "", "0", "0", "exited", "1", "1"],
                ])
            for row in box.rows().tasks {
                let found = try box.query("SELECT pid, node, round(finish, 3) FROM task WHERE id = \(row.id)")
                #expect(found.first?.dropLast() == ["\(row.pid)", row.node])
                #expect(Double(found.first?.last ?? "").map { abs($0 - row.finish) < 0.002 } == true)
            }
            #expect(try box.query("SELECT id, line FROM barrier") == [["2", "3"]])
            #expect(try box.query("PRAGMA integrity_check") == [["ok"]])
        }
    }

    @Test func noRecordLeavesNone() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\n", ["--no-record"])
            #expect(result.status == 0)
            #expect(!box.exists("run_run.db"))
            #expect(box.rows().count == 1)
        }
    }

    @Test func aRecordThatCannotBeWrittenIsOneWarning() throws {
        try Sandbox.with { box in
            try box.makeDirectory("run_run.db")
            let result = try box.runTasks(String(repeating: "true\n", count: 50))
            #expect(result.status == 0)
            #expect(result.errorLines.count == 1 && result.error.contains("warning:"), "\(result.error)")
            #expect(result.error.contains("without a run record"))
            #expect(box.rows().count == 50)
        }
    }
}
