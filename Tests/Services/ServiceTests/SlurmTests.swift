import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Runs in allocations of a real Slurm.
@Suite(.blocking, .serialized) struct SlurmTests {
    /// Submits a job, to which `arguments` belong, and waits for its end.
    private func submit(_ arguments: [String], in box: Sandbox) throws {
        let result = try box.run(
            ["-W", "-o", box.at("job-%a.out")] + arguments, program: "/usr/bin/sbatch",
            environment: SlurmJobs.environment(box))
        #expect(result.status == 0, "\(result.error)\((try? box.text(of: "job-4294967294.out")) ?? "")")
    }

    @Test func tasksRunOnEveryNodeOfAnAllocation() throws {
        try Sandbox.with { box in
            // Each of the first four holds its slot until all are there, two to a node.
            let together = "touch here.$DISBATCH_TASKID; until [ $(ls here.* | wc -l) = 4 ]; do sleep 0.01; done; "
            let show = "echo $(nproc) $(hostname) $HOSTNAME $SLURMD_NODENAME $CALLER $DISBATCH_CORES_PER_TASK; pwd -P\n"
            let text = String(repeating: together + show, count: 4) + String(repeating: "true\n", count: 100)
            let result = try SlurmJobs.run(text, ["-n", "4", "-N", "2", "-w", "node2,node3"], in: box)
            #expect(result.status == 0, "\(result.error)")
            let rows = box.rows()
            #expect(rows.countsByTask == [Int](repeating: 1, count: 104))
            #expect(rows.allSatisfy { $0.returnCode == 0 })
            let log = try box.text(of: "run_driver.log")
            for node in ["node2", "node3"] {
                let shown = rows.tasks.prefix(4).filter { $0.node == node }.map(\.outSnippet)
                let host = Rights.isRoot ? node : ProcessInfo.processInfo.hostName
                let line = "'1 \(host) \(node) \(node) me 1\\n"
                #expect(shown.count == 2 && shown.allSatisfy { $0.hasPrefix(line) }, "\(shown)\n\(log)")
            }
            #expect(try box.text(of: "run_driver.log").contains("(slurm): SLURM_JOB_ID is set"))
            #expect(try box.files().contains { $0.hasPrefix("run_J") && $0.hasSuffix("_node2_engine_0.log") })
        }
    }

    @Test func aRunThatFailedInOrderLeavesNoGuardToAnother() throws {
        try Sandbox.with { box in
            let result = try SlurmJobs.run("false\n", ["-n", "2", "-N", "2"], ["-e"], in: box)
            #expect(result.status == 1, "\(result.error)")
            #expect(!box.exists("run_alive"))
        }
    }

