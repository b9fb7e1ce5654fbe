import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Tasks' files: sent to hosts before the first task, brought home after one.
@Suite(.blocking) struct StagingTests {
    /// Gives `body` a sandbox and a host whose sessions see nothing of it, as if it were another machine's.
    static func withHostElsewhere(_ body: (Sandbox, SSHHosts) throws -> Void) throws {
        try Sandbox.with { box in
            let hidden = "mount -t tmpfs none \(box.work) && exec /bin/sh \"$@\""
            let program = "#!/bin/sh\nexec unshare -m /bin/sh -c '\(hidden)' sh \"$@\"\n"
            let shell = try box.at(box.writeProgram("elsewhere", program))
            try SSHHosts.with([SSHHostPlan("nodeA", shell: shell)]) { try body(box, $0) }
        }
    }

    /// Runs task lines on nodeA, in a directory below its home.
    static func runAway(
        _ text: String, _ arguments: [String], in box: Sandbox, _ hosts: SSHHosts, prefix: String = "run"
    ) throws -> ProgramResult {
        try box.write("tasks.txt", text)
        let away = try hosts.home(of: "nodeA") + "/away"
        return try box.run(
            ["-p", prefix, "-s", "nodeA:2", "--workdir", away] + arguments + ["tasks.txt"],
            environment: ["PATH": hosts.searchPath])
    }

    // MARK: Directories

