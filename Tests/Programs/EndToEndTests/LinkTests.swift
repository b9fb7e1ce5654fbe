import Foundation
import LinuxSystem
import TestSupport
import Testing

@testable import EndToEndSupport

/// A run that is watched and controlled from outside, over its port.
@Suite(.blocking) struct LinkTests {
    /// Starts a run of held tasks with two slots, and waits until two run.
    private func hold(_ count: Int, in box: Sandbox, _ arguments: [String] = []) throws -> RunningProgram {
        let held = "touch on.$DISBATCH_TASKID; until [ -e gate ]; do sleep 0.01; done\n"
        try box.write("tasks.txt", String(repeating: held, count: count))
        let driver = try box.start(["-s", "localhost:2", "-p", "run"] + arguments + ["tasks.txt"])
        for task in 0..<min(count, 2) { try box.waitForFile("on.\(task)") }
        return driver
    }

    private func dbutil(_ arguments: String..., in box: Sandbox) throws -> ProgramResult {
        try box.run(["--run", "run"] + arguments, program: "dbutil")
    }

    private func end(_ driver: RunningProgram, in box: Sandbox) throws -> ProgramResult {
        try box.write("gate", "")
        return try driver.wait(within: 30)
    }

    // MARK: Watching

    @Test func theStatusOfARunThatGoesOnAndOfOneThatEnded() throws {
        try Sandbox.with { box in
            let driver = try hold(5, in: box)
            let text = try dbutil("--status", in: box)
            #expect(text.status == 0, "\(text.error)")
            #expect(text.output.contains("run: running, for "))
            #expect(text.output.contains("0 of 5 tasks done (0 %), 2 running, 3 waiting"))
            let json = try dbutil("--status", "--json", in: box)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(object["format"] as? Int == 1 && object["phase"] as? String == "running")
            #expect((object["tasks"] as? [String: Any])?["running"] as? Int == 2)
            #expect(((object["engines"] as? [[String: Any]])?.first)?["slots"] as? Int == 2)
            #expect(try end(driver, in: box).status == 0)
            let after = try dbutil("--status", in: box)
            #expect(after.status == 0 && after.output.hasPrefix("run: ended with exit status 0\n"))
            #expect(after.output.contains("5 tasks ended"))
            let last = try dbutil("--status", "--json", in: box).output
            let ended = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            #expect(ended["phase"] as? String == "ended" && ended["exit_status"] as? Int == 0)
            #expect(ended["tasks"] is NSNull)
        }
    }

    @Test func watchingAndWaitingEndWithTheRun() throws {
        try Sandbox.with { box in
            let driver = try hold(3, in: box, ["-e"])
            let watch = try box.start(["--run", "run", "--watch"], program: "dbutil")
            let wait = try box.start(["--run", "run", "--wait"], program: "dbutil")
            try box.wait(for: "the first line") {
                watch.output.contains("0 of 3 tasks done (0 %), 2 running, 1 waiting")
            }
            #expect(wait.output.isEmpty)
            #expect(try end(driver, in: box).status == 0)
            let watched = try watch.wait(within: 10)
            #expect(watched.status == 0 && watched.output.contains("disbatch: 3 tasks ended"))
            #expect(try wait.wait(within: 10).status == 0)
            #expect(try dbutil("--wait", in: box).status == 0, "a run that has ended is not waited for")
        }
    }

    @Test func waitingHasTheRunsExitStatus() throws {
        try Sandbox.with { box in
            try box.runTasks("exit 3\n", ["-e"])
            #expect(try dbutil("--wait", in: box).status == 1)
        }
    }

    // MARK: Controlling

    @Test func aRunIsDrained() throws {
        try Sandbox.with { box in
            let driver = try hold(5, in: box)
            let asked = try dbutil("--drain", in: box)
            #expect(asked.status == 0 && asked.output.contains("no new task starts"), "\(asked.error)")
            #expect(try end(driver, in: box).status == 4)
            #expect(box.rows().map(\.id).sorted() == [0, 1])
        }
    }

    @Test func aRunIsStopped() throws {
        try Sandbox.with { box in
            let driver = try hold(5, in: box)
            #expect(try dbutil("--stop", in: box).status == 0)
            #expect(try driver.wait(within: 30).status == 143)
            #expect(box.rows().isEmpty, "what was ended gets no row")
            let late = try dbutil("--stop", in: box)
            #expect(late.status == 1 && late.error.contains("the run has ended, with exit status 143"))
        }
    }

    @Test func enginesAndContextsAreStopped() throws {
        try Sandbox.with { box in
            let driver = try hold(5, in: box)
            let none = try dbutil("--stop-engine", "7", in: box)
            #expect(none.status == 1 && none.error.contains("there is no engine 7 to be stopped"))
            let other = try dbutil("--stop-context", "other", in: box)
            #expect(other.status == 1 && other.error.contains("there is no context other; there is SSH0"))
            #expect(try dbutil("--stop-engine", "0", in: box).status == 0)
            #expect(try end(driver, in: box).status == 4)
            #expect(box.rows().map(\.id).sorted() == [0, 1])
        }
    }

    // MARK: Who may

