package import DisbatchCore

/// Makes the tables of a run record from rows of status files.
///
/// What no status file has is NULL: CPU time and memory, attempts that were tried again, engines. Rows may come in any
/// order. Of two of one task a success counts, else the later one, as at a resume; the other stands in `attempt`.
package final class RecordRebuilder {
    private let database: Database
    private let select: Statement
    private let insert: Statement
    private let update: Statement
    private let aside: Statement
    private let perEngine: Statement
    private let barrier: Statement
    /// The runs that rows belong to, by their beginning: `id` and microseconds.
    private var runs: [(id: Int, start: Int64)] = []

    /// Makes the tables in an empty database, and begins the one transaction that ``finish()`` ends.
    package convenience init(_ database: Database) throws(SQLiteError) {
        try database.execute(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; BEGIN")
        try database.execute(RecordSchema.statements)
        try database.execute("PRAGMA application_id = \(RecordSchema.applicationID)")
        try database.execute("PRAGMA user_version = \(RecordSchema.version)")
        try self.init(withTables: database)
    }

    /// Adds to a record that is there, in transactions of the caller's.
    convenience init(filling database: Database) throws(SQLiteError) {
        try self.init(withTables: database)
        try readRuns()
    }

    private init(withTables database: Database) throws(SQLiteError) {
        self.database = database
        let columns = RecordSchema.attemptColumns
        let values = (7..<23).map { "?\($0)" }.joined(separator: ", ")
        select = try Statement(database, "SELECT state, return_code, finish, attempts FROM task WHERE id = ?")
        insert = try Statement(
            database,
            """
            INSERT OR REPLACE INTO task (id, line, repeat_index, state, run, attempts, \(columns), command)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, \(values), ?23)
            """)
        update = try Statement(database, "UPDATE task SET attempts = ?2 WHERE id = ?1")
        aside = try Statement(
            database,
            """
            INSERT OR REPLACE INTO attempt (task_id, run, attempt, given_up, \(columns))
            SELECT id, run, attempts, 0, \(columns) FROM task WHERE id = ?1
            """)
        perEngine = try Statement(
            database,
            "INSERT INTO per_engine (run, phase, id, line, \(columns), command) "
                + "VALUES (?5, NULL, ?1, ?2, \(values), ?23)")
        barrier = try Statement(
            database, "INSERT OR REPLACE INTO barrier VALUES (?1, ?2, ?3, ?4, NULL, ?5, ?6)")
    }

    /// Takes over the runs, contexts and engines that an earlier record knows, before any row is added.
    package func adoptRuns(of path: String) throws(SQLiteError) {
        try attached(path) { () throws(SQLiteError) in
            for table in ["run", "context", "engine"] {
                try database.execute("INSERT INTO main.\(table) SELECT * FROM old.\(table)")
            }
            try database.execute("UPDATE run SET dropped = 0, failure = NULL")
        }
        try readRuns()
    }

    private func readRuns() throws(SQLiteError) {
        let rows = try Statement(database, "SELECT id, start FROM run ORDER BY start")
        while try rows.next() {
            runs.append((rows.integer(0), Int64((rows.optionalReal(1) ?? 0) * 1e6)))
        }
    }

    /// Takes over what an earlier record knows of the same attempts, and attempts that no status file has, after all
    /// rows were added.
    package func adoptDetails(of path: String) throws(SQLiteError) {
        let details = ["engine", "cylinder", "user_seconds", "system_seconds", "peak_memory_kib", "ending"]
        try attached(path) { () throws(SQLiteError) in
            try database.execute(
                """
                UPDATE main.task SET (\(details.joined(separator: ", ")), run, attempts) =
                  (\(details.map { "known.\($0)" }.joined(separator: ", ")), known.run, known.attempts)
                FROM old.task AS known WHERE known.id = task.id AND known.pid = task.pid
                  AND abs(known.start - task.start) < 0.001 AND task.state <> 'skipped'
                """)
            try database.execute(
                """
                INSERT OR IGNORE INTO main.attempt SELECT known.* FROM old.attempt AS known
                WHERE NOT EXISTS (SELECT 1 FROM main.attempt AS own
                  WHERE own.task_id = known.task_id AND own.pid = known.pid AND abs(own.start - known.start) < 0.001)
                """)
            // Tasks that run, or were broken off.
            try database.execute(
                """
                INSERT OR IGNORE INTO main.task SELECT * FROM old.task
                WHERE state NOT IN ('done', 'failed', 'lost', 'skipped')
                """)
        }
    }

    /// Runs `body` in a transaction of its own, with the record at `path` as `old`.
    private func attached(_ path: String, _ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        try database.execute("COMMIT")
        try database.execute("ATTACH DATABASE ? AS old", [.text(path)])
        try database.execute("BEGIN")
        try body()
        try database.execute("COMMIT")
        try database.execute("DETACH DATABASE old")
        try database.execute("BEGIN")
    }

    /// Adds a run that only a status file tells of.
    package func addRun(start: Timestamp, finish: Timestamp, host: String?) throws(SQLiteError) {
        try database.execute(
            "INSERT INTO run (start, finish, host) VALUES (?, ?, ?)",
            [.real(start.seconds), .real(finish.seconds), host.map { .text($0) } ?? .null])
        runs.append((database.lastInsertedRow, start.microseconds))
        runs.sort { $0.start < $1.start }
    }

    /// Whether there is a run that rows can belong to.
    package var hasRuns: Bool { !runs.isEmpty }

    /// Takes a row.
    package func add(_ row: StatusRowView) throws(SQLiteError) {
        let run = runs.last { $0.start <= row.start.microseconds + 1_000 }?.id ?? runs.first?.id ?? 1
        switch row.kind {
        case .barrier(let checks): try addBarrier(row, run, checks)
        case .ended(.task): try addResult(row, run)
        case .ended(.skipped): try addSkipped(row, run)
        case .ended(.givenUp): try addGivenUp(row, run)
        case .ended(.perEngine):
            bind(perEngine, row, run, state: "", attempt: 1)
            try perEngine.run()
        }
    }

    /// Ends the transaction.
    package func finish() throws(SQLiteError) { try database.execute("COMMIT") }

    private struct Known {
        var state: String
        var returnCode: Int
        var finish: Double
        var attempts: Int
    }

    private func known(_ id: TaskID) throws(SQLiteError) -> Known? {
        select.bind(1, id.rawValue)
        guard try select.next() else { return nil }
        defer { select.reset() }
        return Known(
            state: select.text(0) ?? "", returnCode: select.integer(1), finish: select.optionalReal(2) ?? 0,
            attempts: select.integer(3))
    }

    private func addResult(_ row: StatusRowView, _ run: Int) throws(SQLiteError) {
        let state = row.returnCode == 0 ? "done" : row.returnCode == TaskOutcome.lostReturnCode ? "lost" : "failed"
        guard let known = try known(row.id), known.state != "skipped" else {
            return try put(row, run, state: state, attempt: 1)
        }
        // Of an attempt that a record knew as going on, this is the end.
        guard ["done", "failed", "lost"].contains(known.state) else {
            return try put(row, run, state: state, attempt: max(1, known.attempts))
        }
        let (isSuccess, wasSuccess) = (row.returnCode == 0, known.returnCode == 0)
        let counts = isSuccess == wasSuccess ? row.finish.seconds >= known.finish : isSuccess
        if counts {
            aside.bind(1, row.id.rawValue)
            try aside.run()
            try put(row, run, state: state, attempt: known.attempts + 1)
        } else {
            try writeAttempt(row, run, attempt: known.attempts, isGivenUp: false)
            update.bind(1, row.id.rawValue)
            update.bind(2, known.attempts + 1)
            try update.run()
        }
    }

    private func addSkipped(_ row: StatusRowView, _ run: Int) throws(SQLiteError) {
        guard try known(row.id) == nil else { return }
        try put(row, run, state: "skipped", attempt: 1)
    }

    private func addGivenUp(_ row: StatusRowView, _ run: Int) throws(SQLiteError) {
        let number =
            try database.integer("SELECT count(*) + 1 FROM attempt WHERE task_id = \(row.id.rawValue)") ?? 1
        try writeAttempt(row, run, attempt: number, isGivenUp: true)
    }

    private func put(_ row: StatusRowView, _ run: Int, state: String, attempt: Int) throws(SQLiteError) {
        bind(insert, row, run, state: state, attempt: attempt)
        try insert.run()
    }

    private func writeAttempt(
        _ row: StatusRowView, _ run: Int, attempt: Int, isGivenUp: Bool
    ) throws(SQLiteError) {
        let columns = RecordSchema.attemptColumns
        let values = (7..<23).map { "?\($0)" }.joined(separator: ", ")
        let statement = try Statement(
            database,
            "INSERT OR REPLACE INTO attempt (task_id, run, attempt, given_up, \(columns)) "
                + "VALUES (?1, ?5, ?6, \(isGivenUp ? 1 : 0), \(values))")
        bind(statement, row, run, state: "", attempt: attempt)
        try statement.run()
    }

    private func addBarrier(_ row: StatusRowView, _ run: Int, _ checks: Bool) throws(SQLiteError) {
        barrier.bind(1, run)
        barrier.bind(2, row.id.rawValue)
        barrier.bind(3, row.streamIndex)
        barrier.bind(4, checks ? 1 : 0)
        barrier.bind(5, row.finish.seconds)
        barrier.bind(6, row.commandBytes)
        try barrier.run()
    }

    /// Binds a row's columns to the numbers that all statements use: 1 id, 2 line, 3 repeat index, 4 state, 5 run,
    /// 6 attempt, 7 to 22 those of an attempt, 23 command. What a statement has not is passed over.
    private func bind(_ statement: Statement, _ row: StatusRowView, _ run: Int, state: String, attempt: Int) {
        let signal = (-64 ... -1).contains(row.returnCode) ? -Int(row.returnCode) : nil
        let ending = row.returnCode == TaskOutcome.lostReturnCode ? "engine lost" : nil
        let values: [SQLValue] = [
            .integer(row.id.rawValue), .integer(row.streamIndex), .integer(row.repeatIndex), .text(state),
            .integer(run), .integer(attempt),
            .null, .bytes([UInt8](row.text(row.node))), .null, .integer(Int(row.pid)),
            .integer(Int(row.returnCode)), signal.map { .integer($0) } ?? .null, .real(row.start.seconds),
            .real(row.finish.seconds), .null, .null, .null, ending.map { .text($0) } ?? .null,
            .integer(Int(clamping: row.outCount)), .bytes(row.undone(row.outSnippet)),
            .integer(Int(clamping: row.errCount)), .bytes(row.undone(row.errSnippet)), .bytes(row.commandBytes),
        ]
        statement.bindKnown(values)
    }
}

extension StatusRowView {
    /// A column that is a Python literal, as the bytes it stands for.
    fileprivate func undone(_ column: Range<Int>) -> [UInt8] {
        PythonLiteral.decode(text(column)) ?? [UInt8](text(column))
    }

    /// The command; a `b'...'` literal of what is no UTF-8 is undone.
    package var commandBytes: [UInt8] {
        let bytes = text(command)
        guard bytes.starts(with: "b'".utf8) || bytes.starts(with: "b\"".utf8) else { return [UInt8](bytes) }
        return PythonLiteral.decode(bytes) ?? [UInt8](bytes)
    }
}
