import TestSupport
import Testing

@testable import EndToEndSupport

/// Failed tasks: exit status, retries, timeouts.
@Suite(.blocking) struct FailureTests {
    @Test(
        arguments: [
            ("true\nexit 1\n", [], 0), ("true\nexit 1\n", ["-e"], 1), ("true\n", ["-e"], 0),
            ("#DISBATCH PERENGINE START exit 1\ntrue\n", ["-e"], 1), ("#DISBATCH PERENGINE STOP exit 1\ntrue\n", [], 0),
            ("kill -9 $$\n", ["-e"], 1), ("exit 1\n#DISBATCH BARRIER CHECK\n", [], 1),
            ("exit 1\n#DISBATCH BARRIER\ntrue\n#DISBATCH BARRIER CHECK\n", [], 0),
        ] as [(String, [String], Int32)])
    func theExitStatusSaysWhetherTasksFailed(tasks: String, options: [String], status: Int32) throws {
        try Sandbox.with { box in
            let result = try box.runTasks(tasks, options)
            #expect(result.status == status, "\(result.error)")
        }
    }

    @Test func failFastEndsWhatRuns() throws {
        try Sandbox.with { box in
            let text = "sleep 100 & touch up; wait\nwhile [ ! -e up ]; do sleep 0.01; done; exit 7\necho never\n"
            let result = try box.runTasks(text, ["-f"])
            #expect(result.status == 1)
            #expect(result.error.contains("--fail-fast"))
            #expect(box.rows().map(\.id) == [1], "a task that the run ended gets no row")
            #expect(box.processes().isEmpty)
            let again = try box.runTasks(
                text.replacing("sleep 100", with: "sleep 100").replacing("exit 7", with: "exit 7"),
                ["-r", "run_status.txt", "--dry-run"], prefix: "again")
            #expect(again.output.split(separator: "\n").map { $0.prefix(1) } == ["0", "2"])
        }
    }

    @Test func aFailedTaskIsRetriedAndItsLastAttemptCounts() throws {
        try Sandbox.with { box in
            let text = """
                echo x >> tries; [ $(wc -l < tries) -ge 3 ]
                echo attempt; exit 9
                #DISBATCH BARRIER CHECK
                echo never

                """
            let result = try box.runTasks(text, ["--retries", "2"])
            #expect(result.status == 1)
            #expect(box.rows().tasks.map(\.returnCode) == [0, 9], "one row a task")
            let attempts = try box.query("SELECT task_id, attempt, return_code FROM attempts ORDER BY 1, 2")
            #expect(
                attempts == [
                    ["0", "1", "1"], ["0", "2", "1"], ["0", "3", "0"], ["1", "1", "9"], ["1", "2", "9"],
                    ["1", "3", "9"],
                ])
        }
    }

    @Test func aTimeoutEndsTheTaskAndAllItsDescendants() throws {
        try Sandbox.with { box in
            let text = """
                sleep 100
                trap '' TERM; echo stubborn; while :; do sleep 1; done
                setsid setsid sleep 100 & setsid sh -c 'trap "" TERM; sleep 100; sleep 100' & sleep 100
                trap 'echo got it; exit 0' TERM; sleep 100 & wait
                echo quick; exit 5

                """
            let result = try box.runTasks(text, ["--task-timeout", "0.5", "--kill-after", "1"], slots: 5)
            #expect(box.processes().isEmpty, "daemons end too")
            #expect(result.status == 0)
            #expect(result.seconds < 10)
            let rows = box.rows().tasks
            #expect(rows.map(\.returnCode) == [124, 124, 124, 124, 5])
            #expect(rows[3].outSnippet == "'got it\\n'", "it could say its last words")
            #expect(rows[1].elapsed >= 1.4, "SIGKILL comes after --kill-after, not at once")
            #expect(rows[0].elapsed < 1.4, "SIGTERM alone ends what heeds it")
            let endings = try box.query("SELECT ending FROM task ORDER BY id").flatMap(\.self)
            #expect(endings == Array(repeating: "timed out", count: 4) + ["exited"])
        }
    }

    @Test func durationsAreTaken() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("true\n", ["--task-timeout", "1h30m", "--kill-after", "0"])
            #expect(result.status == 0)
            let wrong = try box.runTasks("true\n", ["--task-timeout", "soon"], prefix: "wrong")
            #expect(wrong.status == 2)
            #expect(wrong.error.contains("--task-timeout"))
        }
    }
}
