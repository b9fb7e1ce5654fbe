import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs in jobs of a real Grid Engine.
@Suite(.blocking, .serialized) struct GridEngineTests {
    /// `qsub -V -cwd OPTIONS disbatch ARGUMENTS`, started; it ends with the job.
    private func submit(
        _ options: [String], _ arguments: [String], in box: Sandbox
    ) throws -> RunningProgram {
        try box.writeProgram("disbatch", "#!/bin/sh\nexec '\(BuildDirectory.path)/disbatch' \"$@\"\n")
        return try box.start(
            ["qsub", "-sync", "y", "-V", "-cwd", "-j", "y", "-o", box.at("job.out")] + options + ["disbatch"]
                + arguments,
            program: GridEngineCluster.shared().launcher, environment: ["CALLER": "me"])
    }

    private func run(_ options: [String], _ arguments: [String], in box: Sandbox) throws {
        let result = try submit(options, arguments, in: box).wait(within: 60)
        #expect(result.status == 0, "\(result.output)\(result.error)\((try? box.text(of: "job.out")) ?? "")")
    }

    @Test func tasksRunOnEveryHostOfAParallelEnvironment() throws {
        try Sandbox.with { box in
            // Each of the first four holds its slot until all are there.
            let together = "touch here.$DISBATCH_TASKID; until [ $(ls here.* | wc -l) = 4 ]; do sleep 0.01; done; "
            let text = String(repeating: together + "echo $(hostname) $HOSTNAME $CALLER\n", count: 4)
            try box.write("tasks.txt", text + String(repeating: "true\n", count: 100))
            try run(["-pe", "mpi", "4"], ["-p", "run", "tasks.txt"], in: box)
            let rows = box.rows()
            #expect(rows.countsByTask == [Int](repeating: 1, count: 104))
            let shown = rows.tasks.prefix(4)
            #expect(shown.allSatisfy { $0.outSnippet == "'\($0.node) \($0.node) me\\n'" }, "\(shown)")
            #expect(Set(shown.map(\.node)) == ["sge1", "sge2", "sge3"])
            #expect(try box.text(of: "run_driver.log").contains("(sge): PE_HOSTFILE is set"))
        }
    }

    @Test func whatAJobHasNoTimeForIsLeftToALaterRun() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: "sleep 0.2\n", count: 200))
            let options = ["-l", "h_rt=20"]
            let result = try submit(options, ["--margin", "16s", "-p", "run", "tasks.txt"], in: box).wait(within: 60)
            let said = try box.text(of: "job.out")
            #expect(result.status == 4, "\(result.output)\(result.error)\(said)")
            #expect(said.contains(" s: no new task starts in it"))
            #expect((1...40).contains(box.rows().count), "\(said)")
        }
    }

    @Test func aJobBringsItsHostsToARun() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: "echo $(hostname); sleep 0.1\n", count: 12))
            // The hosts have a network of their own, where the driver must be too.
            let driver = try box.start(
                [BuildDirectory.path + "/disbatch", "-S", "-p", "run", "tasks.txt"],
                program: GridEngineCluster.shared().launcher)
            try box.waitForFile("run_dbUtil.sh")
            let job = try box.start(
                ["qsub", "-sync", "y", "-V", "-cwd", "-j", "y", "-o", box.at("job.out"), "-pe", "mpi", "3"]
                    + [box.at("run_dbUtil.sh")],
                program: GridEngineCluster.shared().launcher)
            #expect(try driver.wait(within: 90).status == 0, "\(driver.error)")
            let ended = try job.wait(within: 60)
            let said = try box.text(of: "job.out")
            #expect(ended.status == 0, "\(ended.error)\(said)")
            #expect(box.rows().countsByTask == [Int](repeating: 1, count: 12))
            for row in box.rows() { #expect(row.outSnippet == "'\(row.node)\\n'") }
        }
    }

    @Test func withoutAParallelEnvironmentThereIsOneSlot() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo $(hostname)\necho $DISBATCH_CYLINDER_RANK\n")
            try run([], ["-p", "run", "tasks.txt"], in: box)
            let rows = box.rows().tasks
            try #require(rows.count == 2)
            #expect(rows[0].outSnippet == "'\(rows[0].node)\\n'" && rows[0].node.hasPrefix("sge"))
            #expect(try box.query("SELECT slots FROM engine") == [["1"]])
            #expect(try box.text(of: "run_driver.log").contains("JOB_ID and SGE_ROOT are set"))
        }
    }

    @Test func membersOfAnArrayAreRunsOfTheirOwn() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo $SGE_TASK_ID\n")
            try run(["-t", "1-3"], ["tasks.txt"], in: box)
            let files = try box.files().filter { $0.hasSuffix("_status.txt") }
            let shown = try files.flatMap { StatusLine.parse(try box.text(of: $0)) }.map(\.outSnippet)
            #expect(shown.sorted() == ["'1\\n'", "'2\\n'", "'3\\n'"])
            for member in 1...3 { #expect(try box.files().contains { $0.hasSuffix(".\(member).context.log") }) }
        }
    }

    @Test func aLauncherThatIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(6, withDaemons: false)
            let job = try submit(["-pe", "mpi", "3"], ["-p", "run", "--lease", "2s", "tasks.txt"], in: box)
            try box.wait(for: "three held tasks") { box.attempts() == 3 }
            let launcher = box.processes().first { $0.commandLine.contains("qrsh -inherit") }
            kill(try #require(launcher).pid, SIGKILL)
            try box.wait(for: "the driver to see it") {
                try box.text(of: "run_driver.log").contains("killed by SIGKILL")
            }
            try box.open()
            // Grid Engine may end the whole job for it ("parallel task failed - killing job").
            _ = try job.wait(within: 60)
            try run(["-pe", "mpi", "3"], ["-p", "run", "-r", "run_status.txt", "tasks.txt"], in: box)
            #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
            #expect(!box.exists("overlaps"), "no two attempts may live at once")
        }
    }
}
