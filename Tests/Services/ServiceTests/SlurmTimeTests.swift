import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What happens to a run when a job of a real Slurm comes to its end, or to a new beginning.
@Suite(.blocking, .serialized) struct SlurmTimeTests {
    @Test func whatAnAllocationHasNoTimeForIsLeftToALaterRun() throws {
        try Sandbox.with { box in
            // A real limit is a minute at least, and is looked at every half a minute: this end is near.
            try SlurmJobs.prepare(box)
            try box.writeProgram(
                "bin/squeue",
                """
                #!/bin/sh
                [ "$*" = "-h -j $SLURM_JOB_ID -o %e" ] && [ "$SLURM_TIME_FORMAT" = standard ] || exit 9
                [ -e end ] || date -d '+6 seconds' +%FT%T >end
                cat end

                """)
            let tasks = String(repeating: "[ -e go ] || { touch began.$DISBATCH_TASKID; exec sleep 600; }\n", count: 5)
            let text = "#DISBATCH PERENGINE STOP echo x >>stopped\ntrue\n" + tasks
            let result = try SlurmJobs.run(text, ["-n", "2", "-N", "2"], ["--margin", "2s"], in: box)
            #expect(result.status == 4, "\(result.error)")
            #expect(result.error.contains(" s: no new task starts in it\n"))
            #expect(result.error.contains("some left undone"))
            let status = box.at("run_status.txt")
            #expect(result.error.contains("to run the rest: disbatch -r \(status) -p run --margin 2s tasks.txt"))
            #expect(box.rows().tasks.map(\.id) == [0], "what was ended has no row: \(box.rows())")
            #expect(try box.files().filter { $0.hasPrefix("began.") }.count == 2)
            #expect(try box.lines(of: "stopped").count == 2)
            try box.write("go", "")
            try box.run(["bin/squeue", "end"], program: "/bin/rm")
            let rest = try SlurmJobs.run(nil, ["-n", "2"], ["-r", "run_status.txt"], in: box)
            #expect(rest.status == 0, "\(rest.error)")
            #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
        }
    }

    @Test func theEndIsThatOfTheRealAllocation() throws {
        try Sandbox.with { box in
            try SlurmJobs.prepare(box)
            // Margin and limit leave about a second and a half for the first tasks.
            let tasks = String(repeating: "sleep 0.2\n", count: 600)
            let result = try SlurmJobs.run(tasks, ["-n", "1", "-t", "1"], ["--margin", "57s"], in: box)
            #expect(result.status == 4, "\(result.error)")
            let log = try box.text(of: "run_driver.log")
            #expect((1...40).contains(box.rows().count), "\(log)")
        }
    }

    @Test(arguments: [[], ["-p", "run"]])
    func aJobThatIsStartedAgain(options: [String]) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n[ -e go ] || { touch held; exec sleep 600; }\ntrue\n")
            let submitted = try box.run(
                ["--parsable", "--requeue", "-o", box.at("job.out"), "-n", "1", "disbatch"] + options + ["tasks.txt"],
                program: "/usr/bin/sbatch", environment: SlurmJobs.environment(box))
            let job = submitted.output.trimmed
            try box.waitForFile("held")
            let status = try #require(try box.files().first { $0.hasSuffix("_status.txt") })
            let prefix = String(status.dropLast("_status.txt".count))
            try box.waitForRow("the first task's", prefix: prefix) { $0.id == 0 }
            try box.write("go", "")
            let cluster = try SlurmCluster.shared()
            _ = try cluster.run(["scontrol", "requeue", job])
            try box.wait(for: "the job in the queue") {
                (try? cluster.run(["squeue", "-h", "-j", job, "-o", "%T"]).text.trimmed) == "PENDING"
            }
            var nextTry = Date.distantPast
            var refusals = 0
            try box.wait(for: "the last task's row", within: 90) {
                // Slurm may fail a job that starts again too soon, before any of it runs: then once more.
                let state = try? cluster.run(["scontrol", "show", "job", job]).text
                if state?.contains("JobState=FAILED") == true, refusals < 2, box.rows(prefix).count == 1 {
                    refusals += 1
                    _ = try cluster.run(["scontrol", "requeue", job])
                    nextTry = Date.distantPast
                }
                if Date() >= nextTry {
                    // It waits for two minutes otherwise, which begin at some time while it goes back into the queue.
                    // But nodes refuse a job that starts again within the second in which it was ended.
                    _ = try? cluster.run(["scontrol", "update", "JobId=\(job)", "StartTime=now+4"])
                    nextTry = Date() + 10
                }
                return box.rows(prefix).countsByTask == [1, 1, 1]
            }
            try #require(refusals < 2, "\((try? box.text(of: "job.out")) ?? "")")
            #expect(box.rows(prefix).allSatisfy { $0.returnCode == 0 }, "\(box.rows(prefix))")
            #expect(try box.files().filter { $0.hasSuffix("_status.txt") } == [status])
            try box.wait(for: "the end of the job") {
                (try? cluster.run(["squeue", "-h", "-j", job, "-o", "%T"]).text.trimmed) ?? "" == ""
            }
            #expect(try box.text(of: "job.out").contains("the job was started again: going on with"))
        }
    }

    @Test(arguments: [SIGUSR1, SIGUSR2])
    func signalsDrain(signal: Int32) throws {
        try Sandbox.with { box in
            try SlurmJobs.prepare(box)
            let text = String(repeating: "touch began; until [ -e go ]; do sleep 0.01; done\n", count: 3)
            let salloc = try SlurmJobs.start(text, ["-n", "1"], in: box)
            try box.waitForFile("began")
            let driver = try #require(LiveProcess.all().first { $0.parent == salloc.pid })
            kill(driver.pid, signal)
            try box.wait(for: "the word of it") {
                (try? box.text(of: "run_driver.log"))?.contains("draining after SIGUSR") == true
            }
            try box.write("go", "")
            let result = try salloc.wait(within: 30)
            #expect(result.status == 4, "\(result.error)")
            #expect(box.rows().count == 1)
        }
    }
}
