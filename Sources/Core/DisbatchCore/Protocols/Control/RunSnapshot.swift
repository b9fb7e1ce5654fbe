/// A run as it is at one moment, for those who watch it.
package struct RunSnapshot: Equatable, Sendable {
    /// The phase that the run is in.
    package enum Phase: UInt8, Sendable {
        case running
        /// Nothing new starts.
        case draining
        /// All that runs is being ended.
        case stopping
        /// No task is left; engines go.
        case closing
    }

    package var phase = Phase.running
    package var time = Timestamp(microseconds: 0)
    package var start = Timestamp(microseconds: 0)
    package var totals = RunTotals()
    /// Tasks in the whole run, where that is known.
    package var totalTasks: Int?
    package var running = 0
    /// Tasks that ended per second, of late.
    package var rate = 0.0
    /// The engines that changed since the snapshot before, all of them in the first.
    package var engines: [EngineSnapshot] = []
    /// The latest failures since the snapshot before.
    package var failures: [FailureSnapshot] = []

    package init() {}

    /// Tasks that are done, by earlier runs too.
    package var done: Int { totals.finished + totals.skipped }
    package var failed: Int { totals.failed + totals.skippedFailed }
    /// Tasks that wait, where that is known.
    package var waiting: Int? { totalTasks.map { max(0, $0 - done - running) } }
    /// Seconds until all is done at the rate of late, where that can be said.
    package var secondsLeft: Double? {
        guard let totalTasks, rate > 0, totalTasks > done else { return nil }
        return Double(totalTasks - done) / rate
    }
}

/// One engine in a ``RunSnapshot``.
package struct EngineSnapshot: Equatable, Sendable {
    /// Where it stands in its life.
    package enum State: UInt8, Sendable {
        /// Launched and not heard of yet, or running its START commands.
        case starting
        case active
        /// Taking no more tasks.
        case leaving
        /// Given up; its tasks run elsewhere.
        case lost
        case gone
    }

    package var id: EngineID
    package var context: ContextID
    package var label: String
    package var node: String
    package var state: State
    package var slots: Int
    /// Tasks that it holds, those that run first.
    package var assigned: Int
    package var finished: Int
    package var failed: Int
    /// When something was last heard of it.
    package var heard: Timestamp
    /// The share of its slots' cores that its tasks used of late, 1 for all of them; nil where not known.
    package var cpuShare: Double?

    package init(
        id: EngineID, context: ContextID, label: String, node: String, state: State, slots: Int, assigned: Int,
        finished: Int, failed: Int, heard: Timestamp
    ) {
        self.id = id
        self.context = context
        self.label = label
        self.node = node
        self.state = state
        self.slots = slots
        self.assigned = assigned
        self.finished = finished
        self.failed = failed
        self.heard = heard
    }

    package var running: Int { min(assigned, slots) }
}

/// One failed task in a ``RunSnapshot``.
package struct FailureSnapshot: Equatable, Sendable {
    package var task: TaskID
    package var line: Int
    package var node: String
    package var returnCode: Int32
    package var finish: Timestamp
    /// Seconds.
    package var elapsed: Double
    /// Ends of what it wrote to standard error, and the beginning of its command.
    package var error: [UInt8]
    package var command: [UInt8]

    package init(
        task: TaskID, line: Int, node: String, returnCode: Int32, finish: Timestamp, elapsed: Double, error: [UInt8],
        command: [UInt8]
    ) {
        self.task = task
        self.line = line
        self.node = node
        self.returnCode = returnCode
        self.finish = finish
        self.elapsed = elapsed
        self.error = error
        self.command = command
    }
}

/// A task that runs, for who asks.
package struct RunningTask: Equatable, Sendable {
    package var task: TaskID
    package var line: Int
    package var attempt: Int
    package var engine: EngineID
    package var node: String
    /// Seconds since it was given to its engine.
    package var seconds: Double
    /// The beginning of its command.
    package var command: [UInt8]

    package init(
        task: TaskID, line: Int, attempt: Int, engine: EngineID, node: String, seconds: Double, command: [UInt8]
    ) {
        self.task = task
        self.line = line
        self.attempt = attempt
        self.engine = engine
        self.node = node
        self.seconds = seconds
        self.command = command
    }

    /// So much of a command is shown.
    package static let commandLength = 200
}
