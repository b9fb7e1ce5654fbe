import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// A run whose files somebody else touches meanwhile.
@Suite(.blocking) struct TouchedFilesTests {
    /// A driver whose first two tasks have ended; the third ends with the file `next`, the last with `open`.
    private func start(_ box: Sandbox, prefix: String = "run") throws -> RunningProgram {
        try box.write(
            "tasks.txt",
            """
            echo 0
            echo 1
            while [ ! -e next ]; do sleep 0.02; done
            while [ ! -e open ]; do sleep 0.02; done; false

            """)
        let driver = try box.start(["-s", "localhost:2", "-p", prefix, "tasks.txt"])
        try box.wait(for: "two rows") { box.rows(prefix).count == 2 }
        return driver
    }

    @Test(
        "a status file that is taken away or spoilt is told at once, and no row is lost",
        arguments: [
            ("rm run_status.txt", "was removed", "run_status.txt"),
            ("mv run_status.txt mine", "was removed", "run_status.txt"),
            (": >run_status.txt", "was changed by somebody else", "run_status.recovered.txt"),
            ("echo note >>run_status.txt", "was changed by somebody else", "run_status.recovered.txt"),
            ("sed -i s/echo/ECHO/ run_status.txt", "was replaced by another file", "run_status.recovered.txt"),
        ])
    func touchedStatus(command: String, what: String, kept: String) throws {
        try Sandbox.with { box in
            let driver = try start(box)
            #expect(try box.script(command).status == 0)
            try box.write("next", "")
            try box.wait(for: "an error") { driver.error.contains("run_status.txt \(what) while the run goes on") }
            #expect(driver.error.contains(box.at(kept)), "\(driver.error)")
            try box.open()
            let result = try driver.wait()
            #expect(result.status == 3, "\(result.error)")
            #expect(result.error.contains("status file: \(box.at(kept))"), "\(result.error)")
            let rows = StatusLine.parse(try box.text(of: kept))
            #expect(rows.countsByTask == [1, 1, 1, 1])
            // The command that is given works.
            let retry = try #require(
                result.errorLines.first { $0.contains("-R") }?.split(separator: ": ").last.map(String.init))
            let again = try box.script(retry.replacingOccurrences(of: "disbatch -r", with: "$disbatch -r"))
            #expect(again.status == 0, "\(retry): \(again.error)")
            #expect(box.rows().countsByTask == [1, 1, 1, 2])
        }
    }

    @Test("a directory of a run that is removed is made again")
    func removedDirectory() throws {
        try Sandbox.with { box in
            try box.makeDirectory("results")
            let driver = try start(box, prefix: "results/run")
            #expect(try box.script("rm -r results").status == 0)
            try box.write("next", "")
            try box.wait(for: "an error") { driver.error.contains("was removed while the run goes on") }
            try box.open()
            #expect(try driver.wait().status == 3)
            #expect(box.rows("results/run").countsByTask == [1, 1, 1, 1])
        }
    }

    @Test("at the end of the run it is looked for too")
    func removedAtTheEnd() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "rm run_status.txt\n")
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 3, "\(result.error)")
            #expect(result.error.contains("was removed while the run goes on"), "\(result.error)")
            #expect(box.rows().countsByTask == [1])
        }
    }
}
