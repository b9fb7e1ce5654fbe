import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Task files and status files that are not what they should be.
@Suite(.blocking) struct BadInputTests {
    /// Runs disbatch on something that it must refuse, and gives its word for it.
    private func refusal(_ arguments: [String], in box: Sandbox, status: Int32 = 2) throws -> String {
        let before = try box.files()
        let result = try box.run(["-s", "localhost:1", "-p", "run"] + arguments)
        #expect(result.status == status, "\(result.error)")
        #expect(try box.files() == before, "nothing is left behind")
        return result.error
    }

    @Test func aMissingTaskFile() throws {
        try Sandbox.with { box in
            let error = try refusal(["none.txt"], in: box)
            #expect(error == "disbatch: none.txt: No such file or directory\n")
        }
    }

    @Test func aDirectory() throws {
        try Sandbox.with { box in
            try box.makeDirectory("tasks")
            let error = try refusal(["tasks"], in: box)
            #expect(error.contains("tasks: a directory"), "\(error)")
        }
    }

    @Test(.enabled(if: Rights.isRoot)) func anUnreadableTaskFile() throws {
        try Sandbox.with { box in
            try box.copyPrograms()
            box.openToAll()
            try box.write("tasks.txt", "true\n")
            chmod(box.at("tasks.txt"), 0o600)
            let result = try box.run(
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", box.at("bin/disbatch"), "-s", "localhost:1",
                    "tasks.txt",
                ], program: "/usr/bin/setpriv")
            #expect(result.status == 2)
            #expect(result.error == "disbatch: tasks.txt: Permission denied\n")
        }
    }

    @Test("a log that can't be written", arguments: ["nowhere/log", "logs"])
    func unwritableLog(_ name: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            try box.makeDirectory("logs")
            let error = try refusal(["--logfile", name, "tasks.txt"], in: box)
            #expect(error.hasPrefix("disbatch: --logfile \(name): "), "\(error)")
        }
    }

    @Test("nothing to run", arguments: ["", "\n \n# a comment\n", "# no line end"])
    func empty(_ text: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", text)
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 0 && result.error == "No tasks to run.\n")
            #expect(try box.files() == ["run_status.txt", "tasks.txt"])
        }
    }

    @Test func aNULIsRefusedWithItsLine() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\ntrue\necho a\0b\n")
            let error = try refusal(["tasks.txt"], in: box)
            #expect(error.contains("tasks.txt:3: "), "\(error)")
            #expect(error.contains("NUL"), "\(error)")
        }
    }

    @Test("a line of 2 MiB runs, unchanged")
    func longLine() throws {
        try Sandbox.with { box in
            let filler = String(repeating: "x", count: 2 << 20)
            try box.write("tasks.txt", "echo \(filler) | wc -c; exit 4\ntrue")
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            let row = try #require(box.rows().of(task: 0))
            #expect(row.returnCode == 4)
            #expect(row.outSnippet == "'\(filler.utf8.count + 1)\\n'")
            #expect(row.command == "echo \(filler) | wc -c; exit 4")
            let again = try box.run(["-s", "localhost:1", "-p", "again", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows("again").map(\.flags) == ["RO S", "   S"])
        }
    }

    @Test("CR LF ends lines, with one warning, and so does the end of the file")
    func carriageReturns() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "printf one\r\n#DISBATCH BARRIER\r\nprintf two\r\nprintf three")
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 0)
            #expect(result.errorLines.count { $0.contains("CR LF") } == 1, "\(result.error)")
            #expect(box.rows().tasks.map(\.outSnippet) == ["'one'", "'two'", "'three'"])
            #expect(box.rows().tasks.map(\.command) == ["printf one", "printf two", "printf three"])
        }
    }

    // MARK: -r

    @Test("the status file of another task file names both")
    func anotherStatusFile() throws {
        try Sandbox.with { box in
            try box.write("old.txt", "true\necho old\n")
            try box.write("new.txt", "true\necho new; touch ran\n")
            #expect(try box.run(["-s", "localhost:1", "-p", "old", "old.txt"]).status == 0)
            let error = try refusal(["-r", "old_status.txt", "new.txt"], in: box)
            #expect(error.contains("old_status.txt:2"), "\(error)")
            #expect(error.contains("echo old") && error.contains("echo new; touch ran"), "\(error)")
            #expect(error.contains("--force-resume"), "\(error)")
        }
    }

    @Test(
        "garbage is no status file",
        arguments: [
            "some words\nand more\n", "a\tb\tc\n", "\0\0\0\n", "    \tx\t1\t-1\tn\t1\t0\t0\t0\t0\t0\t''\t0\t''\tc\n",
        ])
    func garbage(_ text: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            try box.write("old_status.txt", text)
            let error = try refusal(["-r", "old_status.txt", "tasks.txt"], in: box)
            #expect(error.contains("-r old_status.txt:1: "), "\(error)")
        }
    }

    @Test func aMissingStatusFile() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            let error = try refusal(["-r", "none_status.txt", "tasks.txt"], in: box)
            #expect(error == "disbatch: -r none_status.txt: No such file or directory\n")
            try box.makeDirectory("dir")
            let other = try refusal(["-r", "dir", "tasks.txt"], in: box)
            #expect(other.contains("-r dir: not a regular file"), "\(other)")
        }
    }

    @Test("a file without line ends takes no memory of its own length")
    func endlessLine() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch ran\n")
            #expect(try box.script("truncate -s 3G old_status.txt").status == 0)
            let error = try refusal(["-r", "old_status.txt", "tasks.txt"], in: box)
            #expect(error.contains("-r old_status.txt:1: a line of more than 64 MiB"), "\(error)")
        }
    }

    @Test("a start that fails leaves nothing that is in the way of the same command")
    func failedStart() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            try box.makeDirectory("run_run.json")
            let error = try refusal(["tasks.txt"], in: box)
            #expect(error.contains("run_run.json: Is a directory"), "\(error)")
            try FileManager.default.removeItem(atPath: box.at("run_run.json"))
            let again = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(again.status == 0 && again.error == "", "\(again.error)")
            #expect(try box.query("SELECT count(*) FROM task") == [["1"]])
        }
    }

    // MARK: The shell

    @Test(
        "without /proc there is a word", .enabled(if: Rights.canMount),
        arguments: ["disbatch", "dbutil", "disbatch-engine"])
    func noProcessFiles(_ program: String) throws {
        try Sandbox.with { box in
            let path = BuildDirectory.path + "/" + program
            let result = try box.script("exec unshare -m sh -c 'mount -t tmpfs none /proc && exec \(path) --version'")
            #expect(result.status == 2)
            #expect(result.error.hasPrefix("\(program): /proc is not there"), "\(result.error)")
        }
    }

    @Test("without /bin/bash nothing is run", .enabled(if: Rights.canMount))
    func noBash() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "/bin/touch ran\ntouch ran; true\n")
            try box.write("nothing", "")
            try box.write(
                "script",
                "#!/bin/sh\nmount --bind nothing /usr/bin/bash && exec \"$disbatch\" -s localhost:2 -p run tasks.txt\n")
            let result = try box.script("exec unshare -m sh script")
            #expect(result.status == 3, "\(result.error)")
            #expect(result.error.contains("/bin/bash: Permission denied; tasks are run by it"), "\(result.error)")
            #expect(!box.exists("ran"))
            #expect(box.rows().isEmpty)
        }
    }
}
