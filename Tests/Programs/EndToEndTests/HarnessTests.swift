import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// The tests' own tools: what they promise must hold, or tests pass that should not.
@Suite(.blocking) struct HarnessTests {
    @Test func aTaskFileRunsToItsEnd() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\nexit 3\n")
            let result = try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [0, 3])
            #expect(try box.query("SELECT count(*) FROM task") == [["2"]])
            #expect(box.processes().isEmpty)
        }
    }

    @Test func aProcessThatIsLeftFailsTheTest() throws {
        try withKnownIssue {
            try Sandbox.with { box in
                // By its environment or by its directory it is known, whatever became of its parent.
                let line = "setsid env -i sleep 100 & cd /; setsid sleep 100 &"
                try box.run(["-c", line], program: "/bin/bash")
                try box.wait(for: "both") { box.processes().count == 2 }
            }
        } matching: { issue in
            issue.comments.contains { $0.rawValue.contains("no process may be left") }
        }
    }

    @Test func statusesAndInputArePassedOn() throws {
        try Sandbox.with { box in
            #expect(try box.run(["-c", "exit 7"], program: "/bin/sh").status == 7)
            #expect(try box.run(["-c", "kill -9 $$"], program: "/bin/sh").status == -SIGKILL)
            let echo = try box.run(["-c", "cat; echo e >&2"], program: "/bin/sh", input: .text("in"))
            #expect(echo.output == "in" && echo.error == "e\n")
            #expect(try box.run([], program: "/bin/pwd").output == box.work + "\n")
        }
    }

    @Test func whatTakesTooLongIsAnError() throws {
        try Sandbox.with { box in
            #expect(throws: HarnessError.self) {
                try box.run(["100"], program: "/bin/sleep", within: 0.1)
            }
        }
    }
}
