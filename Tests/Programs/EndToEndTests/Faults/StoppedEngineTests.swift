import Foundation
import TestSupport
import Testing

@testable import EndToEndSupport

/// Guard or engine, or both, are stopped by somebody (SIGSTOP), and their tasks are not.
@Suite(.blocking) struct StoppedEngineTests {
    enum Victim: CaseIterable {
        case engine, guardian, both
    }

    /// Starts a run of two held tasks, and stops its engine. Returns once that is done.
    private func runAndStop(
        _ victim: Victim, in box: Sandbox, withDaemons: Bool = true
    ) throws -> RunningProgram {
        try box.writeHeldTasks(2, withDaemons: withDaemons)
        let driver = try box.start(["-s", "localhost:2", "-p", "run", "tasks.txt"])
        try box.wait(for: "two held tasks") { box.attempts() == 2 }
        if withDaemons { try box.waitForLines(2, in: "daemons") }
        let (guardPid, enginePid) = try box.engine(of: driver)
        // The guard first, for it lets the engine go on.
        if victim != .engine { kill(guardPid, SIGSTOP) }
        if victim != .guardian { kill(enginePid, SIGSTOP) }
        return driver
    }

    @Test("the run goes on", arguments: Victim.allCases)
    func goesOn(_ victim: Victim) throws {
        try Sandbox.with { box in
            let driver = try runAndStop(victim, in: box, withDaemons: false)
            try box.open()
            let result = try driver.wait(within: 40)
            #expect(result.status == 0, "\(result.error)")
            #expect(box.rows().tasks.map(\.returnCode) == [0, 0])
        }
    }

    @Test("a second signal ends all of it", arguments: Victim.allCases)
    func isInterrupted(_ victim: Victim) throws {
        try Sandbox.with { box in
            let driver = try runAndStop(victim, in: box)
            driver.signal(SIGINT)
            try box.wait(for: "a word on the signal") { driver.error.contains("SIGINT") }
            driver.signal(SIGINT)
            #expect(try driver.wait(within: 20).status == 130)
            try box.waitUntilAllIsGone()
        }
    }

    @Test("a task that is stopped itself ends at the first signal")
    func stoppedTask() throws {
        try Sandbox.with { box in
            try box.write("tasks.txt", "touch up; exec sleep 1000\n")
            let driver = try box.start(["-s", "localhost:1", "--kill-after", "1h", "-p", "run", "tasks.txt"])
            try box.waitForFile("up")
            try box.wait(for: "the task to sleep") {
                let task = box.processes().first { $0.commandLine.hasPrefix("sleep") }
                return task.map { kill($0.pid, SIGSTOP) == 0 } ?? false
            }
            driver.signal(SIGTERM)
            #expect(try driver.wait(within: 20).status == 143)
        }
    }

    @Test("its tasks end with the driver, or as -r waits", arguments: Victim.allCases)
    func driverIsKilled(_ victim: Victim) throws {
        try Sandbox.with { box in
            let driver = try runAndStop(victim, in: box)
            driver.signal(SIGKILL)
            try driver.wait()
            // With both stopped nobody is there to see it, but for the next run.
            if victim != .both { try box.waitUntilAllIsGone() }
            try box.open()
            let result = try box.run(["-s", "localhost:2", "-p", "again", "-r", "run_status.txt", "tasks.txt"])
            #expect(result.status == 0, "\(result.error)")
            #expect(!box.exists("overlaps"), "no task may run while an earlier attempt lives")
        }
    }
}