    @Test func aBatchJobOfTheInstalledProgram() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", String(repeating: "srun -n 2 sh -c 'echo $CALLER'\n", count: 3))
            try submit(["-n", "4", "disbatch", "-p", "run", "tasks.txt"], in: box)
            let rows = box.rows()
            #expect(rows.countsByTask == [1, 1, 1])
            #expect(rows.allSatisfy { $0.outSnippet == "'me\\nme\\n'" }, "steps within tasks: \(rows)")
            #expect(Set(rows.map(\.node)).isSubset(of: ["node1", "node2", "node3", "node4"]))
        }
    }

    @Test func membersOfAnArrayAreRunsOfTheirOwn() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo $SLURM_ARRAY_TASK_ID\n")
            try submit(["-a", "1-3", "-n", "1", "disbatch", "tasks.txt"], in: box)
            let files = try box.files().filter { $0.hasSuffix("_status.txt") }
            let shown = try files.flatMap { StatusLine.parse(try box.text(of: $0)) }.map(\.outSnippet)
            #expect(shown.sorted() == ["'1\\n'", "'2\\n'", "'3\\n'"])
        }
    }

    @Test(
        arguments: [
            (["-n", "2", "-N", "1"], ["-c", "2"], "2 2 1"),
            (["-n", "1", "-N", "1", "--exclusive"], ["--fill"], "1 1 2"),
            (["-n", "1", "-c", "2"], [], "2 2 1"), (["-n", "2", "-N", "1"], ["-t", "3"], "2 1 3"),
            (["-n", "2", "-N", "1"], ["-c", "0.5", "--fill"], "2 1 4"),
            (["-n", "2", "-N", "1"], ["--bind", "none"], "2 1 2"),
        ] as [([String], [String], String)])
    func slots(allocation: [String], options: [String], shown: String) throws {
        try Sandbox.with { box in
            let result = try SlurmJobs.run("echo $(nproc) $DISBATCH_CORES_PER_TASK\n", allocation, options, in: box)
            #expect(result.status == 0, "\(result.error)")
            let slots = try box.query("SELECT slots FROM engine").first?.first ?? ""
            #expect((box.rows().first?.outSnippet ?? "") + slots == "'\(shown.dropLast(2))\\n'\(shown.suffix(1))")
        }
    }

    @Test func allComponentsOfAHeterogeneousJobAreUsed() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3, withDaemons: false)
            let job = try SlurmJobs.start(nil, ["-n", "1", ":", "-n", "2", "-N", "1"], in: box)
            try box.wait(for: "a task on each core") { box.attempts() == 3 }
            try box.open()
            let result = try job.wait(within: 60)
            #expect(result.status == 0, "\(result.error)")
            #expect(Set(box.rows().map(\.node)).count == 2)
        }
    }

    @Test func asStepsOfAJob() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            func run(_ count: Int) throws -> ProgramResult {
                try box.run(
                    ["-Q", "-n", "2", "-N", "2", "srun", "-n", "\(count)", "disbatch", "-p", "run", "tasks.txt"],
                    program: "/usr/bin/salloc", environment: SlurmJobs.environment(box))
            }
            let several = try run(2)
            #expect(several.status == 2)
            #expect(several.error.contains("srun started 2 of these, and each would run all tasks: nothing was run"))
            #expect(try !box.files().contains("run_status.txt"))
            let one = try run(1)
            #expect(one.status == 0, "\(one.error)")
            #expect(one.error.contains("this is a step of one task, on node"), "\(one.error)")
        }
    }

    /// What one run has nothing left for, another is still at work on.
    @Test func twoRunsInOneAllocation() throws {
        try Sandbox.with { box in
            try box.write("quick", "true\nuntil grep -q 'gave back' other_driver.log; do sleep 0.05; done\n")
            try box.writeHeldTasks(6, withDaemons: false)
            let job = try box.start(
                [
                    "-Q", "-n", "6", "-N", "3", "bash", "-c",
                    "disbatch -p run tasks.txt & until [ -e attempts.5 ]; do sleep 0.05; done; "
                        + "disbatch -t 1 -p other quick; touch over; wait %1",
                ], program: "/usr/bin/salloc", environment: SlurmJobs.environment(box))
            try box.wait(for: "six held tasks") { box.attempts() == 6 }
            try box.wait(for: "the end of the other run") { box.exists("over") }
            try box.open()
            let result = try job.wait(within: 60)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.returnCode) == Array(repeating: 0, count: 6), "\(result.error)")
            #expect(!result.error.contains("trying again"), "\(result.error)")
        }
    }

    /// Allocations that have more of one node than of another: each core has its slot, and each slot its core.
    @Test(arguments: [3, 5])
    func unevenAllocations(cores: Int) throws {
        try Sandbox.with { box in
            let options = ["-n", "\(cores)", "-N", "\(cores / 2 + 1)"]
            try box.writeHeldTasks(cores, withDaemons: false)
            let job = try SlurmJobs.start(nil, options, in: box)
            try box.wait(for: "a task on each core") { box.attempts() == cores }
            try box.open()
            let result = try job.wait(within: 60)
            #expect(result.status == 0, "\(result.error)")
            #expect(!result.error.contains("warning"), "\(result.error)")
            let slots = try box.query("SELECT slots FROM engine ORDER BY slots").compactMap(\.first)
            #expect(slots == ["1"] + Array(repeating: "2", count: cores / 2))
        }
    }

    @Test func gpusOfTheWholeJobOnUnevenNodes() throws {
        try Sandbox.with { box in
            let text = String(repeating: "echo $CUDA_VISIBLE_DEVICES; sleep 0.05\n", count: 20)
            let result = try SlurmJobs.run(text, ["-n", "3", "-N", "2", "--gpus=3"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(!result.error.contains("warning"), "\(result.error)")
            #expect(Set(box.rows().map(\.outSnippet)).isSubset(of: ["'0\\n'", "'1\\n'", "'0,1\\n'"]))
        }
    }

    @Test(arguments: [["--gpus-per-task=1"], ["--gres=gpu:2"], ["--gpus-per-node=2"], ["--gpus=4"]])
    func slotsShareTheGraphics(request: [String]) throws {
        try Sandbox.with { box in
            let text = String(repeating: "echo $DISBATCH_CYLINDER_RANK$CUDA_VISIBLE_DEVICES; sleep 0.05\n", count: 20)
            let result = try SlurmJobs.run(text, ["-n", "4", "-N", "2"] + request, in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(Set(box.rows().map(\.outSnippet)) == ["'00\\n'", "'11\\n'"])
        }
    }

    /// These ends are the tasks' own: nobody has signalled their engine.
    @Test func tasksThatKillThemselves() throws {
        try Sandbox.with { box in
            let result = try SlurmJobs.run("kill $$\nkill -9 $$\nexit 143\n", ["-n", "1"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [-15, -9, 143])
        }
    }

    @Test func withoutWhatSlurmSetsNothingIsRun() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let result = try box.run(["-p", "run", "tasks.txt"], environment: ["SLURM_JOB_ID": "1"])
            #expect(result.status == 2)
            #expect(result.error.contains("SLURM_NODELIST is not set, as Slurm has it in a job: nothing was run."))
            let complete = [
                "SLURM_JOB_ID": "1", "SLURM_NODELIST": "node1", "SLURM_JOB_CPUS_PER_NODE": "1",
                "SLURM_TASKS_PER_NODE": "1", "PATH": box.work,
            ]
            let without = try box.run(["-p", "run", "tasks.txt"], environment: complete.mapValues { $0 })
            #expect(without.status == 2)
            #expect(without.error.contains("srun is not on PATH: Slurm can't start engines; nothing was run"))
            #expect(try box.files() == ["tasks.txt"])
        }
    }

    @Test func aJobThatIsNoMoreIsSaidAtOnce() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let variables: [String: String?] = [
                "SLURM_JOB_ID": "4000000", "SLURM_NODELIST": "node1", "SLURM_JOB_CPUS_PER_NODE": "1",
                "SLURM_TASKS_PER_NODE": "1",
            ]
            let environment = try SlurmJobs.environment(box).merging(variables) { $1 }
            let result = try box.run(["-p", "run", "tasks.txt"], environment: environment)
            #expect(result.status == 3)
            #expect(result.error.contains("Expired or invalid job 4000000"), "\(result.error)")
            #expect(!result.error.contains("trying again"))
        }
    }

    @Test func anEngineThatIsMissingOnANodeIsSaidAtOnce() throws {
        try Sandbox.with { box in
            try box.makeDirectory("away")
            try box.run(["\(BuildDirectory.path)/disbatch", "away/disbatch"], program: "/bin/cp")
            try box.write("tasks.txt", "true\n")
            let result = try box.run(
                ["-Q", "-n", "1", box.at("away/disbatch"), "-p", "run", "tasks.txt"], program: "/usr/bin/salloc",
                environment: SlurmJobs.environment(box), within: 20)
            #expect(result.status == 3)
            #expect(result.error.contains("execve(): \(box.work)/away/disbatch-engine: No such file or directory"))
        }
    }

    // MARK: Giving back

    /// Two short tasks and a long one in a job of three nodes, on whose first the driver runs; and what is left of the
    /// job while the long one runs on `node`.
    private func nodes(withLongOn node: String, _ options: [String], in box: Sandbox) throws -> [String] {
        let each = "touch on.$SLURMD_NODENAME; until [ -e on.node2 -a -e on.node3 -a -e on.node4 ]; do sleep 0.01; done"
        let long = "[ $SLURMD_NODENAME != \(node) ] || until [ -e go ]; do sleep 0.01; done"
        try box.write("tasks.txt", String(repeating: "\(each); \(long)\n", count: 3))
        let submitted = try box.run(
            ["--parsable", "-o", box.at("job.out"), "-n", "3", "-N", "3", "-w", "node[2-4]", "disbatch", "-p", "run"]
                + options + ["tasks.txt"],
            program: "/usr/bin/sbatch", environment: SlurmJobs.environment(box))
        let job = submitted.output.trimmed
        let cluster = try SlurmCluster.shared()
        try box.wait(for: "word of nodes given back") {
            (try? box.text(of: "run_driver.log"))?.contains("INFO     gave back ") == true
        }
        let left = try cluster.run(["squeue", "-h", "-j", job, "-o", "%N"]).text.trimmed
        try box.write("go", "")
        try box.wait(for: "the end of the job") {
            (try? cluster.run(["squeue", "-h", "-j", job, "-o", "%T"]).text.trimmed) ?? "" == ""
        }
        #expect(box.rows().countsByTask == [1, 1, 1])
        #expect(box.rows().allSatisfy { $0.returnCode == 0 })
        #expect(try box.files().filter { $0.contains("resize") } == [])
        return try cluster.run(["scontrol", "show", "hostnames", left]).text.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [("node2", ["node2"]), ("node4", ["node2", "node4"])])
    func nodesAreGivenBack(long: String, left: [String]) throws {
        try Sandbox.with { box in
            let found = try nodes(withLongOn: long, [], in: box)
            #expect(found == left)
        }
    }

    @Test func aCommandGivesNodesBack() throws {
        try Sandbox.with { box in
            let command = "echo $NODES $RETCODES $ACTIVE $RETIRED $DRIVER_NODE >retired"
            let left = try nodes(withLongOn: "node2", ["-k", command], in: box)
            #expect(left == ["node2", "node3", "node4"])
            let lines = try box.lines(of: "retired")
            let given = ["node3,node4 0,0 node2 node3,node4", "node4,node3 0,0 node2 node3,node4"]
            #expect(lines.count == 1 && given.contains(lines[0].trimmed), "\(lines)")
        }
    }

    // MARK: Losses

    @Test func aLauncherThatIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(6, withDaemons: false)
            let driver = try SlurmJobs.start(nil, ["-n", "2", "-N", "2"], ["--lease", "2s"], in: box)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            let launchers = box.processes().filter { $0.commandLine.contains("--unbuffered") }
            // srun has a process beside it that it tells of signals.
            let pids = Set(launchers.map(\.pid))
            let outer = launchers.first { !pids.contains($0.parent) }
            kill(try #require(outer).pid, SIGKILL)
            try box.wait(for: "the end of the task behind it") {
                box.processes().count { $0.commandLine.contains("./held") } < 2 || box.attempts() > 2
            }
            try box.open()
            let result = try driver.wait(within: 60)
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("killed by SIGKILL; trying again in 1 s"))
            #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
            #expect(!box.exists("overlaps"), "no two attempts may live at once")
        }
    }

    /// With a lease of five minutes only Slurm's word can tell so soon that the tasks are gone.
    @Test(arguments: ["kill", "scancel"])
    func aStepThatIsLost(how: String) throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(6, withDaemons: false)
            let driver = try SlurmJobs.start(nil, ["-n", "2", "-N", "2"], in: box)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            let launchers = box.processes().filter { $0.commandLine.contains("--unbuffered") }
            let pids = Set(launchers.map(\.pid))
            let found = launchers.first { !pids.contains($0.parent) }
            let outer = try #require(found)
            if how == "kill" {
                kill(outer.pid, SIGKILL)
            } else {
                let words = outer.commandLine.split(separator: " ")
                let named = words.last { $0.hasPrefix("disbatch-") && !$0.hasSuffix("engine") }
                let name = try #require(named)
                let steps = try SlurmCluster.shared().run(["squeue", "-h", "-s", "-o", "%i %j"]).text
                let step = steps.split(separator: "\n").first { $0.hasSuffix(" \(name)") }?.split(separator: " ").first
                _ = try SlurmCluster.shared().run(["scancel", String(try #require(step))])
            }
            try box.wait(for: "the lost task, elsewhere or again") { box.attempts() == 3 }
            try box.open()
            let result = try driver.wait(within: 60)
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.text(of: "run_driver.log").contains("its step is gone, says Slurm"))
            #expect(box.rows().countsByTask == [1, 1, 1, 1, 1, 1])
            #expect(box.rows().allSatisfy { $0.returnCode == 0 }, "what Slurm killed is no result: \(box.rows())")
            #expect(!box.exists("overlaps"), "no two attempts may live at once")
        }
    }

    @Test func aJobThatIsCancelled() throws {
        try Sandbox.with { box in
            // No daemons: whether Slurm finds those depends on how it tracks processes.
            try box.writeHeldTasks(4, withDaemons: false)
            let held = try box.text(of: "tasks.txt")
            try box.write("tasks.txt", "echo done\n" + held)
            let submitted = try box.run(
                ["--parsable", "-o", box.at("job.out"), "-n", "4", "disbatch", "-p", "run", "tasks.txt"],
                program: "/usr/bin/sbatch", environment: SlurmJobs.environment(box))
            let job = submitted.output.trimmed
            try box.wait(for: "held tasks") { box.attempts() >= 4 }
            try box.waitForRow("the first task's") { $0.id == 0 }
            _ = try SlurmCluster.shared().run(["scancel", job])
            try box.waitUntilAllIsGone(within: 30)
            #expect(box.rows().first?.outSnippet == "'done\\n'")
            #expect(box.rows().allSatisfy { $0.id == 0 || $0.returnCode < 0 }, "\(box.rows())")
        }
    }

    /// The driver is none of the job's: salloc runs it where it was called.
    @Test func aJobThatIsCancelledUnderItsDriver() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(4, withDaemons: false)
            let driver = try SlurmJobs.start(nil, ["-n", "2", "-N", "2", "-J", "under"], in: box)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            _ = try SlurmCluster.shared().run(["scancel", "-n", "under"])
            let result = try driver.wait(within: 20)
            // Or 3, where Slurm has killed an engine before it could tell of its SIGTERM.
            #expect([3, 4].contains(result.status), "\(result.error)")
            #expect(result.error.contains("to run the rest: disbatch -r "))
            #expect(box.rows().isEmpty, "\(box.rows())")
        }
    }

    @Test func aDriverThatIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(4)
            let salloc = try SlurmJobs.start(nil, ["-n", "2", "-N", "2"], ["--lease", "2s"], in: box)
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            let driver = LiveProcess.all().first { $0.parent == salloc.pid }
            kill(try #require(driver).pid, SIGKILL)
            try salloc.wait(within: 30)
            try box.waitUntilAllIsGone(within: 30)
            try box.open()
            let again = try SlurmJobs.start(nil, ["-n", "2", "-N", "2"], ["-r", "run_status.txt"], in: box).wait(
                within: 60)
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows().countsByTask == [1, 1, 1, 1])
            #expect(!box.exists("overlaps"))
        }
    }
}
