import TestSupport
import Testing

@testable import EndToEndSupport

/// What a task finds: variables, descriptors, signals, directory, cores.
@Suite(.blocking) struct TaskEnvironmentTests {
    @Test func theRestOfTheEnvironmentIsTheDriversOwn() throws {
        try Sandbox.with { box in
            let odd = [
                "EMPTY": "", "ODD": "a=b  c\n'\"\\", "BASH_FUNC_greet%%": "() {  echo hi\n}", "PYTHONPATH": "/x",
            ]
            let result = try box.runTasks("env -0 > env.out\n", environment: odd)
            #expect(result.status == 0, "\(result.error)")
            var found = try box.variables(in: "env.out")
            for name in ["_", "SHLVL", "PWD", "OLDPWD"] { found[name] = nil }
            found = found.filter { !$0.key.hasPrefix("DISBATCH_") }
            let own = Sandbox.variables(Array(box.plainEnvironment(odd).joined(separator: "\0").utf8))
            #expect(found == own.filter { !$0.key.hasPrefix("DISBATCH_") })
        }
    }

    @Test func eachTaskKnowsWhichItIs() throws {
        try Sandbox.with { box in
            try box.write(
                "list.tasks", "#\n#DISBATCH REPEAT 2 start 7 step 3 env -0 > $DISBATCH_TASKID.env\nenv -0 > 2.env\n")
            let result = try box.run(["-s", "localhost:3", "-c", "1.5", "-p", "some/../run", "list.tasks"])
            #expect(result.status == 2, "a directory that does not exist is no place for files")
            try box.run(["-s", "localhost:6", "-t", "2", "-p", "run", "list.tasks"])
            let (first, second, third) = (
                try box.variables(in: "0.env"), try box.variables(in: "1.env"), try box.variables(in: "2.env")
            )
            #expect(first["DISBATCH_JOBID"] == "run")
            #expect(first["DISBATCH_NAMETASKS"] == "list.tasks")
            #expect(first["DISBATCH_TASKID"] == "0" && second["DISBATCH_TASKID"] == "1")
            #expect(second["DISBATCH_TASKID_ZP"] == "000001")
            #expect(first["DISBATCH_STREAM_INDEX"] == "2" && second["DISBATCH_STREAM_INDEX"] == "2")
            #expect(third["DISBATCH_STREAM_INDEX_ZP"] == "000003")
            #expect(first["DISBATCH_REPEAT_INDEX"] == "7" && second["DISBATCH_REPEAT_INDEX"] == "10")
            #expect(first["DISBATCH_REPEAT_INDEX_ZP"] == "000007")
            #expect(third["DISBATCH_REPEAT_INDEX"] == "-1" && third["DISBATCH_REPEAT_INDEX_ZP"] == "-00001")
            #expect(first["DISBATCH_CORES_PER_TASK"] == "3")
            #expect(first["DISBATCH_ENGINE_RANK"] == "0")
            #expect(["0", "1"].contains(first["DISBATCH_CYLINDER_RANK"]))
        }
    }

    @Test func aRunWithinARunDoesNotInheritWhoItIs() throws {
        try Sandbox.with { box in
            try box.write("inner.txt", "env -0 > inner.env\n")
            let program = BuildDirectory.path + "/disbatch"
            try box.runTasks("true\n\(program) -s localhost:1 -p inner inner.txt\n")
            let found = try box.variables(in: "inner.env")
            #expect(found["DISBATCH_JOBID"] == "inner")
            #expect(found["DISBATCH_TASKID"] == "0")
        }
    }

    @Test func envSetsAVariableOrPassesOneOn() throws {
        try Sandbox.with { box in
            try box.runTasks(
                "env -0 > env.out\n", ["--env", "NEW=a=b c", "--env", "HOME=/elsewhere", "--env", "GIVEN"],
                environment: ["GIVEN": "on"])
            let found = try box.variables(in: "env.out")
            #expect(found["NEW"] == "a=b c")
            #expect(found["HOME"] == "/elsewhere")
            #expect(found["GIVEN"] == "on")
        }
    }

    /// Two tasks that wait for each other, so that both slots are in use.
    private let pair = "echo > meet; OUT\nread < meet; OUT\n"

    @Test func slotsShareOutTheValuesOfAVariable() throws {
        try Sandbox.with { box in
            try box.makeFIFO("meet")
            let line = "echo $DISBATCH_CYLINDER_RANK $CUDA_VISIBLE_DEVICES $GPU_DEVICE_ORDINAL $NAMES >> out"
            try box.runTasks(
                pair.replacing("OUT", with: line), ["-g", "-E", "NAMES"],
                environment: ["CUDA_VISIBLE_DEVICES": "3,7", "GPU_DEVICE_ORDINAL": "0,1", "NAMES": "x,y,z"])
            #expect(try box.lines(of: "out").sorted() == ["0 3 0 x", "1 7 1 y"])
        }
    }

