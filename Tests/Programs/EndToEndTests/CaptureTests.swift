import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What tasks write, in the directory of `--capture`.
@Suite(.blocking) struct CaptureTests {
    /// Machines that share no files with the driver's.
    @Test(.enabled(if: Rights.canMount)) func whatTasksWriteElsewhereComesHome() throws {
        try StagingTests.withHostElsewhere { box, hosts in
            let text = """
                echo out; echo err >&2
                head -c 10000001 /dev/zero; exit 3
                touch x.made

                """
            let result = try StagingTests.runAway(
                text, ["--capture", "cap", "--task-dir", "--stage-out", "*.made:made", "--retries", "1"], in: box, hosts
            )
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().sorted { $0.id < $1.id }.map(\.returnCode) == [0, 3, 0])
            #expect(try box.text(of: "cap/000/0.out") == "out\n")
            #expect(try box.text(of: "cap/000/0.err") == "err\n")
            for name in ["1", "1.2"] { #expect(try box.bytes(of: "cap/000/\(name).out").count == 10_000_001) }
            #expect(box.exists("made/x.made"))
            let kept = try box.run([box.at("cap"), "-type", "f"], program: "/usr/bin/find").output
            #expect(kept.split(separator: "\n").count == 4, "empty files are left out, and no mark stays: \(kept)")
            let away = try hosts.home(of: "nodeA") + "/away"
            let left = try box.run([away, "-name", "*.out", "-o", "-name", "*_capture"], program: "/usr/bin/find")
            #expect(left.output.isEmpty, "nothing is left on the host")
        }
    }

    private static let text = "test -e ok && echo fine || { echo FATAL >&2; exit 1; }\necho kept\n"

    private func checkSecondRun(_ result: ProgramResult, in box: Sandbox) throws {
        #expect(result.status == 0, "\(result.error)")
        let found = try box.files().filter { $0.hasPrefix("cap/000/") }.sorted()
        #expect(found == ["cap/000/0.out", "cap/000/1.out", "cap/000/notes", "cap/000/7.err"].sorted())
        #expect(try box.text(of: "cap/000/0.out") == "fine\n")
        #expect(try box.text(of: "cap/000/1.out") == "kept\n", "it was not run again")
    }

    @Test func aTaskThatIsRunAgainLeavesNothingOfEarlierRuns() throws {
        try Sandbox.with { box in
            let first = try box.runTasks(Self.text, ["--capture", "cap", "--retries", "2"])
            #expect(first.status == 0, "\(first.error)")
            #expect(try box.text(of: "cap/000/0.err") == "FATAL\n")
            #expect(try box.text(of: "cap/000/0.3.err") == "FATAL\n")
            for name in ["notes", "7.err"] { try box.write("cap/000/\(name)", "of somebody else") }
            try box.write("ok", "")
            let again = try box.runTasks(
                Self.text, ["--capture", "cap", "--retries", "2", "-r", "run_status.txt", "-R"], prefix: "again")
            try checkSecondRun(again, in: box)
        }
    }

    @Test(.enabled(if: Rights.canMount)) func aTaskThatIsRunAgainElsewhereLeavesNothingOfEarlierRuns() throws {
        try StagingTests.withHostElsewhere { box, hosts in
            let first = try StagingTests.runAway(Self.text, ["--capture", "cap", "--retries", "2"], in: box, hosts)
            #expect(first.status == 0, "\(first.error)")
            #expect(try box.text(of: "cap/000/0.3.err") == "FATAL\n")
            for name in ["notes", "7.err"] { try box.write("cap/000/\(name)", "of somebody else") }
            let away = try hosts.home(of: "nodeA") + "/away"
            try box.run([away + "/ok"], program: "/usr/bin/touch")
            let again = try StagingTests.runAway(
                Self.text, ["--capture", "cap", "--retries", "2", "-r", "run_status.txt", "-R"], in: box, hosts,
                prefix: "again")
            try checkSecondRun(again, in: box)
        }
    }

    @Test(.enabled(if: Rights.canMount)) func whatCannotComeHomeChangesNoResult() throws {
        try StagingTests.withHostElsewhere { box, hosts in
            try box.makeDirectory("cap/000/0.out")
            let result = try StagingTests.runAway("echo out; echo err >&2\n", ["--capture", "cap"], in: box, hosts)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.returnCode) == [0])
            #expect(try box.text(of: "cap/000/0.err") == "err\n")
            let place = "\(box.work)/cap/000/0.out"
            #expect(result.error.contains("task 0: --capture: put \(place) in place: Is a directory"))
        }
    }
}
