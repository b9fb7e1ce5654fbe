import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs of many tasks, and task files of many lines.
@Suite(.blocking, .disabled(if: BuildDirectory.isSanitized, "too slow")) struct LargeRunTests {
    @Test("every failure of many is recorded, and counted by -e")
    func manyFailures() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 10000 exit 1\n")
            let plain = try box.run(["-s", "localhost:4", "-p", "run", "tasks.txt"], within: 300)
            #expect(plain.status == 0, "\(plain.error)")
            expectFailures(10_000, box.rows())
            let again = try box.run(["-s", "localhost:4", "-e", "-p", "again", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 1, "failures of the earlier run count")
        }
    }

    @Test("nor is one of 50 000 lost")
    func veryManyFailures() throws {
        try Sandbox.with { box in
            try box.writeNullEngine(returnCode: 1)
            try box.write("tasks.txt", "#DISBATCH REPEAT 50000 exit 1\n")
            let result = try box.run(
                ["-s", "localhost:4", "-e", "--retries", "1", "-p", "run", "tasks.txt"],
                program: box.at("null/disbatch"), within: 300)
            #expect(result.status == 1, "\(result.error)")
            #expect(result.error.contains("50000 tasks ended, 50000 failed"), "\(result.error)")
            expectFailures(50_000, box.rows())
            #expect(
                try box.query("SELECT count(*), min(return_code), max(return_code), max(attempts) FROM task")
                    == [["50000", "1", "1", "2"]])
        }
    }

    private func expectFailures(_ count: Int, _ rows: [StatusLine]) {
        // Not in #expect, which would print all of them.
        let isEachThere = rows.countsByTask == Array(repeating: 1, count: count)
        #expect(isEachThere, "\(rows.count) rows of \(count) tasks")
        #expect(rows.count { $0.flags == "R   " && $0.returnCode == 1 } == count)
    }

    @Test("a file of ten million lines takes no more memory than a short one, and its lines are counted right")
    func longFile() throws {
        let peaks = try [10, 1000].map { try peakMemory(blocks: $0) }
        #expect(peaks[1] < peaks[0] + 4096, "KiB at 100 000 and 10 000 000 lines: \(peaks)")
    }

    /// The most memory that a driver takes for a file of so many times 10 000 lines, with one task in each.
    private func peakMemory(blocks: Int) throws -> Int {
        var peak = 0
        try Sandbox.with { box in
            let lines = "# nothing\n\n".utf8
            let block = Array("true\n".utf8) + Array(repeating: lines, count: 4999).joined() + Array("\n".utf8)
            try box.write("tasks.txt", "")
            let file = try #require(FileHandle(forWritingAtPath: box.at("tasks.txt")))
            for _ in 0..<blocks { try file.write(contentsOf: block) }
            try file.write(contentsOf: Array("touch on; while [ ! -e open ]; do sleep 0.05; done\n".utf8))
            try file.close()
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            try box.waitForFile("on", within: 300)
            peak = try box.peakMemory(of: driver.pid)
            try box.open()
            let result = try driver.wait()
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.line) == (0...blocks).map { $0 * 10_000 + 1 })
        }
        return peak
    }
}