    @Test func eachTaskHasADirectoryOfItsOwn() throws {
        try Sandbox.with { box in
            let text = "#DISBATCH REPEAT 3 pwd -P; echo $DISBATCH_TASK_DIR; ls -A; touch file\n"
            let result = try box.runTasks(text, ["--task-dir"], slots: 2)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.returnCode) == [0, 0, 0])
            for id in 0..<3 { #expect(box.exists("run_tasks/000/\(id)/file")) }
            let row = try #require(box.rows().first { $0.id == 1 })
            let directory = "\(box.work)/run_tasks/000/1"
            #expect(row.outBytes == 2 * (directory.utf8.count + 1), "both name its directory, which is empty")
        }
    }

    @Test func anotherAttemptHasANewDirectory() throws {
        try Sandbox.with { box in
            let text = "ls -A; touch file; test $(basename $PWD) = 0.3\n"
            let result = try box.runTasks(text, ["--task-dir", "--retries", "2"])
            #expect(result.status == 0)
            #expect(box.rows().map(\.outBytes) == [0])
            #expect(box.rows().map(\.returnCode) == [0])
            for name in ["0", "0.2", "0.3"] { #expect(box.exists("run_tasks/000/\(name)/file")) }
        }
    }

    @Test func aDirectoryThatCannotBeMadeFailsTheTask() throws {
        try Sandbox.with { box in
            try box.write("run_tasks", "a file in its place")
            let result = try box.runTasks("true\n", ["--task-dir"])
            #expect(result.status == 0)
            #expect(box.rows().map(\.returnCode) == [126])
            #expect(box.rows().first?.errSnippet.contains("make the task's") == true)
        }
    }

    // MARK: In

    @Test(.enabled(if: Rights.canMount)) func filesAreThereBeforeTheFirstTask() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("one.txt", "one\n")
            try box.write("empty", "")
            try box.makeDirectory("data/deep/none")
            try box.write("data/deep/a b", String(repeating: "0123456789", count: 100_000))
            try box.run(["-s", "deep/a b", box.at("data/link")], program: "/bin/ln")
            try box.run(["-s", "nowhere", box.at("data/dangling")], program: "/bin/ln")
            try box.run(["700", box.at("one.txt")], program: "/bin/chmod")
            let arguments = ["--stage-in", "one.txt", "--stage-in", "data/", "--stage-in", "empty:else/where"]
            let text = """
                cat one.txt; stat -c %a one.txt; test -f else/where && ls data data/deep | tr '\\n' ' '
                cksum <"data/deep/a b"; cksum <data/link; test ! -h data/link

                """
            let result = try Self.runAway(text, arguments, in: box, hosts)
            #expect(result.status == 0, "\(result.error)")
            let rows = box.rows().sorted { $0.id < $1.id }
            #expect(rows.map(\.returnCode) == [0, 0])
            #expect(rows.first?.outSnippet == "'one\\n700\\ndata: deep link  data/deep: a b ...none '")
            let sum = try box.run(["-c", "cksum <'data/deep/a b'"], program: "/bin/sh").output
            #expect(rows.last?.outSnippet == "'\((sum + sum).replacingOccurrences(of: "\n", with: "\\n"))'")

            // Changed since: one file; the others are not sent again.
            try box.write("one.txt", "two!\n")
            let again = try Self.runAway("cat one.txt\n", arguments, in: box, hosts, prefix: "again")
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows("again").map(\.outSnippet) == ["'two!\\n'"])
            let log = try String(contentsOfFile: box.at("again_driver.log"), encoding: .utf8)
            #expect(log.contains("lacks 1 files of --stage-in, 5 bytes"))
            let away = try hosts.home(of: "nodeA") + "/away"
            let left = try box.run([away, "-name", ".disbatch-*"], program: "/usr/bin/find").output
            #expect(left.isEmpty, "no temporary file is left")
        }
    }

    /// From a directory of its own, a task finds them by a variable.
    @Test(.enabled(if: Rights.canMount)) func tasksFindTheFiles() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("data", "x\n")
            for text in ["cat \"$DISBATCH_WORKDIR/data\"; echo $DISBATCH_WORKDIR\n"] {
                let result = try Self.runAway(text, ["--stage-in", "data", "--task-dir"], in: box, hosts)
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().map(\.returnCode) == [0])
            }
            let here = try box.runTasks("test $DISBATCH_WORKDIR = $PWD\n", prefix: "here")
            #expect(here.status == 0)
            #expect(box.rows("here").map(\.returnCode) == [0])
        }
    }

    @Test func nothingIsSentOntoItself() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                try box.write("one.txt", "one\n")
                try box.write("tasks.txt", "cat one.txt\n")
                let before = try FileManager.default.attributesOfItem(atPath: box.at("one.txt"))
                let result = try box.run(
                    ["-p", "run", "-s", "nodeA:1,localhost:1", "--stage-in", "one.txt", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath])
                #expect(result.status == 0, "\(result.error)")
                #expect(box.rows().map(\.outSnippet) == ["'one\\n'"])
                let after = try FileManager.default.attributesOfItem(atPath: box.at("one.txt"))
                #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
                let log = try String(contentsOfFile: box.at("run_driver.log"), encoding: .utf8)
                #expect(!log.contains("lacks 1 files"))
            }
        }
    }

    @Test func aMissingFileIsSaidBeforeAnythingIsRun() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("touch ran\n", ["--stage-in", "none"])
            #expect(result.status == 2)
            #expect(result.error.contains("--stage-in none: read \(box.work)/none: No such file or directory"))
            #expect(!box.exists("run_status.txt") && !box.exists("ran"))
            let dry = try box.runTasks("true\n", ["--dry-run", "--stage-in", "none"])
            #expect(dry.status == 2 && dry.error.contains("--stage-in none: read"))
            let looks = try box.runTasks("true\n", ["--dry-run", "--task-dir", "--stage-out", "x:made/%t"])
            #expect(looks.status == 0 && !box.exists("made"), "it makes nothing")
        }
    }

    @Test(.enabled(if: Rights.canMount)) func aHostThatCannotTakeTheFilesIsNotUsed() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("one.txt", "one\n")
            let away = try hosts.home(of: "nodeA") + "/away"
            try box.run(["-p", away + "/one.txt/in"], program: "/bin/mkdir")
            let result = try Self.runAway("echo x\n", ["--stage-in", "one.txt"], in: box, hosts)
            #expect(result.status == 3)
            #expect(result.error.contains("nodeA: --stage-in: put one.txt in place: Is a directory"))
            #expect(box.rows().isEmpty)
        }
    }

    /// The host's shell is what changes the file, after the driver has looked at it.
    @Test(.enabled(if: Rights.canMount)) func aFileThatChangesIsNotSent() throws {
        try Sandbox.with { box in
            try box.write("one.txt", "one\n")
            let hidden = "mount -t tmpfs none \(box.work) && exec /bin/sh \"$@\""
            let program = """
                #!/bin/sh
                echo more >>\(box.work)/one.txt
                exec unshare -m /bin/sh -c '\(hidden)' sh "$@"

                """
            let shell = try box.at(box.writeProgram("elsewhere", program))
            try SSHHosts.with([SSHHostPlan("nodeA", shell: shell)]) { hosts in
                let result = try Self.runAway("echo x\n", ["--stage-in", "one.txt"], in: box, hosts)
                #expect(result.status == 3, "\(result.error)")
                #expect(result.error.contains("/one.txt was changed while the run went on"), "\(result.error)")
            }
        }
    }

    /// More than one part of the list, and more files than pieces may be on their way.
    @Test(.enabled(if: Rights.canMount)) func manySmallFilesGoBothWays() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.makeDirectory("in")
            try box.run(["-c", "cd in; seq 2500 | split -l 1 -a 4 - f"], program: "/bin/sh")
            let result = try Self.runAway(
                "cat in/f* | cksum; cp -r in out_0\n", ["--stage-in", "in", "--stage-out", "out_%t:res"], in: box, hosts
            )
            #expect(result.status == 0, "\(result.error)")
            let there = try box.run(["-c", "cat in/f* | cksum"], program: "/bin/sh").output
            let back = try box.run(["-c", "cat res/out_0/f* | cksum"], program: "/bin/sh").output
            #expect(
                back == there
                    && box.rows().first?.outSnippet == "'\(there.replacingOccurrences(of: "\n", with: "\\n"))'")
        }
    }

    /// What runs write there would be sent, and then be told to have changed.
    @Test(.enabled(if: Rights.canMount)) func aDirectoryWithRunsInItIsSentWithoutThem() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("data", "x\n")
            try box.run(["-s", "loop", box.at("loop")], program: "/bin/ln")
            let text = "cat data; test -e ok\n"
            let arguments = ["--stage-in", ".", "--capture", "cap", "--logfile", "log"]
            let first = try Self.runAway(text, arguments, in: box, hosts)
            #expect(first.status == 0, "\(first.error)")
            #expect(first.error.contains("/loop leads nowhere, and is left out"), "\(first.error)")
            #expect(box.rows().map(\.returnCode) == [1])
            let away = try hosts.home(of: "nodeA") + "/away"
            try box.run([away + "/ok"], program: "/usr/bin/touch")
            for prefix in ["run", "other"] {
                let again = try Self.runAway(
                    text, arguments + ["-R", "-r", "run_status.txt"], in: box, hosts, prefix: prefix)
                #expect(again.status == 0, "\(again.error)")
                #expect(!again.error.contains("was changed"), "\(again.error)")
            }
            #expect(box.rows().last?.returnCode == 0)
            let sent = try FileManager.default.contentsOfDirectory(atPath: away)
            #expect(Set(sent).subtracting(["data", "tasks.txt", "ok", "elsewhere"]).isEmpty, "\(sent)")
        }
    }

    @Test(.enabled(if: Rights.canMount)) func aNameMayHaveAColon() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("c:d", "colon\n")
            let refused = try Self.runAway("cat c:d\n", ["--stage-in", "c:d"], in: box, hosts)
            #expect(refused.status == 2)
            #expect(refused.error.contains("to send c:d: --stage-in 'c:d:'"), "\(refused.error)")
            let result = try Self.runAway("cat c:d\n", ["--stage-in", "c:d:"], in: box, hosts)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.outSnippet) == ["'colon\\n'"])
        }
    }

    @Test(.enabled(if: Rights.canMount)) func twoRunsThatShareADirectoryAreTold() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("one.txt", "one\n")
            try box.write("first.txt", "touch started; until [ -e gate ]; do sleep 0.05; done\n")
            let away = try hosts.home(of: "nodeA") + "/away"
            let first = try box.start(
                ["-p", "first", "-s", "nodeA:1", "--workdir", away, "--stage-in", "one.txt", "first.txt"],
                environment: ["PATH": hosts.searchPath])
            try box.waitForFile(away + "/started")
            let same = try Self.runAway("cat one.txt\n", ["--stage-in", "one.txt"], in: box, hosts, prefix: "same")
            #expect(same.status == 0 && !same.error.contains("uses it now"), "\(same.error)")
            try box.write("one.txt", "two!\n")
            let second = try Self.runAway("cat one.txt\n", ["--stage-in", "one.txt"], in: box, hosts, prefix: "second")
            #expect(second.status == 0, "\(second.error)")
            #expect(
                second.error.contains("one.txt in \(away) had other content, and run first uses it now"),
                "\(second.error)")
            try box.write(away + "/gate", "")
            #expect(try first.wait(within: 30).status == 0)
            let left = try box.run([away, "-name", ".disbatch-*"], program: "/usr/bin/find").output
            #expect(left.isEmpty, "\(left)")
        }
    }

    /// Where threads can't be started or descriptors had, the run ends and says so; it never waits for ever.
    @Test func withFewDescriptorsItEnds() throws {
        try Sandbox.with { box in
            try box.write("one.txt", "one\n")
            try box.write("tasks.txt", "true\n")
            for limit in 4...32 {
                let driver = BuildDirectory.path + "/disbatch -p run\(limit) -s localhost:1"
                let line = "ulimit -n \(limit) && exec \(driver) --stage-in one.txt tasks.txt"
                let result = try box.run(["-c", line], program: "/bin/sh")
                #expect(result.status == 0 || !result.error.isEmpty, "limit \(limit): \(result.error)")
            }
        }
    }

    // MARK: Out

    @Test(.enabled(if: Rights.canMount)) func filesComeHome() throws {
        try Self.withHostElsewhere { box, hosts in
            let text = """
                #DISBATCH PREFIX mkdir d; head -c 300000 /dev/urandom >d/big; cksum <d/big >sum;
                #DISBATCH REPEAT 20 touch -d @5 sum; chmod 640 sum; touch no

                """
            let arguments = ["--task-dir", "--stage-out", "d:all/%t", "--stage-out", "s?m:all/%t"]
            let result = try Self.runAway(text, arguments, in: box, hosts)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.returnCode) == Array(repeating: 0, count: 20))
            for id in 0..<20 {
                let check = "cksum <d/big | cmp - sum && ls | tr '\\n' ' '; stat -c '%a %Y' sum"
                let home = try box.run(["-c", "cd all/\(id) && \(check)"], program: "/bin/sh")
                #expect(home.output == "d sum 640 5\n", "task \(id)")
            }
            let away = try hosts.home(of: "nodeA") + "/away"
            let left = try box.run(
                [away, box.work, "-name", "big", "-o", "-name", ".dis*"], program: "/usr/bin/find")
            #expect(left.output.split(separator: "\n").count == 20, "nothing is left on the host")
        }
    }

    @Test(.enabled(if: Rights.canMount)) func withoutADirectoryTheyComeToTheSamePlace() throws {
        try Self.withHostElsewhere { box, hosts in
            let text = "echo $DISBATCH_TASKID >out; exit $DISBATCH_TASKID\n"
            let result = try Self.runAway(
                text + text, ["--task-dir", "--stage-out", "out"], in: box, hosts, prefix: "dirs")
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.lines(of: "dirs_tasks/000/0/out") == ["0"])
            #expect(!box.exists("dirs_tasks/000/1/out"), "it failed: what it has made stays there")
            let away = try hosts.home(of: "nodeA") + "/away"
            #expect(FileManager.default.fileExists(atPath: away + "/dirs_tasks/000/1/out"))
            #expect(!FileManager.default.fileExists(atPath: away + "/dirs_tasks/000/0"))

            let named = try Self.runAway(
                "echo x >out_$DISBATCH_TASKID.txt\n", ["--stage-out", "out_%t.*"], in: box, hosts, prefix: "named")
            #expect(named.status == 0, "\(named.error)")
            #expect(try box.lines(of: "out_0.txt") == ["x"])
        }
    }

    @Test func withCommonFilesTheyAreMoved() throws {
        try SSHHosts.with(["nodeA"]) { hosts in
            try Sandbox.with { box in
                try box.write("tasks.txt", "#DISBATCH REPEAT 4 echo $DISBATCH_TASKID >out\n")
                let result = try box.run(
                    ["-p", "run", "-s", "nodeA:1,localhost:1", "--task-dir", "--stage-out", "out:all/%t", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath])
                #expect(result.status == 0, "\(result.error)")
                for id in 0..<4 { #expect(try box.lines(of: "all/\(id)/out") == ["\(id)"]) }
                #expect(try FileManager.default.contentsOfDirectory(atPath: box.at("run_tasks/000")).isEmpty)

                let kept = try box.run(
                    ["-p", "kept", "-s", "nodeA:1", "--task-dir", "--stage-out", "out", "tasks.txt"],
                    environment: ["PATH": hosts.searchPath])
                #expect(kept.status == 0, "\(kept.error)")
                #expect(try box.lines(of: "kept_tasks/000/3/out") == ["3"], "they are at home where they are made")
            }
        }
    }

    @Test(.enabled(if: Rights.canMount)) func filesThatCannotComeHomeFailTheTask() throws {
        try Self.withHostElsewhere { box, hosts in
            try box.write("in_the_way", "")
            try box.makeDirectory("ok")
            let result = try Self.runAway(
                "echo x >a; echo x >b\n", ["-e", "--task-dir", "--stage-out", "a:ok/%t", "--stage-out", "b:ok/%t"],
                in: box, hosts, prefix: "good")
            #expect(result.status == 0, "\(result.error)")
            try box.run(["-rf", box.at("ok/0")], program: "/bin/rm")
            try box.write("ok/0", "in the way of a directory")
            let bad = try Self.runAway(
                "echo x >a; echo x >b\n", ["-e", "--task-dir", "--stage-out", "b:ok/%t"], in: box, hosts,
                prefix: "bad")
            #expect(bad.status == 1, "\(bad.error)")
            #expect(box.rows("bad").map(\.returnCode) == [125])
            #expect(bad.error.contains("task 0: --stage-out: write \(box.work)/ok/0/b: "), "\(bad.error)")
            let away = try hosts.home(of: "nodeA") + "/away"
            #expect(FileManager.default.fileExists(atPath: away + "/bad_tasks/000/0/b"), "nothing is lost")
        }
    }

    @Test(.enabled(if: Rights.canMount)) func aBarrierWaitsForFiles() throws {
        try Self.withHostElsewhere { box, hosts in
            let away = try hosts.home(of: "nodeA") + "/away"
            try box.write(
                "tasks.txt",
                """
                #DISBATCH REPEAT 8 head -c 2000000 /dev/zero >big_$DISBATCH_TASKID
                #DISBATCH BARRIER
                touch behind; until [ -e gate ]; do sleep 0.01; done

                """)
            let driver = try box.start(
                ["-p", "run", "-s", "nodeA:2", "--workdir", away, "--stage-out", "big_%t:all", "tasks.txt"],
                environment: ["PATH": hosts.searchPath])
            try box.waitForFile(away + "/behind")
            let sizes = try (0..<8).map { id in
                try FileManager.default.attributesOfItem(atPath: box.at("all/big_\(id)"))[.size] as? Int
            }
            #expect(sizes == Array(repeating: 2_000_000, count: 8), "what the barrier waits for includes files")
            try box.write(away + "/gate", "")
            #expect(try driver.wait(within: 30).status == 0)
        }
    }

    @Test(.enabled(if: Rights.canMount)) func anEngineThatDiesWhileItsFilesComeHome() throws {
        try Self.withHostElsewhere { box, hosts in
            // A file that is on its way for long enough to be met.
            let text = "truncate -s 300M big\n"
            try box.write("tasks.txt", text)
            let away = try hosts.home(of: "nodeA") + "/away"
            let driver = try box.start(
                [
                    "-p", "run", "-s", "nodeA:1", "--lease", "2s", "--workdir", away, "--task-dir", "--stage-out",
                    "big:all/%t", "tasks.txt",
                ],
                environment: ["PATH": hosts.searchPath])
            try box.wait(for: "a file on its way") {
                (try? box.run([box.at("all"), "-name", "*.part"], program: "/usr/bin/find").output.isEmpty) == false
            }
            try hosts.kill("nodeA")
            try hosts.start("nodeA")
            let result = try driver.wait(within: 90)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().filter { !$0.flags.contains("Z") }.countsByTask == [1])
            let size = try FileManager.default.attributesOfItem(atPath: box.at("all/0/big"))[.size]
            #expect(size as? Int == 300 << 20)
            let left = try box.run([box.at("all"), "-name", "*.part"], program: "/usr/bin/find").output
            #expect(left.isEmpty)
        }
    }

    @Test func patternsThatLeadElsewhereAreRefused() throws {
        try Sandbox.with { box in
            for (pattern, reason) in [
                ("/etc/*", "below the task's directory"), ("../x", "below the task's directory"),
                ("out", "add --task-dir, or put %t"),
            ] {
                let result = try box.runTasks("true\n", ["--stage-out", pattern])
                #expect(result.status == 2)
                #expect(result.error.contains(reason), "\(result.error)")
            }
        }
    }
}
