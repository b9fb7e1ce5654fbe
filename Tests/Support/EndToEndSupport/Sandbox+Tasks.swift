extension Sandbox {
    /// Writes these tasks to `tasks.txt` and runs them on this machine, with the files of the run at `prefix`.
    @discardableResult
    func runTasks(
        _ text: String, _ options: [String] = [], slots: Int = 2, prefix: String = "run",
        environment: [String: String?] = [:], within seconds: Double = 60
    ) throws -> ProgramResult {
        try startTasks(text, options, slots: slots, prefix: prefix, environment: environment).wait(within: seconds)
    }

    /// As ``runTasks(_:_:slots:prefix:environment:within:)``, without waiting for the end.
    func startTasks(
        _ text: String, _ options: [String] = [], slots: Int = 2, prefix: String = "run",
        environment: [String: String?] = [:]
    ) throws -> RunningProgram {
        try write("tasks.txt", text)
        return try start(
            ["-s", "localhost:\(slots)", "-p", prefix] + options + ["tasks.txt"], environment: environment)
    }

    /// The variables that a task wrote with `env -0 > NAME`, by name.
    func variables(in name: String) throws -> [String: String] { Self.variables(try bytes(of: name)) }

    static func variables(_ bytes: [UInt8]) -> [String: String] {
        var found: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            found[String(decoding: parts[0], as: UTF8.self)] = String(decoding: parts[1], as: UTF8.self)
        }
        return found
    }
}
