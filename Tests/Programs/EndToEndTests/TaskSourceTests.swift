import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Where tasks come from: files of all kinds, and streams.
@Suite(.blocking) struct TaskSourceTests {
    private let here = ["-s", "localhost:2", "-p", "run"]

    @Test(arguments: ["", "\n\n", "# only\n   # comments\n", "#DISBATCH PREFIX x\n"])
    func anEmptyListRunsNothing(text: String) throws {
        try Sandbox.with { box in
            let file = try box.runTasks(text)
            #expect(file.status == 0 && file.error == "No tasks to run.\n")
            #expect(try box.files() == ["run_status.txt", "tasks.txt"])
            #expect(try box.text(of: "run_status.txt") == "")
            let stream = try box.run(here + ["-"], input: .text(text))
            #expect(stream.status == 0 && stream.error == "No tasks to run.\n")
            #expect(try box.files() == ["run_status.txt", "tasks.txt"])
            #expect(try box.runTasks("true\n").status == 0, "its prefix is free for the next run")
            #expect(box.rows().countsByTask == [1])
        }
    }

    @Test func aByteOrderMarkIsNoPartOfTheFirstTask() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("\u{FEFF}true\ntrue\n", ["-e"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().map(\.command).sorted() == ["true", "true"])
        }
    }

    @Test(arguments: ["missing.txt", ".", "work/none", "/dev/null/x", "unreadable"])
    func aFileThatCannotBeReadIsNamed(name: String) throws {
        try Sandbox.with { box in
            try box.writeProgram("unreadable", "true\n", mode: 0)
            let result = try box.run(here + [name])
            // Root reads everything.
            if name == "unreadable", result.status == 0 { return }
            #expect(result.status == 2)
            #expect(result.error.hasPrefix("disbatch: \(name):"))
            #expect(!box.exists("run_status.txt"))
        }
    }

    @Test func carriageReturnsAreDroppedWithOneWarning() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("echo a\r\n#DISBATCH BARRIER\r\necho b\r\n")
            #expect(result.status == 0)
            #expect(result.errorLines.count { $0.contains("CR LF") } == 1)
            #expect(box.rows().map(\.command) == ["echo a", "#DISBATCH BARRIER", "echo b"])
            #expect(box.rows().map(\.outBytes) == [2, 0, 2])
        }
    }

    @Test func theLastLineNeedsNoEnd() throws {
        try Sandbox.with { box in
            try box.runTasks("echo a\necho b")
            #expect(box.rows().tasks.map(\.command) == ["echo a", "echo b"])
        }
    }

    @Test func aLineLongerThanTheKernelTakesRuns() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 2 << 20)
            let line = ": \(filler); echo $0 $# $BASH_SUBSHELL; ls -l /proc/self/fd | grep -c -- '->'; cat"
            let result = try box.runTasks(line + "\nexit 7 #\(filler)\n", ["--capture", "cap"])
            #expect(result.status == 0, "\(result.error.prefix(300))")
            #expect(
                try box.lines(of: "cap/000/0.out") == ["/bin/bash 0 0", "4"], "as a short line: no descriptor more")
            let rows = box.rows().tasks
            #expect(rows.map(\.returnCode) == [0, 7])
            #expect(rows.first?.command == line)
        }
    }

    @Test func aNULByteIsRefusedWithItsLine() throws {
        try Sandbox.with { box in
            let result = try box.runTasks("touch ran\necho a\u{0}b\n")
            #expect(result.status == 2)
            #expect(result.error.contains("tasks.txt:2:"))
            #expect(try box.files() == ["tasks.txt"], "nothing may be run")
        }
    }

    @Test(arguments: [
        "#DISBATCH\n", "#DISBATCHx\n", "#DISBATCH REPEAT x\n", "#DISBATCH REPEAT\n", "#DISBATCH BARRIERx\n",
        "#DISBATCH PERENGINE RESTART x\n", "#DISBATCH FOO\n",
    ])
    func aWrongDirectiveIsShownAndNothingIsRun(line: String) throws {
        try Sandbox.with { box in
            let result = try box.runTasks("touch ran\n" + line + "touch ran\n")
            #expect(result.status == 2)
            #expect(result.error.hasPrefix("disbatch: tasks.txt:2: "))
            #expect(result.errorLines.dropFirst().first == line.trimmed, "the line is shown")
            #expect(result.errorLines.last?.trimmed == "^", "and where in it")
            #expect(try box.files() == ["tasks.txt"])
        }
    }

    @Test func aFileThatGrowsIsReadToItsEndAtOpening() throws {
        try Sandbox.with { box in
            try box.runTasks("echo 'echo more' >> tasks.txt\n", within: 20)
            #expect(box.rows().count == 1)
        }
    }

    // MARK: Streams

    @Test func streamedTasksStartBeforeTheEnd() throws {
        try Sandbox.with { box in
            let run = try box.start(here + ["-"], input: .pipe)
            try run.send("echo $DISBATCH_NAMETASKS\n")
            let first = try box.waitForRow()
            #expect(first.outSnippet == "'stdin\\n'")
            try run.send("touch half; echo two")
            #expect(!run.hasEnded && !box.exists("half"), "half a line is no task yet")
            try run.send("\n#DISBATCH BARRIER\necho three")
            try box.waitForFile("half")
            run.closeInput()
            #expect(try run.wait().status == 0)
            #expect(box.rows().map(\.line) == [1, 2, 3, 4])
        }
    }

    @Test func aNamedPipeIsAStreamToo() throws {
        try Sandbox.with { box in
            try box.makeFIFO("fifo")
            let run = try box.start(here + ["fifo"])
            let feeder = try box.start(
                [
                    "-c",
                    "exec > fifo; echo 'touch first'; while [ ! -e first ]; do sleep 0.01; done; echo 'touch second'",
                ],
                program: "/bin/sh")
            #expect(try run.wait().status == 0)
            try feeder.wait()
            #expect(box.rows().tasks.map(\.command) == ["touch first", "touch second"])
        }
    }

    @Test func aNamedPipeThatNobodyWritesToCanBeGivenUp() throws {
        try Sandbox.with { box in
            try box.makeFIFO("fifo")
            let run = try box.start(here + ["fifo"])
            try box.waitForFile("run_driver.log")
            run.signal(SIGINT)
            #expect(try run.wait(within: 20).status == 130)
            #expect(box.rows().isEmpty)
        }
    }

    @Test func aDryRunOfAStreamShowsTasksAsTheyCome() throws {
        try Sandbox.with { box in
            let run = try box.start(["--dry-run", "-"], input: .pipe)
            try run.send("# nothing yet\n")
            try run.send("echo a\n")
            try box.wait(for: "the first task") { run.output == "0\t2\t-1\techo a\n" }
            try run.send("echo b\n")
            run.closeInput()
            #expect(try run.wait().status == 0)
            #expect(run.output == "0\t2\t-1\techo a\n1\t3\t-1\techo b\n")
            #expect(try box.files().isEmpty)
        }
    }

    @Test func aLongStreamOfCommentsIsReadOn() throws {
        try Sandbox.with { box in
            let comments = String(repeating: "# a comment of some length to fill several reads\n", count: 200_000)
            let result = try box.run(here + ["-"], input: .text(comments + "echo end\n"))
            #expect(result.status == 0)
            #expect(box.rows().map(\.line) == [200_001])
        }
    }

    @Test func aFileAsStandardInputIsAStream() throws {
        try Sandbox.with { box in
            let result = try box.run(here + ["-"], input: .text("echo a\necho b\n"))
            #expect(result.status == 0)
            #expect(box.rows().count == 2)
        }
    }

    @Test func aWrongLineOfAStreamEndsItInOrder() throws {
        try Sandbox.with { box in
            let run = try box.start(here + ["-"], input: .pipe)
            try run.send("while [ ! -e go ]; do sleep 0.01; done; echo done\n#DISBATCH REPAT 3\ntouch never\n")
            try box.wait(for: "the error") { run.error.contains("standard input:2:") }
            #expect(run.error.contains("REPEAT"), "a near miss is suggested")
            #expect(!run.hasEnded, "what came before ends normally")
            try box.write("go", "")
            let result = try run.wait()
            #expect(result.status == 2)
            #expect(box.rows().map(\.outSnippet) == ["'done\\n'"])
            #expect(!box.exists("never"), "what comes after is not read")
        }
    }
}
