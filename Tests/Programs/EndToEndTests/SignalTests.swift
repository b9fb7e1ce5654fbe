import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Interrupted and drained runs.
@Suite(.blocking) struct SignalTests {
    private let tasks = """
        echo done
        touch up1; [ -e again ] || sleep 100
        touch up2; [ -e again ] || sleep 100
        echo last

        """

    private func startAndWait(_ box: Sandbox, _ text: String, _ options: [String] = []) throws -> RunningProgram {
        let run = try box.startTasks(text, options)
        try box.waitForFile("up1")
        try box.waitForFile("up2")
        return run
    }

    @Test(arguments: [(SIGINT, 130, "SIGINT"), (SIGTERM, 143, "SIGTERM")] as [(Int32, Int32, String)])
    func aSignalEndsTheRunAndAResumeCompletesIt(signal: Int32, status: Int32, name: String) throws {
        try Sandbox.with { box in
            let run = try startAndWait(box, tasks)
            run.signal(signal)
            let result = try run.wait(within: 20)
            #expect(result.status == status)
            #expect(result.error.contains("ended by \(name)"))
            #expect(result.error.contains("disbatch -r "), "the command that goes on is shown")
            #expect(box.processes().isEmpty)
            #expect(box.rows().map(\.id) == [0], "a task that was stopped gets no row")
            #expect(
                try box.query("SELECT id, state FROM task ORDER BY id") == [
                    ["0", "done"], ["1", "stopped"], ["2", "stopped"],
                ])
            try box.write("again", "")
            let again = try box.runTasks(tasks, ["-r", "run_status.txt"], prefix: "again-run")
            #expect(again.status == 0)
            #expect(box.rows("again-run").map(\.id).sorted() == [0, 1, 2, 3])
        }
    }

    @Test func theShownCommandGoesOn() throws {
        try Sandbox.with { box in
            let run = try startAndWait(box, tasks, ["--env", "WORDS=it's two"])
            run.signal(SIGINT)
            let line = try #require(try run.wait().errorLines.last { $0.contains("disbatch -r ") })
            let command = try #require(line.split(separator: ": ", maxSplits: 1).last)
            try box.write("again", "")
            let path = BuildDirectory.path + ":/usr/bin:/bin"
            let result = try box.run(["-c", String(command)], program: "/bin/sh", environment: ["PATH": path])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.id).sorted() == [0, 1, 2, 3])
        }
    }

    @Test func aSecondSignalEndsStubbornTasksAtOnce() throws {
        try Sandbox.with { box in
            let text = "trap 'touch termed' TERM; touch up1 up2; while :; do sleep 0.05; done\n"
            let run = try startAndWait(box, text, ["--kill-after", "300"])
            run.signal(SIGINT)
            try box.waitForFile("termed")
            #expect(!run.hasEnded, "the first signal leaves it its time")
            run.signal(SIGINT)
            let result = try run.wait(within: 20)
            #expect(result.status == 130)
            #expect(box.processes().isEmpty)
            #expect(box.rows().isEmpty)
        }
    }

    @Test func stubbornTasksAreKilledAfterAWhile() throws {
        try Sandbox.with { box in
            let text = "trap '' TERM; setsid sleep 100 & touch up1 up2; while :; do sleep 0.05; done\n"
            let run = try startAndWait(box, text, ["--kill-after", "0.5"])
            run.signal(SIGTERM)
            #expect(try run.wait(within: 20).status == 143)
            #expect(box.processes().isEmpty, "daemons too")
        }
    }

    @Test func anInterruptOfTheWholeProcessGroupIsTheSame() throws {
        try Sandbox.with { box in
            let run = try startAndWait(box, tasks)
            kill(-run.pid, SIGINT)
            #expect(try run.wait(within: 20).status == 130)
            #expect(box.rows().map(\.id) == [0])
            #expect(box.processes().isEmpty)
        }
    }

    @Test func aTaskThatEndsWellOnSIGTERMIsStillNotDone() throws {
        try Sandbox.with { box in
            let text = "trap 'exit 0' TERM; touch up1 up2; while :; do sleep 0.05; done\n"
            let run = try startAndWait(box, text)
            run.signal(SIGINT)
            #expect(try run.wait(within: 20).status == 130)
            #expect(box.rows().isEmpty)
        }
    }

    @Test func aDrainLetsRunningTasksEnd() throws {
        try Sandbox.with { box in
            let text = """
                touch up1; while [ ! -e go ]; do sleep 0.01; done; echo one
                touch up2; while [ ! -e go ]; do sleep 0.01; done; exit 3
                echo never

                """
            let run = try startAndWait(box, text)
            run.signal(SIGUSR1)
            try box.wait(for: "the note") { run.error.contains("SIGUSR1") }
            try box.write("go", "")
            let result = try run.wait(within: 20)
            #expect(result.status == 4)
            #expect(result.error.contains("drained"))
            #expect(box.rows().tasks.map(\.returnCode) == [0, 3])
            #expect(box.processes().isEmpty)
            let rest = try box.runTasks(text, ["-r", "run_status.txt"], prefix: "rest")
            #expect(rest.status == 0)
            #expect(box.rows("rest").of(task: 2)?.outSnippet == "'never\\n'")
        }
    }

    @Test func aDrainWithNothingLeftIsACompleteRun() throws {
        try Sandbox.with { box in
            let text = "touch up1 up2; while [ ! -e go ]; do sleep 0.01; done\n"
            let run = try startAndWait(box, text)
            run.signal(SIGUSR1)
            try box.wait(for: "the note") { run.error.contains("SIGUSR1") }
            try box.write("go", "")
            #expect(try run.wait().status == 0)
        }
    }

    @Test func aSignalToAStreamEndsItToo() throws {
        try Sandbox.with { box in
            let run = try box.start(["-s", "localhost:1", "-p", "run", "-"], input: .pipe)
            try run.send("touch up; sleep 100\n")
            try box.waitForFile("up")
            run.signal(SIGTERM)
            #expect(try run.wait(within: 20).status == 143)
            #expect(box.rows().isEmpty)
        }
    }
}
