import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// A run in a terminal that goes: tmux is the terminal, and the kernel tells of its end.
@Suite(.blocking) struct TerminalTests {
    /// How the terminal goes.
    enum End: CaseIterable {
        case serverEnds, paneIsKilled, serverIsKilled
    }

    private func end(_ end: End, _ box: Sandbox) throws {
        switch end {
        case .serverEnds: _ = try box.tmux("kill-server")
        case .paneIsKilled: _ = try box.tmux("kill-pane")
        case .serverIsKilled:
            let pid = try box.tmux("display-message", "-p", "#{pid}").trimmed
            kill(try #require(Int32(pid)), SIGKILL)
        }
    }

    private func writeTasks(_ box: Sandbox) throws {
        try box.writeHeldTasks(0)
        try box.write("tasks.txt", "echo before\n./held\n./held\necho after\n")
    }

    /// Waits for two tasks that run, takes the terminal away, and looks at what is left.
    private func hangUp(_ end: End, _ box: Sandbox) throws {
        try box.waitForLines(2, in: "daemons")
        try box.waitForRow { $0.id == 0 }
        try self.end(end, box)
        try box.waitUntilAllIsGone()
        #expect(box.rows().map(\.id) == [0], "tasks that were ended get no row")
        #expect(try box.bytes(of: "run_status.txt").last == UInt8(ascii: "\n"))
        #expect(try box.lines(of: "run_driver.log").last?.hasSuffix("exit status 129") == true)
        #expect(try box.query("SELECT exit_status, summary LIKE '%ended by SIGHUP%' FROM run") == [["129", "1"]])
    }

    @Test("what runs there ends, and its tasks with it", arguments: End.allCases)
    func runOfItsOwn(end: End) throws {
        try Sandbox.with { box in
            try writeTasks(box)
            let line = "exec '\(BuildDirectory.path)/disbatch' -s localhost:2 --kill-after 1 -p run tasks.txt"
            _ = try box.tmux("new-session", "-d", line)
            try hangUp(end, box)
        }
    }

    @Test("what a shell runs there ends, and can be run again", arguments: End.allCases)
    func runOfAShell(end: End) throws {
        try Sandbox.with { box in
            try writeTasks(box)
            _ = try box.tmux("new-session", "-d", "exec bash --norc -i")
            let line = "'\(BuildDirectory.path)/disbatch' -s localhost:2 --kill-after 1 -p run tasks.txt"
            _ = try box.tmux("send-keys", line, "Enter")
            try hangUp(end, box)
            try box.open()
            let again = try box.run(["-s", "localhost:2", "-p", "again", "-r", "run_status.txt", "tasks.txt"])
            #expect(again.status == 0, "\(again.error)")
            #expect(box.rows("again").countsByTask == [1, 1, 1, 1])
            #expect(box.rows("again").of(task: 0)?.kind == "S")
            #expect(!box.exists("overlaps"))
        }
    }
}
