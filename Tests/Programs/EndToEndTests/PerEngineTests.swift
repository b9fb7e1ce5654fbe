import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Commands of each engine, before its first task and after its last.
@Suite(.blocking) struct PerEngineTests {
    @Test func theyFrameTheTasks() throws {
        try Sandbox.with { box in
            let text = """
                #DISBATCH PERENGINE START echo start0 $DISBATCH_CYLINDER_RANK $DISBATCH_ENGINE_RANK >> order
                #DISBATCH PREFIX sleep 0.2;
                #DISBATCH PERENGINE START  echo start1 >> order
                #DISBATCH PERENGINE STOP  echo stop0 >> order
                #DISBATCH PREFIX
                #DISBATCH PERENGINE STOP echo stop1 >> order
                echo task >> order
                #DISBATCH BARRIER
                echo task >> order

                """
            let result = try box.runTasks(text)
            #expect(result.status == 0)
            let order = try box.lines(of: "order")
            #expect(order == ["start0 -1 0", "start1", "task", "task", "stop0", "stop1"])
            let rows = box.rows()
            #expect(rows.map { "\($0.kind)\($0.id)" } == ["P0", "P1", " 0", " 1", " 2", "P0", "P1"])
            let recorded = try box.query("SELECT phase, id FROM per_engine")
            #expect(recorded.count == 4)
        }
    }

    @Test func theySeeAllValuesOfASharedVariable() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE START echo $V\necho $V\n"
            try box.runTasks(text, ["-E", "V"], slots: 1, environment: ["V": "a,b"])
            #expect(box.rows().map(\.outSnippet) == ["'a,b\\n'", "'a\\n'"])
        }
    }

    @Test func aFailedStartIsAWarning() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE START exit 4\n#DISBATCH PERENGINE STOP touch stopped\ntouch ran\n"
            let result = try box.runTasks(text)
            #expect(result.status == 0)
            #expect(result.error.contains("PERENGINE START command failed with 4"))
            #expect(box.exists("ran") && box.exists("stopped"))
        }
    }

    @Test func aFailedStartLeavesNoEngineUnderStrictStart() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE START exit 4\n#DISBATCH PERENGINE STOP touch stopped\ntouch ran\n"
            let result = try box.runTasks(text, ["--strict-start"])
            #expect(result.status == 3, "no engine is left, and nobody asked for that")
            #expect(!box.exists("ran"))
            #expect(box.exists("stopped"), "what START began, STOP clears away")
        }
    }

    @Test func stopCommandsRunWhenTheRunIsStopped() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE STOP touch stopped\ntouch up; sleep 100\n"
            let run = try box.startTasks(text)
            try box.waitForFile("up")
            run.signal(SIGTERM)
            #expect(try run.wait(within: 20).status == 143)
            #expect(box.exists("stopped"))
            #expect(box.rows().map(\.kind) == ["P"])
        }
    }

    @Test func aStartThatHangsEndsByItsLimit() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE START trap '' TERM; while :; do sleep 100; done\ntouch ran\n"
            let result = try box.runTasks(text, ["--start-timeout", "1", "--kill-after", "1"])
            #expect(result.status == 0)
            #expect(result.error.contains("PERENGINE START command failed with 124"), "\(result.error)")
            #expect(box.exists("ran"))
        }
    }

    @Test func aStartThatHangsElsewhereDoesNotKeepTheRun() throws {
        try Sandbox.with { box in
            let start = "mkdir one 2>/dev/null || { touch hangs; sleep 1000; }"
            let text = "#DISBATCH PERENGINE START \(start)\nuntil [ -e hangs ]; do sleep 0.1; done; touch ran\n"
            let result = try SSHHosts.with(["nodeA"]) { hosts in
                try box.run(text, ["-e", "-s", "localhost:1,nodeA:1"], .openssh, hosts)
            }
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("PERENGINE START command 1 has run for 10 s"), "\(result.error)")
            #expect(box.exists("ran"))
        }
    }

    @Test func aResumedRunRunsThemAgain() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH PERENGINE START echo >> starts\necho a\n[ -e ok ]\n"
            try box.runTasks(text)
            try box.write("ok", "")
            let result = try box.runTasks(text, ["-R", "-r", "run_status.txt"], prefix: "second")
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.bytes(of: "starts").count == 2)
            #expect(box.rows("second").map { "\($0.kind)\($0.id)" } == ["S0", "P0", " 1"])
        }
    }
}
