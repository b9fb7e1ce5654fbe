package import DisbatchCore

/// A run as the record has it from its start: its row in table `run`.
package struct RunDescription: Equatable, Sendable {
    /// The task file's path, or what else the tasks come from.
    package var source: String
    /// The driver's command line, as its user could type it again.
    package var commandLine: String
    package var host: String
    package var user: String
    package var pid: Int32
    package var version: String
    package var workingDirectory: String
    /// The options in force, as text.
    package var options: String
    package var start: Timestamp

    package init(
        source: String, commandLine: String, host: String, user: String, pid: Int32, version: String,
        workingDirectory: String, options: String, start: Timestamp
    ) {
        self.source = source
        self.commandLine = commandLine
        self.host = host
        self.user = user
        self.pid = pid
        self.version = version
        self.workingDirectory = workingDirectory
        self.options = options
        self.start = start
    }
}

/// An engine that is there for tasks: its row in table `engine`.
package struct JoinedEngine: Equatable, Sendable {
    package var engine: EngineID
    package var context: ContextID
    package var node: String
    package var pid: Int32
    package var slots: Int
    package var coresPerTask: Int
    package var time: Timestamp

    package init(
        engine: EngineID, context: ContextID, node: String, pid: Int32, slots: Int, coresPerTask: Int, time: Timestamp
    ) {
        self.engine = engine
        self.context = context
        self.node = node
        self.pid = pid
        self.slots = slots
        self.coresPerTask = coresPerTask
        self.time = time
    }
}

/// An attempt at a task that runs now.
package struct StartedTask: Equatable, Sendable {
    package var spec: TaskSpec
    /// Which attempt at the task this is, from 1.
    package var attempt: Int
    package var engine: EngineID
    package var node: String
    /// The engine's slot it runs in.
    package var cylinder: Int
    package var pid: Int32
    package var start: Timestamp

    package init(
        spec: TaskSpec, attempt: Int, engine: EngineID, node: String, cylinder: Int, pid: Int32, start: Timestamp
    ) {
        self.spec = spec
        self.attempt = attempt
        self.engine = engine
        self.node = node
        self.cylinder = cylinder
        self.pid = pid
        self.start = start
    }
}

/// One thing to put into the run record.
package enum RunRecordEntry: Equatable, Sendable {
    case contextAdded(ContextID, label: String, kind: String)
    case engineJoined(JoinedEngine)
    case engineEnded(EngineID, time: Timestamp, reason: String)
    case taskStarted(StartedTask)
    /// An attempt ended. `isFinal`: the task's last; else it will be tried again, or the run's stop ended it.
    /// A report that had been given up (`RowKind.givenUp`) becomes a row of its own, never the task's result.
    case attemptEnded(RecordedTask, isFinal: Bool)
    case perEngineEnded(RecordedTask, PerEnginePhase)
    case barrierMet(Barrier, time: Timestamp)
    /// Tasks in a row that an earlier run completed.
    case skipped(first: TaskID, last: TaskID, failed: Int)
    /// How many tasks the source has, now that its end was read.
    case totalKnown(Int)
    case runEnded(time: Timestamp, exitStatus: Int32, summary: String)
}

extension RunRecordEntry {
    /// About how many bytes of memory it takes while it waits.
    var cost: Int {
        let own = MemoryLayout<Self>.stride
        switch self {
        case .taskStarted(let task): return own + task.spec.command.cost
        case .attemptEnded(let task, _), .perEngineEnded(let task, _):
            return own + task.spec.command.cost + task.outcome.out.edges.cost + task.outcome.err.edges.cost
        case .barrierMet(let barrier, _): return own + barrier.line.cost + (barrier.key?.cost ?? 0)
        default: return own
        }
    }

    /// Whether it is kept even where the queue is full: there are few of these, and the rest makes little sense
    /// without them.
    var isAboutRun: Bool {
        switch self {
        case .contextAdded, .engineJoined, .engineEnded, .totalKnown, .runEnded: return true
        case .taskStarted, .attemptEnded, .perEngineEnded, .barrierMet, .skipped: return false
        }
    }
}

extension [UInt8] {
    /// The bytes of its storage: a header of 32 bytes, and none at all where it is empty.
    fileprivate var cost: Int { isEmpty ? 0 : 32 + count }
}
