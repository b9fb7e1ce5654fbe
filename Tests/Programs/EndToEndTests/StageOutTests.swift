import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// What `--stage-out` does about links, names that clash, and files that are not there.
@Suite(.blocking) struct StageOutTests {
    /// Runs task lines here, each in a directory of its own.
    private func run(
        _ text: String, _ rules: [String], in box: Sandbox, _ more: [String] = []
    ) throws -> ProgramResult {
        try box.runTasks(text, ["--task-dir"] + rules.flatMap { ["--stage-out", $0] } + more)
    }

    @Test func whatLinksLeadToIsCopied() throws {
        try Sandbox.with { box in
            try box.makeDirectory("inputs")
            try box.write("inputs/in", "in\n")
            let text = "ln -s ../../../inputs data; echo x >step9.dat; ln -s step9.dat final.dat\n"
            let result = try run(text, ["*:res/%t", "step?.dat:more/%t"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.lines(of: "inputs/in") == ["in"], "the input is where it was")
            #expect(try box.lines(of: "res/0/data/in") == ["in"])
            for path in ["res/0/step9.dat", "res/0/final.dat", "more/0/step9.dat"] {
                #expect(try box.lines(of: path) == ["x"])
                #expect(
                    try FileManager.default.attributesOfItem(atPath: box.at(path))[.type] as? FileAttributeType
                        == .typeRegular)
            }
            #expect(!box.exists("run_tasks/000/0"))
        }
    }

