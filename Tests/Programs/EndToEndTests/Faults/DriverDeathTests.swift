import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// The driver is killed or stopped, and the run is taken up again.
@Suite(.blocking) struct DriverDeathTests {
    enum Moment: CaseIterable {
        case beforeFirstRow, midRun, afterBarrier
    }

    /// Three quick tasks, or none; a barrier, or none; then two that are held, and two more.
    private func tasks(_ moment: Moment) -> (text: String, held: [Int], done: Int) {
        switch moment {
        case .beforeFirstRow: (String(repeating: "./held\n", count: 4), [0, 1], 0)
        case .midRun: ("true\ntrue\ntrue\n" + String(repeating: "./held\n", count: 4), [3, 4], 3)
        case .afterBarrier: ("true\ntrue\n#DISBATCH BARRIER\n" + String(repeating: "./held\n", count: 4), [3, 4], 3)
        }
    }

    /// Starts a run and kills its driver. Returns once its tasks run and the driver is dead.
    private func runAndKill(_ moment: Moment, in box: Sandbox) throws -> [Int] {
        try box.writeProgram("held", FaultTasks.held)
        let (text, held, done) = tasks(moment)
        try box.write("tasks.txt", text)
        let driver = try box.start(["-s", "localhost:2", "-p", "run", "tasks.txt"])
        try box.wait(for: "the held tasks") { held.allSatisfy { box.attempts(of: $0) == 1 } }
        try box.waitForLines(2, in: "daemons")
        try box.wait(for: "\(done) rows") { box.rows().count == done }
        driver.signal(SIGKILL)
        #expect(try driver.wait().status == -SIGKILL)
        return held
    }

    @Test("its tasks end, and -r completes each exactly once", arguments: Moment.allCases, [false, true])
    func resumes(_ moment: Moment, appends: Bool) throws {
        try Sandbox.with { box in
            let held = try runAndKill(moment, in: box)
            // No waiting here: -r waits for what is left of the killed run.
            try box.open()
            let prefix = appends ? "run" : "again"
            let result = try box.run(["-s", "localhost:2", "-p", prefix, "-r", "run_status.txt", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
            #expect(held.map(box.attempts(of:)) == [2, 2])
            let rows = box.rows(prefix)
            let ids = rows.filter { !$0.isBarrier }.map(\.id)
            let expected = held[0] == 3 && moment == .afterBarrier ? [0, 1, 3, 4, 5, 6] : Array(0...held[1] + 2)
            #expect(ids.sorted() == expected, "every task has exactly one row")
            #expect(rows.allSatisfy { $0.returnCode == 0 })
            #expect(!box.exists("\(prefix)_alive"), "a run that ended in order leaves no lock")
        }
    }

    @Test("its tasks and their daemons end within seconds")
    func tasksEnd() throws {
        try Sandbox.with { box in
            _ = try runAndKill(.midRun, in: box)
            try box.waitUntilAllIsGone(within: 5)
        }
    }

    @Test("driver, guard and engine killed at one moment: -r ends their daemons before it begins")
    func everybodyIsKilled() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(4)
            let driver = try box.start(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            try box.wait(for: "two held tasks") { box.attempts() == 2 }
            try box.waitForLines(2, in: "daemons")
            let (guardPid, enginePid) = try box.engine(of: driver)
            // Stopped first, so that none of them sees the others die.
            for pid in [driver.pid, guardPid, enginePid] { kill(pid, SIGSTOP) }
            for pid in [driver.pid, guardPid, enginePid] { kill(pid, SIGKILL) }
            try driver.wait()
            #expect(box.processes().count >= 2, "nobody was left to end the daemons")
            try box.open()
            let result = try box.run(["-s", "localhost:2", "-p", "again", "-r", "run_status.txt", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
            #expect(box.rows("again").countsByTask == [1, 1, 1, 1])
        }
    }

    @Test("-r waits for who holds the lock of that run, and says so; --no-wait doesn't")
    func waitsForLock() throws {
        try Sandbox.with { box in
            _ = try runAndKill(.midRun, in: box)
            try box.waitUntilAllIsGone()
            try box.open()
            let holder = try box.start(
                ["run_alive", "-c", "echo held; cat"], program: "/usr/bin/flock", input: .pipe)
            try box.wait(for: "the lock") { holder.output == "held\n" }
            let line = ["-s", "localhost:2", "-r", "run_status.txt", "tasks.txt"]
            let waiting = try box.start(["-p", "second"] + line)
            try box.wait(for: "a word on waiting") { waiting.error.contains("waiting for its end") }
            #expect(!box.exists("second_status.txt"), "nothing is begun while the earlier run may live")
            let hasty = try box.run(["-p", "third", "--no-wait"] + line)
            #expect(hasty.status == 0, "\(hasty.error)")
            #expect(box.rows("third").countsByTask == [1, 1, 1, 1, 1, 1, 1])
            #expect(!waiting.hasEnded)
            holder.closeInput()
            try holder.wait()
            #expect(try waiting.wait().status == 0)
            #expect(box.rows("second").countsByTask == [1, 1, 1, 1, 1, 1, 1])
        }
    }

    @Test("an interrupt ends the waiting", arguments: [SIGINT, SIGTERM])
    func interruptedWait(_ signal: Int32) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "true\n")
            try box.write("old_status.txt", "")
            let holder = try box.start(
                ["old_alive", "-c", "echo held; cat"], program: "/usr/bin/flock", input: .pipe)
            try box.wait(for: "the lock") { holder.output == "held\n" }
            let waiting = try box.start(["-s", "localhost:1", "-p", "new", "-r", "old_status.txt", "tasks.txt"])
            try box.wait(for: "a word on waiting") { waiting.error.contains("waiting for its end") }
            waiting.signal(signal)
            #expect(try waiting.wait().status == 128 + signal)
            #expect(!box.exists("new_status.txt"))
            holder.closeInput()
            try holder.wait()
        }
    }

