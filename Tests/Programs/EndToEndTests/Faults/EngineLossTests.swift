import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// An engine's processes are killed while their tasks run.
@Suite(.blocking) struct EngineLossTests {
    enum Victim: CaseIterable {
        case engine, guardian, both
    }

    private func kill(_ victim: Victim, of driver: RunningProgram, in box: Sandbox) throws {
        let (guardPid, enginePid) = try box.engine(of: driver)
        if victim != .engine { Foundation.kill(guardPid, SIGKILL) }
        if victim != .guardian { Foundation.kill(enginePid, SIGKILL) }
    }

    @Test("tasks are dead before they run again", arguments: Victim.allCases)
    func runsAgain(_ victim: Victim) throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(5)
            let driver = try box.start(["-s", "localhost:2", "-p", "run", "tasks.txt"])
            try box.waitForLines(2, in: "daemons")
            try kill(victim, of: driver, in: box)
            try box.wait(for: "two more attempts") { box.attempts() == 4 }
            try box.waitForLines(4, in: "daemons")
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
            // These attempts have daemons too, which must not stay.
            try kill(victim, of: driver, in: box)
            try box.wait(for: "two more attempts") { box.attempts() == 6 }
            try box.waitForLines(6, in: "daemons")
            // Held still, for none of these may end well, now that it may, before somebody kills it.
            for task in box.processes() where task.commandLine.contains("./held") { Foundation.kill(task.pid, SIGSTOP) }
            try kill(victim, of: driver, in: box)
            try box.open()
            let result = try driver.wait()
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("engine 0 on "), "\(result.error)")
            #expect(result.error.contains("is lost, with 2 running tasks"), "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1, 1, 1, 1])
            #expect(box.rows().tasks.map(\.returnCode) == [0, 0, 0, 0, 0])
            #expect(try box.query("SELECT count(*) FROM attempts WHERE ending = 'engine lost'") == [["6"]])
            #expect(try box.query("SELECT count(*) FROM attempts") == [["11"]])
            #expect(box.attempts() == 11)
        }
    }

    @Test("what cleared its environment is dead before its task runs again", arguments: [false, true])
    func clearedEnvironment(driverDies: Bool) throws {
        try Sandbox.with { box in
            // The lock is held by what runs without a mark, below a shell that dies with its engine.
            let held = "echo on >>starts; until [ -e open ]; do sleep 0.05; done"
            let line = "env -i flock -n lock sh -c '\(held)' || touch overlaps; touch ended"
            try box.write("tasks.txt", line + "\n")
            let driver = try box.start(["-s", "localhost:1", "-p", "run", "tasks.txt"])
            try box.waitForLines(1, in: "starts")
            let (guardPid, enginePid) = try box.engine(of: driver)
            let victims = (driverDies ? [driver.pid] : []) + [guardPid, enginePid]
            // Stopped first, and the guard first, so that none of them sees the others die.
            for pid in victims { Foundation.kill(pid, SIGSTOP) }
            for pid in victims { Foundation.kill(pid, SIGKILL) }
            var again = driver
            if driverDies {
                try driver.wait()
                again = try box.start(["-s", "localhost:1", "-p", "next", "-r", "run_status.txt", "tasks.txt"])
            }
            try box.wait(for: "the next attempt") {
                box.exists("overlaps") || (try? box.lines(of: "starts").count) == 2
            }
            try box.open()
            #expect(try again.wait().status == 0)
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
            let left = try FileManager.default.contentsOfDirectory(atPath: "/dev/shm")
            #expect(!left.contains { $0.hasPrefix("disbatch-\(geteuid())-\(guardPid).") }, "its file goes with it")
        }
    }

    @Test("--max-lost reached: pid -1, return code -100, exit status 0", arguments: [0, 1])
    func givenUp(_ limit: Int) throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(2)
            let driver = try box.start(["-s", "localhost:1", "--max-lost", "\(limit)", "-p", "run", "tasks.txt"])
            for time in 0...limit {
                try box.wait(for: "attempt \(time + 1)") { box.attempts(of: 0) == time + 1 }
                try box.waitForLines(time + 1, in: "daemons")
                try kill(.engine, of: driver, in: box)
            }
            let lost = try box.waitForRow("the lost task")
            #expect(lost.id == 0 && lost.pid == -1 && lost.returnCode == -100, "\(lost)")
            #expect(lost.flags == "R   ")
            #expect(lost.command == "./held")
            try box.wait(for: "task 1") { box.attempts(of: 1) == 1 }
            try box.waitForLines(limit + 2, in: "daemons")
            for daemon in LiveProcess.all() where daemon.commandLine.contains("echo on >>daemons") {
                if daemon.works(in: box.path) { Foundation.kill(-daemon.session, SIGKILL) }
            }
            try box.open()
            let result = try driver.wait()
            #expect(result.status == 0, "\(result.error)")
            #expect(result.error.contains("task 0 is given up"), "\(result.error)")
            #expect(box.rows().countsByTask == [1, 1])
        }
    }

    @Test("-e makes a given-up task a failure")
    func givenUpCounts() throws {
        try Sandbox.with { box in
            try box.writeHeldTasks(1)
            let driver = try box.start(["-s", "localhost:1", "-e", "--max-lost", "0", "-p", "run", "tasks.txt"])
            try box.waitForLines(1, in: "daemons")
            try kill(.guardian, of: driver, in: box)
            #expect(try driver.wait().status == 1)
            try box.waitUntilAllIsGone(within: 1)
        }
    }

    @Test("an engine that is lost while nothing runs there costs nothing")
    func idleLoss() throws {
        try Sandbox.with { box in
            let driver = try box.start(["-s", "localhost:2", "-p", "run", "-"], input: .pipe)
            try driver.send("true\n")
            try box.waitForRow("task 0") { $0.id == 0 }
            try kill(.engine, of: driver, in: box)
            try driver.send("echo two\n")
            driver.closeInput()
            let result = try driver.wait()
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [0, 0])
        }
    }
}