    @Test func aLinkThatLeadsBackHasAnEnd() throws {
        try Sandbox.with { box in
            let result = try run("mkdir d; ln -s . d/loop; echo x >d/a.txt\n", ["{d,d/*.txt,*}:res/%t"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.lines(of: "res/0/d/a.txt") == ["x"])
            let found = try box.run([box.at("res"), "-type", "f"], program: "/usr/bin/find").output
            #expect(found.split(separator: "\n").count == 1)
        }
    }

    @Test func aFileThatIsMissingFailsTheTask() throws {
        try Sandbox.with { box in
            let text = "echo x >a; sh -c '[ $DISBATCH_TASKID = 0 ] || echo x >b'\n"
            let result = try run(text + text, ["a:res/%t", "b:res/%t"], in: box)
            #expect(box.rows().sorted { $0.id < $1.id }.map(\.returnCode) == [125, 0], "\(result.error)")
            #expect(result.error.contains("task 0: --stage-out b: there is no such file"), "\(result.error)")
            #expect(box.exists("run_tasks/000/0/a") && !box.exists("run_tasks/000/1"))
            #expect(!box.exists("res/0/a"), "all or, where that can be known, nothing")
        }
    }

    @Test func whereNothingMatchesTheDirectoryStays() throws {
        try Sandbox.with { box in
            let result = try run("echo x >a\n", ["*.dat:res"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("task 0: --stage-out *.dat: nothing matches"), "\(result.error)")
            #expect(box.exists("run_tasks/000/0/a"))
        }
    }

    @Test func linksThatLeadNowhereAreLeftOut() throws {
        try Sandbox.with { box in
            let text = "echo x >a; ln -s nowhere b; mkdir d; ln -s loop d/loop; echo y >d/c\n"
            let result = try run(text, ["*:res/%t"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.returnCode) == [0])
            #expect(try box.lines(of: "res/0/a") == ["x"])
            #expect(try box.lines(of: "res/0/d/c") == ["y"])
            let warning = "task 0: --stage-out: run_tasks/000/0/b leads nowhere, and is left out (and 1 more)"
            #expect(result.error.contains(warning), "\(result.error)")
            #expect(box.exists("run_tasks/000/0"), "not all is at home")
        }
    }

    @Test func aNamedFileThatLeadsNowhereFailsTheTask() throws {
        try Sandbox.with { box in
            let result = try run("ln -s nowhere a\n", ["a:res/%t"], in: box)
            #expect(box.rows().map(\.returnCode) == [125], "\(result.error)")
            #expect(result.error.contains("read run_tasks/000/0/a: No such file"), "\(result.error)")
        }
    }

    @Test func noTaskTakesAnothersPlace() throws {
        try Sandbox.with { box in
            try box.makeDirectory("res")
            try box.write("res/b", "of an earlier run")
            let text = "echo $DISBATCH_TASKID >b\n"
            let result = try run(text + text, ["*:res"], in: box)
            let codes = box.rows().sorted { $0.id < $1.id }.map(\.returnCode)
            #expect(codes.sorted() == [0, 125], "\(result.error)")
            let winner = codes[0] == 0 ? 0 : 1
            #expect(try box.lines(of: "res/b") == ["\(winner)"])
            #expect(try box.lines(of: "run_tasks/000/\(1 - winner)/b") == ["\(1 - winner)"])
            #expect(result.error.contains("--stage-out *: \(box.work)/res/b is another task's"), "\(result.error)")
        }
    }

    @Test func whatAllTasksWouldOverwriteIsRefused() throws {
        try Sandbox.with { box in
            for rule in ["out:all", "d_%t/out:all"] {
                let result = try run("touch ran\n", [rule], in: box)
                #expect(result.status == 2)
                #expect(result.error.contains("--stage-out \(rule): every task's file"), "\(result.error)")
                #expect(!box.exists("run_status.txt"))
            }
        }
    }

    @Test func aPlaceInTheTasksOwnDirectoryIsKept() throws {
        try Sandbox.with { box in
            let result = try run("echo x >a; echo y >b\n", ["a:run_tasks/000/%t/kept", "b:run_tasks/000/%t"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.lines(of: "run_tasks/000/0/kept/a") == ["x"])
            #expect(try box.lines(of: "run_tasks/000/0/b") == ["y"])
        }
    }

    @Test func filesOfAnyTimeComeHome() throws {
        try Sandbox.with { box in
            let result = try run("touch -d @99999999999 a; ln -s a b; touch -d @-99999999999 c\n", ["*:res"], in: box)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.exists("res/a") && box.exists("res/b") && box.exists("res/c"))
        }
    }

    @Test(.enabled(if: Rights.canMount)) func itGoesTheSameWayFromAnotherMachine() throws {
        try StagingTests.withHostElsewhere { box, hosts in
            let text = "echo $DISBATCH_TASKID >b; ln -s b c; echo x >$DISBATCH_TASKID\n"
            let result = try StagingTests.runAway(
                text + text, ["--task-dir", "--stage-out", "{[0-9],c}:res"], in: box, hosts)
            let codes = box.rows().sorted { $0.id < $1.id }.map(\.returnCode)
            #expect(codes.sorted() == [0, 125], "\(result.error)")
            let winner = codes[0] == 0 ? 0 : 1
            #expect(try box.lines(of: "res/c") == ["\(winner)"])
            #expect(result.error.contains("\(box.work)/res/c, which is another task's"), "\(result.error)")
            let away = try hosts.home(of: "nodeA") + "/away/run_tasks/000/"
            #expect(!FileManager.default.fileExists(atPath: away + "\(winner)"))
            #expect(FileManager.default.fileExists(atPath: away + "\(1 - winner)/c"))
            let left = try box.run([box.work, "-name", ".disbatch-*"], program: "/usr/bin/find").output
            #expect(left.isEmpty, "marks are gone")
        }
    }

    /// The run's own files are on another file system than what tasks make.
    @Test(.enabled(if: Rights.canMount)) func aDirectoryAtHomeIsKnownByItsMark() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 4 echo $DISBATCH_TASKID >out\n")
            let elsewhere = "/dev/shm/disbatch-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: elsewhere, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: elsewhere) }
            try SSHHosts.with(["nodeA"]) { hosts in
                let result = try box.run(
                    [
                        "-p", elsewhere + "/run", "-s", "nodeA:2", "--task-dir", "--stage-out", "out",
                        "tasks.txt",
                    ],
                    environment: ["PATH": hosts.searchPath])
                #expect(result.status == 0, "\(result.error)")
                for id in 0..<4 { #expect(try box.lines(of: "run_tasks/000/\(id)/out") == ["\(id)"]) }
                let left = try box.run([box.work, "-name", ".disbatch-*"], program: "/usr/bin/find").output
                #expect(left.isEmpty, "marks are gone")
            }
        }
    }

    /// Without any mark, as where a network file system doesn't show it yet.
    @Test func aDirectoryAtHomeIsNotRemovedWhereItIsNotKnown() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 4 echo $DISBATCH_TASKID >out\n")
            do {
                let hidden = "rm -f \(box.work)/.disbatch-*; exec /bin/sh \"$@\""
                let program = "#!/bin/sh\n\(hidden)\n"
                let shell = try box.at(box.writeProgram("blind", program))
                try SSHHosts.with([SSHHostPlan("nodeB", shell: shell)]) { hosts in
                    let result = try box.run(
                        ["-p", "run", "-s", "nodeB:2", "--task-dir", "--stage-out", "out", "tasks.txt"],
                        environment: ["PATH": hosts.searchPath])
                    #expect(result.status == 0, "\(result.error)")
                    for id in 0..<4 { #expect(try box.lines(of: "run_tasks/000/\(id)/out") == ["\(id)"]) }
                }
            }
        }
    }
}