    @Test func theRunFileIsItsOwnersAlone() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let mode = try FileManager.default.attributesOfItem(atPath: box.at("run_run.json"))[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try box.text(of: "run_run.json").contains("\"key\""))
            #expect(try end(driver, in: box).status == 0)
            #expect(try !box.text(of: "run_run.json").contains("\"key\""), "nobody needs it any more")
        }
    }

    @Test func anotherKeyIsRefused() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let text = try box.text(of: "run_run.json")
            let key = try #require(text.firstMatch(of: /"key": "(\w+)"/)).1
            try box.write("other_run.json", text.replacing(key, with: String(key.reversed())))
            try box.write("other_status.txt", "")
            let refused = try box.run(["--run", "other", "--status"], program: "dbutil")
            #expect(refused.status == 1)
            #expect(refused.error.contains("its driver refuses this key"), "\(refused.error)")
            #expect(try end(driver, in: box).status == 0)
        }
    }

    @Test func aDriverThatIsGoneIsSaidAtOnce() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            driver.signal(SIGKILL)
            _ = try driver.wait(within: 10)
            let status = try dbutil("--status", in: box)
            #expect(status.status == 1 && status.error.contains("can't be reached, or is gone"), "\(status.error)")
            #expect(status.seconds < 5)
        }
    }

    @Test func aDriverThatIsStoppedIsWaitedForAtRest() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            driver.signal(SIGSTOP)
            let line = "TIMEFORMAT='%U %S'; time '\(BuildDirectory.path)/dbutil' --run run --status"
            let status = try box.run(["-c", line], program: "/bin/bash")
            driver.signal(SIGCONT)
            #expect(status.error.contains("its driver did not answer within 5 s"), "\(status.error)")
            let times = status.error.split(separator: "\n").last.map {
                $0.split(separator: " ").compactMap { Double($0) }
            }
            let seconds = try #require(times).reduce(0, +)
            #expect(seconds < 2, "who waits needs no processor; it took \(seconds) s of one")
            #expect(try end(driver, in: box).status == 0)
        }
    }

    @Test func aRunWithoutAPort() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box, ["--no-listen"])
            let status = try dbutil("--status", in: box)
            #expect(status.status == 1 && status.error.contains("its driver has no port (--no-listen)"))
            #expect(try !box.text(of: "run_run.json").contains("key"))
            #expect(try end(driver, in: box).status == 0)
        }
    }

    /// The most memory that a process ever had, in KiB.
    private func memory(of program: RunningProgram) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(program.pid)/status", encoding: .utf8)
        return try Int(#require(status.firstMatch(of: /VmHWM:\s*(\d+)/)).1) ?? 0
    }

    /// Connections that say nothing, and ones that say anything: more than a driver has room for.
    @Test func strangersDoNoHarm() throws {
        try Sandbox.with { box in
            let driver = try hold(3, in: box)
            let text = try box.text(of: "run_run.json")
            let match = try #require(text.firstMatch(of: /127\.0\.0\.1:(\d+)/))
            let before = try memory(of: driver)
            let program = """
                import os, resource, socket, sys
                most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
                port, sockets = int(sys.argv[1]), []
                for i in range(1000):
                    s = socket.create_connection(("127.0.0.1", port)); sockets.append(s)
                    try:
                        if i % 3 == 0: s.sendall(os.urandom(5000))
                        if i % 3 == 1: s.sendall(b"disbatch-link-1\\n" + os.urandom(64))
                    except OSError: pass
                print("flooded", flush=True); sys.stdin.read()
                """
            try box.write("flood.py", program)
            let flood = try box.start(["flood.py", String(match.1)], program: "/usr/bin/python3", input: .pipe)
            try box.wait(for: "the flood") { flood.output.contains("flooded") }
            let status = try dbutil("--status", in: box)
            #expect(status.status == 0, "whoever has the key gets in: \(status.error)")
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(driver.pid)/fd").count
            #expect(files < 150, "\(files) descriptors are open")
            let grown = try memory(of: driver) - before
            #expect(grown < 16 << 10, "it needs \(grown) KiB more")
            flood.signal(SIGKILL)
            #expect(try end(driver, in: box).status == 0)
            #expect(box.rows().countsByTask == [1, 1, 1])
        }
    }

    // MARK: The monitor

    private func waitForScreen(_ what: String, _ box: Sandbox) throws {
        try box.wait(for: "\"\(what)\" on the screen") { try box.tmux("capture-pane", "-p").contains(what) }
    }

    @Test func theMonitor() throws {
        try Sandbox.with { box in
            let driver = try hold(5, in: box)
            let line = "'\(BuildDirectory.path)/dbutil' --run run --mon; echo left with $?; exec cat"
            _ = try box.tmux("new-session", "-d", "-x", "90", "-y", "20", line)
            defer { _ = try? box.tmux("kill-server") }
            try waitForScreen("tasks: 0 done, 2 running, 3 waiting", box)
            try waitForScreen("0  SSH0     ", box)
            _ = try box.tmux("send-keys", "?")
            try waitForScreen("quit; the run goes on", box)
            _ = try box.tmux("send-keys", "r")
            try waitForScreen("until [ -e gate ]", box)
            _ = try box.tmux("resize-window", "-x", "50", "-y", "12")
            try waitForScreen("Running tasks", box)
            _ = try box.tmux("send-keys", "e", "E")
            try waitForScreen("Stop engine 0 on", box)
            _ = try box.tmux("send-keys", "y")
            try waitForScreen("engine 0 takes no more tasks", box)
            #expect(try end(driver, in: box).status == 4)
            // The last picture stays.
            try waitForScreen("ended with exit status 4", box)
            try waitForScreen("tasks: 2 done", box)
            _ = try box.tmux("send-keys", "q")
            try waitForScreen("left with 0", box)
        }
    }

    @Test func aMonitorWithoutATerminalSaysSo() throws {
        try Sandbox.with { box in
            let driver = try hold(1, in: box)
            let monitor = try dbutil("--mon", in: box)
            #expect(monitor.status == 1 && monitor.error.contains("--mon needs a terminal"))
            #expect(try end(driver, in: box).status == 0)
        }
    }
}
