import Foundation
import Testing

extension Sandbox {
    /// Starts a run of `tasks.txt` that waits for contexts.
    func startWithoutContext(_ options: [String] = []) throws -> RunningProgram {
        let driver = try start(["-S", "-p", "run"] + options + ["tasks.txt"])
        try wait(for: "the script that adds contexts") { driver.error.contains("run_dbUtil.sh") }
        return driver
    }

    /// Adds a context by the run's script, and waits until the driver has it.
    func addContext(
        _ arguments: [String], to driver: RunningProgram, environment: [String: String?] = [:]
    ) throws -> RunningProgram {
        let before = driver.error.components(separatedBy: "disbatch: context ").count
        let relay = try start(arguments, program: at("run_dbUtil.sh"), environment: environment)
        try wait(for: "the context") {
            driver.error.components(separatedBy: "disbatch: context ").count > before || relay.hasEnded
        }
        return relay
    }

    /// Asks the run `run` for something by `dbutil`.
    @discardableResult
    func dbutil(_ arguments: String...) throws -> ProgramResult {
        try run(["--run", "run"] + arguments, program: "dbutil")
    }
}
