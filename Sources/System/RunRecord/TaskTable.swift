internal import DisbatchCore

/// Writes what is said of tasks and per-engine commands: tables `task`, `attempt` and `per_engine`.
final class TaskTable {
    /// This run's `id` in table `run`.
    private let run: Int
    private let task: Statement
    private let supersede: Statement
    private let attempt: Statement
    private let perEngine: Statement

    /// Every statement's shared columns begin with this parameter; there are 16 of them.
    private static let firstShared: Int32 = 7

    init(_ database: Database, run: Int) throws(SQLiteError) {
        self.run = run
        let columns = RecordSchema.attemptColumns
        let values = (0..<16).map { "?\(Int(Self.firstShared) + $0)" }.joined(separator: ", ")
        task = try Statement(
            database,
            """
            INSERT OR REPLACE INTO task (id, line, repeat_index, state, run, attempts, \(columns), command)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, \(values), ?23)
            """)
        supersede = try Statement(
            database,
            """
            INSERT OR REPLACE INTO attempt (task_id, run, attempt, given_up, \(columns))
            SELECT id, run, attempts, 0, \(columns) FROM task
            WHERE id = ?1 AND NOT (run = ?2 AND attempts = ?3) AND state <> 'skipped'
            """)
        attempt = try Statement(
            database,
            """
            INSERT OR REPLACE INTO attempt (task_id, run, attempt, given_up, \(columns))
            VALUES (?1, ?2, ?3, ?4, \(values))
            """)
        perEngine = try Statement(
            database,
            "INSERT INTO per_engine (run, phase, id, line, \(columns), command) VALUES (?1, ?2, ?3, ?4, \(values), ?23)"
        )
    }

    /// Writes an attempt that runs now.
    func write(_ started: StartedTask) throws(SQLiteError) {
        try moveAside(started.spec.id, attempt: started.attempt)
        bind(started.spec, state: "running", attempt: started.attempt)
        let first = Self.firstShared
        bindPlace(task, started.engine, started.node, started.cylinder, pid: started.pid)
        task.bind(first + 6, started.start.seconds)
        for column in (first + 4)..<(first + 16) where column != first + 6 { task.bindNull(column) }
        try task.run()
    }

    /// Writes an attempt that ended.
    func write(_ ended: RecordedTask, isFinal: Bool) throws(SQLiteError) {
        switch ended.kind {
        case .task, .skipped:
            try moveAside(ended.spec.id, attempt: ended.attempt)
            bind(ended.spec, state: Self.state(of: ended, isFinal: isFinal), attempt: ended.attempt)
            bindShared(task, ended)
            try task.run()
        case .givenUp:
            attempt.bind(1, ended.spec.id.rawValue)
            attempt.bind(2, run)
            attempt.bind(3, ended.attempt)
            attempt.bind(4, 1)
            bindShared(attempt, ended)
            try attempt.run()
        case .perEngine:
            try write(ended, phase: nil)
        }
    }

    /// Writes a per-engine command that ended.
    func write(_ ended: RecordedTask, phase: PerEnginePhase?) throws(SQLiteError) {
        perEngine.bind(1, run)
        switch phase {
        case .start: perEngine.bind(2, "start")
        case .stop: perEngine.bind(2, "stop")
        case nil: perEngine.bindNull(2)
        }
        perEngine.bind(3, ended.spec.id.rawValue)
        perEngine.bind(4, ended.spec.streamIndex)
        bindShared(perEngine, ended)
        perEngine.bind(23, ended.spec.command)
        try perEngine.run()
    }

    /// Moves what the task's row says of an earlier attempt to table `attempt`. Where there can't be an earlier one
    /// it asks nothing.
    private func moveAside(_ id: TaskID, attempt: Int) throws(SQLiteError) {
        guard attempt > 1 || run > 1 else { return }
        supersede.bind(1, id.rawValue)
        supersede.bind(2, run)
        supersede.bind(3, attempt)
        try supersede.run()
    }

    private func bind(_ spec: TaskSpec, state: StaticString, attempt: Int) {
        task.bind(1, spec.id.rawValue)
        task.bind(2, spec.streamIndex)
        task.bind(3, spec.repeatIndex)
        task.bind(4, state)
        task.bind(5, run)
        task.bind(6, attempt)
        task.bind(23, spec.command)
    }

    /// Binds engine, node, cylinder and pid.
    private func bindPlace(_ statement: Statement, _ engine: EngineID, _ node: String, _ cylinder: Int, pid: Int32) {
        statement.bind(Self.firstShared, engine.rawValue)
        statement.bind(Self.firstShared + 1, node)
        statement.bind(Self.firstShared + 2, cylinder)
        statement.bind(Self.firstShared + 3, Int(pid))
    }

    /// Binds the shared columns, in the order of `RecordSchema.attemptColumns`.
    private func bindShared(_ statement: Statement, _ ended: RecordedTask) {
        let outcome = ended.outcome
        let first = Self.firstShared
        bindPlace(statement, ended.engine, ended.node, ended.cylinder, pid: outcome.pid)
        statement.bind(first + 4, Int(outcome.returnCode))
        if let signal = outcome.signal { statement.bind(first + 5, signal) } else { statement.bindNull(first + 5) }
        statement.bind(first + 6, outcome.start.seconds)
        statement.bind(first + 7, outcome.finish.seconds)
        statement.bind(first + 8, Double(outcome.userMicroseconds) / 1e6)
        statement.bind(first + 9, Double(outcome.systemMicroseconds) / 1e6)
        statement.bind(first + 10, Int(outcome.peakResidentKiB))
        statement.bind(first + 11, outcome.ending.text)
        statement.bind(first + 12, Int(clamping: outcome.out.count))
        statement.bind(first + 13, outcome.out.snippet)
        statement.bind(first + 14, Int(clamping: outcome.err.count))
        statement.bind(first + 15, outcome.err.snippet)
    }

    /// A task's state after its attempt ended; the words are those of ``RecordSchema``.
    private static func state(of ended: RecordedTask, isFinal: Bool) -> StaticString {
        if ended.kind == .skipped { return "skipped" }
        guard isFinal else { return ended.outcome.ending == .stopped ? "stopped" : "retrying" }
        if ended.outcome.ending == .engineLost { return "lost" }
        return ended.outcome.failed ? "failed" : "done"
    }
}

extension TaskOutcome {
    /// The signal that ended the process, where one did. -100 is no signal but a lost engine.
    var signal: Int? { (-64 ... -1).contains(returnCode) ? -Int(returnCode) : nil }
}

extension Ending {
    /// The word for it in column `ending`.
    var text: StaticString {
        switch self {
        case .exited: return "exited"
        case .timedOut: return "timed out"
        case .stopped: return "stopped"
        case .killed: return "killed"
        case .spawnFailed: return "not started"
        case .engineLost: return "engine lost"
        }
    }
}
