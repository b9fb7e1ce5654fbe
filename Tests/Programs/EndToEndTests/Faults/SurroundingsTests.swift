import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Limits, terminals, streams and other runs around a run.
@Suite(.blocking) struct SurroundingsTests {
    /// A user of whom nobody else has processes.
    private static let user = "\(20_000 + getpid() % 10_000)"

    @Test(
        "at the user's limit of processes tasks wait, and none is lost",
        .enabled(if: Rights.isRoot && !BuildDirectory.isSanitized, "a sanitizer has threads of its own"))
    func processLimit() throws {
        try Sandbox.with { box in
            try box.copyPrograms()
            box.openToAll()
            try box.write("tasks.txt", "#DISBATCH REPEAT 12 /bin/sleep 0.2\n")
            let line = "-s localhost:6 -p run tasks.txt"
            let result = try box.script(
                "ulimit -u 9; exec setpriv --reuid=\(Self.user) --regid=65534 --clear-groups bin/disbatch \(line)")
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 12))
            #expect(box.rows().map(\.returnCode) == Array(repeating: 0, count: 12), "\(box.rows())")
        }
    }

    @Test("with too few descriptors for all slots nothing is lost")
    func descriptorLimit() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 40 sleep 0.05; echo $DISBATCH_TASKID >>ran\n")
            let result = try box.script("ulimit -n 40; exec $disbatch -s localhost:20 -p run tasks.txt")
            if result.status == 0 {
                #expect(box.rows().countsByTask == Array(repeating: 1, count: 40))
                #expect(box.rows().allSatisfy { $0.returnCode == 0 }, "\(box.rows())")
                #expect(try box.lines(of: "ran").count == 40)
            } else {
                #expect(result.status == 3 && !box.exists("ran"), "all, or nothing and a word why: \(result.error)")
                #expect(result.error.contains("Too many open files"), "\(result.error)")
            }
        }
    }

    @Test("the run goes on without its streams", arguments: [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func closedStreams(_ redirection: String) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo one\nfalse\necho two >&2\n")
            let result = try box.script(
                "exec $disbatch --progress always -s localhost:2 -p run tasks.txt \(redirection)")
            #expect(result.status == 0)
            #expect(box.rows().countsByTask == [1, 1, 1])
            #expect(box.rows().tasks.map(\.outSnippet) == ["'one\\n'", "''", "''"])
            #expect(box.rows().tasks.map(\.errSnippet) == ["''", "''", "'two\\n'"])
            #expect(try box.query("SELECT count(*) FROM task") == [["3"]])
        }
    }

    @Test("nobody reads what it prints")
    func brokenPipe() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "false\nfalse\ntouch ran\n")
            let line = "$disbatch --progress always -s localhost:1 -p run tasks.txt"
            let result = try box.script(
                "(while [ ! -e gone ]; do sleep 0.02; done; \(line); echo $? >code) 2>&1 | touch gone")
            #expect(result.status == 0)
            #expect(try box.text(of: "code") == "0\n")
            #expect(box.rows().countsByTask == [1, 1, 1])
        }
    }

    @Test("when the terminal goes, so do the tasks")
    func hangup() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(2)
            let driver = try box.start(["-s", "localhost:2", "--kill-after", "1", "-p", "run", "tasks.txt"])
            try box.waitForLines(2, in: "daemons")
            driver.signal(SIGHUP)
            #expect(try driver.wait().status == 129)
            try box.waitUntilAllIsGone(within: 1)
            #expect(box.rows().isEmpty)
        }
    }

    @Test("under nohup the run goes on")
    func nohup() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch on; while [ ! -e open ]; do sleep 0.02; done\ntrue\n")
            let driver = try box.start(
                [BuildDirectory.path + "/disbatch", "-s", "localhost:1", "-p", "run", "tasks.txt"],
                program: "/usr/bin/nohup")
            try box.waitForFile("on")
            driver.signal(SIGHUP)
            try box.open()
            #expect(try driver.wait().status == 0)
            #expect(box.rows().countsByTask == [1, 1])
        }
    }

    // MARK: Other runs

    @Test("runs that begin at one moment take different names")
    func sameMoment() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            let runs = try (0..<6).map { _ in try box.start(["-s", "localhost:1", "tasks.txt"]) }
            for run in runs {
                let result = try run.wait()
                #expect(result.status == 0, "\(result.error)")
            }
            let names = try box.files().filter { $0.hasSuffix("_status.txt") }
            #expect(names.count == 6, "\(names)")
            for name in names { #expect(try box.lines(of: name).count == 1, "\(name)") }
        }
    }

    @Test("of runs with one prefix one runs, the others are refused")
    func samePrefix() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "echo x >>ran; while [ ! -e open ]; do sleep 0.02; done\n")
            let runs = try (0..<4).map { _ in try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"]) }
            try box.wait(for: "three to be refused") { runs.count(where: \.hasEnded) == 3 }
            // That it goes on with the file of a living run is refused too, without waiting for it.
            let other = try box.run(
                ["-s", "localhost:1", "-p", "run", "--no-wait", "-r", "run_status.txt", "tasks.txt"])
            #expect(other.status == 2)
            #expect(other.error.contains("Another run with this prefix is still active"), "\(other.error)")
            try box.waitForLines(1, in: "ran")
            try box.open()
            let results = try runs.map { try $0.wait() }
            #expect(results.map(\.status).sorted() == [0, 2, 2, 2], "\(results.map(\.error))")
            #expect(try box.lines(of: "ran") == ["x"])
            #expect(box.rows().countsByTask == [1])
        }
    }
}