    @Test("the newest status file is enough, after two crashes")
    func newestSuffices() throws {
        try Sandbox.with { box in
            _ = try runAndKill(.midRun, in: box)
            let second = try box.start(["-s", "localhost:2", "-p", "second", "-r", "run_status.txt", "tasks.txt"])
            try box.wait(for: "second attempts") { box.attempts(of: 3) + box.attempts(of: 4) == 4 }
            second.signal(SIGKILL)
            try second.wait()
            try FileManager.default.removeItem(atPath: box.at("run_status.txt"))
            try box.open()
            let third = try box.run(["-s", "localhost:2", "-p", "third", "-r", "second_status.txt", "tasks.txt"])
            #expect(third.status == 0, "\(third.error)")
            #expect(box.rows("third").count { $0.flags == "   S" } == 3)
            #expect(box.rows("third").countsByTask == [1, 1, 1, 1, 1, 1, 1])
            #expect(!box.exists("overlaps"))
        }
    }

    @Test("a torn last line runs again, whether appended to or not", arguments: [false, true])
    func tornLine(_ appends: Bool) throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "#DISBATCH REPEAT 3 echo x >>ran.$DISBATCH_TASKID\n")
            #expect(try box.run(["-s", "localhost:1", "-p", "run", "tasks.txt"]).status == 0)
            let last = try #require(box.rows().last)
            let size = try box.bytes(of: "run_status.txt").count
            #expect(truncate(box.at("run_status.txt"), size - 20) == 0)
            let prefix = appends ? "run" : "again"
            let result = try box.run(["-s", "localhost:1", "-p", prefix, "-r", "run_status.txt", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("the last line is torn"), "\(result.error)")
            #expect(box.rows(prefix).countsByTask == [1, 1, 1])
            #expect(try box.lines(of: "ran.\(last.id)").count == 2)
            #expect(try box.lines(of: "ran.0").count == 1)
        }
    }

    @Test("a driver that is stopped for a while loses nothing")
    func stopped() throws {
        try Sandbox.with { box in
            let task =
                "echo $DISBATCH_TASKID >>ended; while [ $DISBATCH_TASKID -lt 2 -a ! -e open ]; do sleep 0.02; done"
            try box.write("tasks.txt", "#DISBATCH REPEAT 20 \(task)\n")
            let driver = try box.start(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            try box.waitForLines(2, in: "ended")
            driver.signal(SIGSTOP)
            try box.open()
            // What the engine holds ahead runs on; the driver hears nothing of it yet.
            try box.wait(for: "tasks 0 and 1 to end") {
                !box.processes().contains { $0.hasVariable("DISBATCH_TASKID=0") || $0.hasVariable("DISBATCH_TASKID=1") }
            }
            #expect(box.rows().isEmpty)
            driver.signal(SIGCONT)
            let result = try driver.wait()
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().countsByTask == Array(repeating: 1, count: 20))
            #expect(try box.lines(of: "ended").count == 20, "nothing ran twice")
        }
    }
}
