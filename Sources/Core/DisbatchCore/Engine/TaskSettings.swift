/// Settings that hold for each task of a run, as its user gave them and as engines are told them.
package struct TaskSettings: Equatable, Sendable {
    /// `--task-timeout`: the longest that a task may run, above 0; nil for no limit.
    package var timeout: Duration?
    /// `--kill-after`: the time from SIGTERM to SIGKILL when a task is ended; 0 sends SIGKILL at once.
    package var killAfter = Duration.seconds(10)
    /// `--shell always`: whether bash starts every task, and none is started directly.
    package var alwaysUsesShell = false

    package init(timeout: Duration? = nil, killAfter: Duration = .seconds(10)) {
        self.timeout = timeout
        self.killAfter = killAfter
    }
}

extension FrameWriter {
    mutating func write(_ settings: TaskSettings) {
        writeOptional(settings.timeout) { $0.writeDuration($1) }
        writeDuration(settings.killAfter)
        writeBool(settings.alwaysUsesShell)
    }
}

extension FrameReader {
    mutating func readTaskSettings() throws(WireError) -> TaskSettings {
        var settings = TaskSettings()
        settings.timeout = try readOptional { (r) throws(WireError) in try r.readDuration() }
        settings.killAfter = try readDuration()
        settings.alwaysUsesShell = try readBool()
        return settings
    }
}
