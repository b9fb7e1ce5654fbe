import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Tasks that do what a task had better not.
@Suite(.blocking) struct HostileTaskTests {
    @Test("a daemon lives on after its task and the run, and delays the task by 5 s at most")
    func daemonLivesOn() throws {
        try Sandbox.with { box in
            let daemon =
                "trap '' HUP; echo $$ >daemon.pid; echo one; while [ ! -e stop ]; do sleep 0.05; done; echo on >after"
            try box.write(
                "tasks.txt", "setsid bash -c \"\(daemon.replacingOccurrences(of: "$$", with: "\\$\\$"))\" &\n")
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            let row = try #require(box.rows().of(task: 0))
            #expect(row.returnCode == 0)
            #expect(row.outSnippet == "'one\\n'")
            #expect(row.elapsed < 9, "5 s for the daemon that keeps the pipe")
            let pid = try #require(Int32(try box.lines(of: "daemon.pid").first ?? ""))
            #expect(LiveProcess.of(pid) != nil, "the daemon lives on")
            try box.write("stop", "")
            try box.waitForFile("after")
        }
    }

    @Test("a daemon that ignores SIGTERM is killed with the run", arguments: [SIGINT, SIGTERM])
    func interruptKills(_ signal: Int32) throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(3)
            let driver = try box.start(["-s", "localhost:2", "--kill-after", "1", "-p", "run", "tasks.txt"])
            try box.waitForLines(2, in: "daemons")
            driver.signal(signal)
            let result = try driver.wait(within: 20)
            #expect(result.status == 128 + signal, "\(result.error)")
            try box.waitUntilAllIsGone(within: 1)
            #expect(box.rows().isEmpty, "what the run's own stop ended has no row")
        }
    }

    @Test("a daemon that ignores SIGTERM is killed at its task's timeout")
    func timeoutKills() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(1)
            let result = try box.run(
                ["-s", "localhost:1", "--task-timeout", "1", "--kill-after", "1", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(try box.lines(of: "daemons").count == 1)
            #expect(box.rows().map(\.returnCode) == [124])
            try box.waitUntilAllIsGone(within: 1)
        }
    }

    @Test("a task that ignores SIGTERM ends at a second interrupt at once")
    func secondInterrupt() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "trap '' TERM INT; touch on; while :; do sleep 0.1; done\n")
            let driver = try box.start(["-s", "localhost:1", "--kill-after", "1h", "-p", "run", "tasks.txt"])
            try box.waitForFile("on")
            driver.signal(SIGINT)
            try box.wait(for: "a word on it") { driver.error.contains("SIGINT") }
            driver.signal(SIGINT)
            #expect(try driver.wait(within: 20).status == 130)
            #expect(box.rows().isEmpty)
        }
    }

    @Test("a task that closes its streams is waited for all the same")
    func closesStreams() throws {
        try Sandbox.with { box in
            try box.write(
                "tasks.txt", "echo one; exec >&- 2>&-; while [ ! -e open ]; do sleep 0.05; done; exit 5\ntouch open\n")
            let result = try box.run(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [5, 0])
            #expect(box.rows().of(task: 0)?.outBytes == 4)
        }
    }

    @Test("standard input is at its end")
    func readsInput() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "cat; echo $?\n/bin/cat\nread line; echo $?\n")
            let result = try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"], input: .text("not for tasks\n"))
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.outSnippet) == ["'0\\n'", "''", "'1\\n'"])
        }
    }

    @Test("much output does not fill memory")
    func muchOutput() throws {
        try Sandbox.with { box in
            let size = 1 << 30
            try box.write(
                "tasks.txt", "head -c \(size) /dev/zero; touch done; while [ ! -e open ]; do sleep 0.05; done\n")
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            try box.waitForFile("done", within: 50)
            let engine = try box.engine(of: driver).enginePid
            let (own, its) = (try box.peakMemory(of: driver.pid), try box.peakMemory(of: engine))
            #expect(own < 64 << 10 && its < 64 << 10, "driver \(own) KiB, engine \(its) KiB")
            try box.open()
            #expect(try driver.wait().status == 0)
            #expect(box.rows().map(\.outBytes) == [size])
        }
    }
}