    @Test func fewerValuesGiveFewerSlots() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("echo $V\necho $V\n", ["-E", "V"], slots: 3, environment: ["V": "one"])
            #expect(result.error.contains("1 slots, not 3"))
            #expect(box.rows().map(\.outSnippet) == ["'one\\n'", "'one\\n'"])
            #expect(try box.query("SELECT slots FROM engine") == [["1"]])
        }
    }

    /// As under disBatch: slots then share what there is, and the user is told.
    @Test func aVariableThatIsNotSetIsAWarning() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("echo a${NOT_SET_HERE}b\n", ["-E", "NOT_SET_HERE"], slots: 2)
            #expect(result.status == 0 && result.error.contains("-E: NOT_SET_HERE is not set on this node"))
            #expect(box.rows().map(\.outSnippet) == ["'ab\\n'"])
        }
    }

    @Test func severalVariablesInOneOption() throws {
        try Sandbox.with { box in
            let result = try box.runTasks(
                "echo $A$B\n", ["-E", "A,B"], slots: 1, environment: ["A": "1,2", "B": "x,y"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.outSnippet) == ["'1x\\n'"])
        }
    }

    @Test func oneOfTheTwoGPUVariablesIsEnough() throws {
        try Sandbox.with { box in
            let result = try box.runTasks(
                "echo $CUDA_VISIBLE_DEVICES\n", ["-g"], slots: 1, environment: ["CUDA_VISIBLE_DEVICES": "5,6"])
            #expect(result.status == 0)
            #expect(result.error.contains("warning") && result.error.contains("GPU_DEVICE_ORDINAL is not set"))
            #expect(box.rows().first?.outSnippet == "'5\\n'")
            let none = try box.runTasks("true\n", ["-g"], prefix: "none")
            #expect(none.status == 0 && none.error.contains("CUDA_VISIBLE_DEVICES is not set"))
        }
    }

    @Test func boundSlotsHaveCoresOfTheirOwn() throws {
        let output = "echo $(nproc) $(grep Cpus_allowed_list /proc/self/status) >> out"
        try Sandbox.with { box in
            let cores = Int(try box.run([], program: "/usr/bin/nproc").output.trimmed) ?? 1
            try #require(cores >= 2, "two cores are needed")
            try box.makeFIFO("meet")
            try box.runTasks(pair.replacing("OUT", with: output), ["--bind", "cores"])
            let lines = try box.lines(of: "out")
            #expect(lines.count == 2 && Set(lines).count == 2, "two slots, two different cores: \(lines)")
            #expect(lines.allSatisfy { $0.hasPrefix("1 ") })
            try box.runTasks("nproc\n", prefix: "free")
            #expect(box.rows("free").first?.outSnippet == "'\(cores)\\n'")
        }
    }

    @Test func standardInputIsEmptyAndDescriptorsAreNotOurs() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "ls -l /proc/self/fd\nls -l /proc/self/fd | cat\ncat; echo end\n")
            // The driver itself is given descriptors that its tasks must not get.
            let program = BuildDirectory.path + "/disbatch"
            let line = "exec 7<tasks.txt 9>nine; exec \(program) -s localhost:2 -p run --capture cap tasks.txt"
            let result = try box.run(["-c", line], program: "/bin/bash", input: .text("not for tasks\n"))
            #expect(result.status == 0, "\(result.error)")
            for id in 0...1 {
                let links = try box.lines(of: "cap/000/\(id).out").filter { $0.contains("->") }
                #expect(links.count == 4, "0, 1, 2 and the directory that ls reads: \(links)")
                #expect(links.contains { $0.contains(" 0 -> /dev/null") })
            }
            #expect(box.rows().of(task: 2)?.outSnippet == "'end\\n'")
        }
    }

    @Test func eachTaskIsASessionWithDefaultSignals() throws {
        try Sandbox.with { box in
            let text =
                "cut -d\" \" -f1,6 /proc/self/stat\ngrep -E Sig[BI] /proc/self/status\ngrep SigBlk /proc/self/status\n"
            try box.write("tasks.txt", text)
            let program = BuildDirectory.path + "/disbatch"
            let line = "trap '' HUP USR2 PIPE; exec \(program) -s localhost:2 -p run --capture cap tasks.txt"
            try box.run(["-c", line], program: "/bin/bash")
            let ids = try box.text(of: "cap/000/0.out").trimmed.split(separator: " ")
            #expect(ids.count == 2 && ids.first == ids.last, "a session of its own: \(ids)")
            let masks = try box.lines(of: "cap/000/1.out") + box.lines(of: "cap/000/2.out")
            #expect(masks.count == 3)
            // glibc's posix_spawn leaves signal 32, its own, ignored in what this test starts.
            let bits = masks.map { Int($0.suffix(16), radix: 16) ?? -1 }
            #expect(bits.allSatisfy { $0 & ~(1 << 31) == 0 }, "\(masks)")
        }
    }

    @Test func theWorkingDirectoryIsTheDrivers() throws {
        try Sandbox.with { box in
            try box.makeDirectory("with blank ü")
            try box.write("with blank ü/tasks.txt", "/bin/pwd\npwd\n")
            let program = BuildDirectory.path + "/disbatch"
            let line = "cd 'with blank ü'; exec \(program) -s localhost:1 -p run tasks.txt"
            let result = try box.run(["-c", line], program: "/bin/bash")
            #expect(result.status == 0, "\(result.error)")
            let length = box.at("with blank ü").utf8.count + 1
            #expect(box.rows("with blank ü/run").map(\.outBytes) == [length, length])
        }
    }
}
