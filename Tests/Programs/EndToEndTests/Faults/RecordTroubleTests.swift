import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Run records that could not be written, beside status files that were.
@Suite(.blocking) struct RecordTroubleTests {
    /// Makes sure that `dbutil` takes the run for ended, with all of its tasks.
    private func expectWhole(_ box: Sandbox, states: [String]) throws {
        let list = try box.dbutil(["--run", "run", "--list", "--format", "tsv", "--fields", "id,state"])
        let lines = states.enumerated().map { "\($0)\t\($1)\n" }.joined()
        #expect(list.output == "id\tstate\n" + lines, "\(list.error)")
        let report = try box.dbutil(["--run", "run", "--report"])
        #expect(report.output.contains("exit status 0") && !report.output.contains("broken off"), "\(report.output)")
    }

    @Test("a reader's lock at the end is told; dbutil goes by the status file, and the next run completes the record")
    func lockedToTheEnd() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch on; while [ ! -e open ]; do sleep 0.02; done\ntrue\nfalse\n")
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            try box.waitForFile("on")
            try box.wait(for: "the record") { (try? box.query("SELECT count(*) FROM run")) == [["1"]] }
            let holder = try box.start(
                ["run_run.db"], program: "/usr/bin/sqlite3", input: .pipe)
            try holder.send(".timeout 10000\nBEGIN IMMEDIATE;\nSELECT 'held';\n")
            try box.wait(for: "the lock") { holder.output.contains("held") }
            try box.open()
            let result = try driver.wait()
            #expect(result.status == 0)
            #expect(result.error.contains("locked by a reader"), "\(result.error)")
            #expect(result.error.contains("dbutil goes by the status file"), "\(result.error)")
            holder.closeInput()
            try holder.wait()
            try expectWhole(box, states: ["done", "done", "failed"])
            let again = try box.run(["-s", "localhost:1", "-p", "run", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 0, "\(again.error)")
            #expect(try box.query("SELECT id, state FROM task") == [["0", "done"], ["1", "done"], ["2", "failed"]])
        }
    }

    @Test("a record whose disk was full is filled in once there is room", .enabled(if: Rights.canMount))
    func fullAndFreed() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 4000)
            try box.write(
                "tasks.txt", "#DISBATCH REPEAT 100 : \(filler)\ntouch on; while [ ! -e open ]; do sleep 0.02; done\n")
            try box.makeDirectory("small")
            try box.write(
                "script",
                """
                mount -t tmpfs -o size=160k none small || exit 99
                $disbatch -s localhost:2 -p run --limit 1 tasks.txt
                mv run_run.db small
                ln -s small/run_run.db run_run.db
                $disbatch -s localhost:2 -p run -r run_status.txt tasks.txt &
                while [ ! -e on ]; do sleep 0.02; done
                while [ ! -e room ]; do sleep 0.02; done
                mount -o remount,size=4m small || exit 98
                touch open
                wait $!; echo $? >code
                rm run_run.db
                cp small/run_run.db .

                """)
            let run = try box.start(
                ["-m", "bash", "script"], program: "/usr/bin/unshare",
                environment: ["disbatch": BuildDirectory.path + "/disbatch"])
            try box.wait(for: "a warning") { run.error.contains("without a run record") }
            try box.write("room", "")
            let result = try run.wait()
            #expect(try box.text(of: "code") == "0\n", "\(result.error)")
            #expect(
                try box.query("SELECT count(*), max(id), min(state), max(state) FROM task")
                    == [["101", "100", "done", "done"]])
            #expect(try box.query("SELECT complete, exit_status FROM runs WHERE id = 2") == [["yes", "0"]])
        }
    }

    @Test("dbutil sees what a run without a record added")
    func withoutRecord() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\ntrue\n")
            #expect(try box.run(["-s", "localhost:1", "-p", "run", "--limit", "1", "tasks.txt"]).status == 4)
            let line = ["-s", "localhost:1", "-p", "run", "-r", "run_status.txt", "--no-record", "tasks.txt"]
            #expect(try box.run(line).status == 0)
            // As if it had taken some time.
            #expect(try box.script("touch -d '+10 seconds' run_status.txt").status == 0)
            let list = try box.dbutil(["--run", "run", "--list", "--format", "tsv", "--fields", "id,state"])
            #expect(list.output == "id\tstate\n0\tdone\n1\tdone\n", "\(list.error)")
        }
    }
}
