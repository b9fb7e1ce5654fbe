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

    @Test("of a task file that is written anew in mid-run nothing is run that is not what it was")
    func touchedTasks() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 300)
            func text(_ word: String) -> String { (0..<4000).map { "true \($0) \(word)\(filler)\n" }.joined() }
            let gate = "touch on; while [ ! -e open ]; do sleep 0.02; done\n"
            try box.write("tasks.txt", gate + text("old"))
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            // Its first task holds all up; only the first lines were read.
            try box.waitForFile("on")
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: box.at("tasks.txt")))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data((gate + text("a longer word")).utf8))
            try file.close()
            try box.open()
            let result = try driver.wait()
            #expect(result.status == 2, "\(result.error)")
            #expect(result.error.contains("tasks.txt: changed while the run goes on"), "\(result.error)")
            #expect(result.error.contains("some left undone"), "\(result.error)")
            let rows = box.rows()
            #expect((2...3999).contains(rows.count))
            #expect(rows.map(\.id).sorted() == Array(0..<rows.count))
            for row in rows.dropFirst() { #expect(row.columns[14] == "true \(row.id - 1) old\(filler)") }
            try box.write("tasks.txt", gate + text("old"))
            let again = try box.run(["-s", "localhost:1", "-p", "run", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 4001))
        }
    }

    @Test("a task file that is only touched, lengthened or replaced by name is run as it was")
    func renamedTasks() throws {
        try Sandbox.with { box in
            let text = (0..<3000).map { "true \($0) \(String(repeating: "x", count: 300))\n" }.joined()
            try box.write("tasks.txt", "while [ ! -e open ]; do sleep 0.02; done\n" + text)
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            try box.waitForFile("run_status.txt")
            let result = try box.script(
                "touch tasks.txt; echo false >>tasks.txt; echo false >other; mv other tasks.txt; touch open")
            #expect(result.status == 0)
            #expect(try driver.wait().status == 0)
            #expect(box.rows().count == 3001)
        }
    }
}
