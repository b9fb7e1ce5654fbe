/// A task: one command line to run, with where it came from.
package struct TaskSpec: Equatable, Sendable {
    /// Its number in the run.
    package var id: TaskID
    /// The line of the task file it stands on, counted from 1 (disBatch: stream index).
    package var streamIndex: Int
    /// Its index in a REPEAT directive; -1 outside one.
    package var repeatIndex: Int
    /// The argument of `/bin/bash -c`: bytes, prefix and suffix applied, without a NUL.
    package var command: [UInt8]

    package init(id: TaskID, streamIndex: Int, repeatIndex: Int = -1, command: [UInt8]) {
        self.id = id
        self.streamIndex = streamIndex
        self.repeatIndex = repeatIndex
        self.command = command
    }
}

/// A `#DISBATCH BARRIER` line: no later task starts before all earlier ones ended.
package struct Barrier: Equatable, Sendable {
    /// Its number in the run, from the same count as the tasks'.
    package var id: TaskID
    /// The line of the task file it stands on, counted from 1.
    package var streamIndex: Int
    /// Whether the run ends here if a task since the last barrier failed.
    package var checks: Bool
    /// The key to put into the key-value store when the barrier is met, if one was named.
    package var key: [UInt8]?
    /// The directive's whole line, as the status file shows it.
    package var line: [UInt8]

    package init(id: TaskID, streamIndex: Int, checks: Bool, key: [UInt8]?, line: [UInt8]) {
        self.id = id
        self.streamIndex = streamIndex
        self.checks = checks
        self.key = key
        self.line = line
    }
}

/// When a per-engine command runs: as the engine joins, before any task, or as it leaves.
package enum PerEnginePhase: UInt8, Sendable {
    case start
    case stop
}

/// A `#DISBATCH PERENGINE` line: a command that runs once on each engine.
package struct PerEngineCommand: Equatable, Sendable {
    package var phase: PerEnginePhase
    /// The command; its id counts the commands of its phase from 0.
    package var spec: TaskSpec

    package init(phase: PerEnginePhase, spec: TaskSpec) {
        self.phase = phase
        self.spec = spec
    }
}

/// One thing that a task source yields, in the order of the file.
package enum TaskItem: Equatable, Sendable {
    case task(TaskSpec)
    case barrier(Barrier)
    case perEngine(PerEngineCommand)
    /// Tasks that an earlier run completed: how many in a row, and how many of them had failed.
    case skipped(count: Int, failed: Int)
}
