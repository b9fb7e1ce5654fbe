internal import DisbatchCore

/// Writes entries into the tables, for one run. The statements of tasks are kept prepared; those of the rest, which
/// are few, are not.
final class RecordTables {
    private let database: Database
    /// This run's `id` in table `run`.
    private let run: Int
    private let tasks: TaskTable

    init(_ database: Database, run: Int) throws(SQLiteError) {
        self.database = database
        self.run = run
        tasks = try TaskTable(database, run: run)
    }

    /// Adds a run's row. What an earlier run of this file left running is running no more.
    /// - Returns: The row's id.
    static func insertRun(_ run: RunDescription, into database: Database) throws(SQLiteError) -> Int {
        try database.execute("UPDATE task SET state = 'abandoned' WHERE state = 'running' AND state <> 'done'")
        try database.execute(
            """
            INSERT INTO run (start, source, host, user, pid, version, working_directory, command_line, options)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .real(run.start.seconds), .text(run.source), .text(run.host), .text(run.user), .integer(Int(run.pid)),
                .text(run.version), .text(run.workingDirectory), .text(run.commandLine), .text(run.options),
            ])
        return database.lastInsertedRow
    }

    func write(_ entry: RunRecordEntry) throws(SQLiteError) {
        switch entry {
        case .taskStarted(let task):
            try tasks.write(task)
        case .attemptEnded(let task, let isFinal):
            try tasks.write(task, isFinal: isFinal)
        case .perEngineEnded(let task, let phase):
            try tasks.write(task, phase: phase)
        case .contextAdded(let context, let label, let kind):
            try database.execute(
                "INSERT OR REPLACE INTO context VALUES (?, ?, ?, ?)",
                [.integer(run), .integer(context.rawValue), .text(label), .text(kind)])
        case .engineJoined(let engine):
            try write(engine)
        case .engineEnded(let engine, let time, let reason):
            try database.execute(
                "UPDATE engine SET ended = ?, reason = ? WHERE run = ? AND rank = ?",
                [.real(time.seconds), .text(reason), .integer(run), .integer(engine.rawValue)])
        case .barrierMet(let barrier, let time):
            try write(barrier, time)
        case .skipped(let first, let last, let failed):
            try database.execute(
                "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?)",
                [.integer(run), .integer(first.rawValue), .integer(last.rawValue), .integer(failed)])
        case .totalKnown(let count):
            try database.execute("UPDATE run SET total_tasks = ? WHERE id = ?", [.integer(count), .integer(run)])
        case .runEnded(let time, let status, let summary):
            try database.execute(
                "UPDATE run SET finish = ?, exit_status = ?, summary = ? WHERE id = ?",
                [.real(time.seconds), .integer(Int(status)), .text(summary), .integer(run)])
        }
    }

    func writeDropped(_ count: Int) throws(SQLiteError) {
        try database.execute("UPDATE run SET dropped = ? WHERE id = ?", [.integer(count), .integer(run)])
    }

    func writeFailure(_ text: String, dropped: Int) throws(SQLiteError) {
        try database.execute(
            "UPDATE run SET failure = ?, dropped = ? WHERE id = ?", [.text(text), .integer(dropped), .integer(run)])
    }

    private func write(_ engine: JoinedEngine) throws(SQLiteError) {
        try database.execute(
            """
            INSERT OR REPLACE INTO engine (run, rank, context, node, pid, slots, cores_per_task, joined)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(run), .integer(engine.engine.rawValue), .integer(engine.context.rawValue), .text(engine.node),
                .integer(Int(engine.pid)), .integer(engine.slots), .integer(engine.coresPerTask),
                .real(engine.time.seconds),
            ])
    }

    private func write(_ barrier: Barrier, _ time: Timestamp) throws(SQLiteError) {
        try database.execute(
            "INSERT OR REPLACE INTO barrier VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .integer(run), .integer(barrier.id.rawValue), .integer(barrier.streamIndex),
                .integer(barrier.checks ? 1 : 0), barrier.key.map { .bytes($0) } ?? .null, .real(time.seconds),
                .bytes(barrier.line),
            ])
    }
}

extension Timestamp {
    /// As SQLite's date functions take it: seconds since 1970. Exact to the microsecond until the year 2242.
    var seconds: Double { Double(microseconds) / 1e6 }
}
