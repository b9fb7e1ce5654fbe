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
