import DisbatchCore
import Glibc
import LinuxSystem
import RunClient
import RunRecord
import RunReports

/// The run record of a run; where there is none, one made of its status file for the while.
final class RecordSource {
    let paths: RunPaths
    let facts: RunFacts
    /// Warnings for the user.
    let warnings: [String]
    private let database: Database
    private let tasks: Statement
    /// Whether an earlier run's tasks were skipped that the record has nothing of.
    let hasSkipped: Bool

    /// How many rows are read at a time: the driver can't write meanwhile.
    private static let lot = 2_000

    init(_ paths: RunPaths) throws(ReportError) {
        self.paths = paths
        var warnings: [String] = []
        var database: Database?
        if (FileStatus.of(Array(paths.record.utf8))?.size ?? 0) > 0 {
            do throws(RunRecordError) { database = try RecordOpening.open(paths.record) } catch {
                guard FileStatus.of(Array(paths.status.utf8)) != nil else {
                    throw ReportError("\(error)\nIts status file \(paths.status) isn't there either.")
                }
                warnings.append("\(error); the status file is read instead (dbutil --rebuild makes the record anew)")
            }
        }
        let isFromStatus = database == nil
        var opened: Database
        if let database { opened = database } else { opened = try Self.temporary(paths.status) }
        if !isFromStatus, Self.lacksRows(opened, paths) {
            opened = try Self.temporary(paths.status, adopting: paths.record)
        }
        self.database = opened
        self.warnings = warnings
        let path = isFromStatus ? paths.status : paths.record
        (facts, tasks, hasSkipped) = try Self.named(path) { () throws(SQLiteError) in
            (
                try Self.facts(opened, paths, isFromStatus: isFromStatus),
                try Statement(
                    opened, "SELECT \(Self.taskColumns) FROM task WHERE id > ?1 ORDER BY id LIMIT \(Self.lot)"),
                try opened.integer("SELECT EXISTS (SELECT 1 FROM skipped)") == 1 && !isFromStatus
            )
        }
    }

    /// A record in a temporary file, which goes with this process.
    private static func temporary(_ status: String, adopting record: String? = nil) throws(ReportError) -> Database {
        let file = try StatusFile(status)
        return try named(status) { () throws(SQLiteError) in try Database(path: "") }
            .filled(from: [file], adopting: record)
    }

    /// Whether the status file has ends of tasks that the record lacks. It is asked where the record says so itself,
    /// has no end, or is older than the status file; a record that goes on comes after it.
    private static func lacksRows(_ database: Database, _ paths: RunPaths) -> Bool {
        guard let status = FileStatus.of(Array(paths.status.utf8)), status.kind == .regular,
            let rows = try? Statement(
                database, "SELECT finish, dropped, failure FROM run ORDER BY id DESC LIMIT 1"),
            (try? rows.next()) == true
        else { return false }
        defer { rows.reset() }
        let isMarked = rows.integer(1) > 0 || rows.text(2) != nil
        let isOlder = rows.optionalReal(0).map { Double(status.modified) / 1e9 > $0 + 2 } ?? true
        guard isMarked || isOlder && !paths.isActive else { return false }
        rows.reset()
        return (try? RecordFiller(database, status: paths.status).findsMissing()) == true
    }

    private static func facts(
        _ database: Database, _ paths: RunPaths, isFromStatus: Bool
    ) throws(SQLiteError) -> RunFacts {
        var facts = RunFacts(prefix: paths.prefix)
        facts.isFromStatus = isFromStatus
        let rows = try Statement(
            database,
            """
            SELECT start, finish, exit_status, summary, total_tasks, dropped, failure, source, host, user, version,
              working_directory, command_line, (SELECT count(*) FROM run) FROM run ORDER BY id DESC LIMIT 1
            """)
        if try rows.next() {
            facts.start = rows.optionalReal(0)
            facts.finish = rows.optionalReal(1)
            facts.exitStatus = rows.optionalInteger(2)
            facts.summary = rows.text(3)
            facts.totalTasks = rows.optionalInteger(4)
            facts.dropped = rows.integer(5)
            facts.failure = rows.text(6)
            facts.source = rows.text(7)
            facts.host = rows.text(8)
            facts.user = rows.text(9)
            facts.version = rows.text(10)
            facts.workingDirectory = rows.text(11)
            facts.commandLine = rows.text(12)
            facts.runCount = max(1, rows.integer(13))
            rows.reset()
        }
        facts.failedPerEngine =
            try database.integer(
                "SELECT count(*) FROM per_engine WHERE return_code <> 0 AND run = (SELECT max(id) FROM run)") ?? 0
        if facts.finish == nil, !isFromStatus { try takeEnd(of: paths, into: &facts, database) }
        facts.isActive = (facts.finish == nil || isFromStatus) && paths.isActive
        if facts.isActive, isFromStatus { facts.finish = nil }
        return facts
    }

    /// Takes the end of a run that its record has not, but its run file.
    private static func takeEnd(
        of paths: RunPaths, into facts: inout RunFacts, _ database: Database
    ) throws(SQLiteError) {
        guard let file = try? RunFile.read(paths.runFile), let status = file.exitStatus, let start = facts.start,
            abs(Double(file.start.microseconds) / 1e6 - start) < 1
        else { return }
        facts.exitStatus = Int(status)
        facts.summary = file.summary
        let rows = try Statement(database, "SELECT max(finish) FROM task")
        if try rows.next() { facts.finish = rows.optionalReal(0) ?? start }
        rows.reset()
    }

    /// Runs `body`, and puts the file's name to its error.
    private static func named<Result>(
        _ path: String, _ body: () throws(SQLiteError) -> Result
    ) throws(ReportError) -> Result {
        do throws(SQLiteError) { return try body() } catch {
            let advice =
                error.isBusy
                ? "Another program holds its lock; try again." : "dbutil --rebuild makes it anew from the status file."
            throw ReportError("\(path): \(error.message)\n\(advice)")
        }
    }

    private func reading<Result>(_ body: () throws(SQLiteError) -> Result) throws(ReportError) -> Result {
        try Self.named(paths.record, body)
    }

    // MARK: Tasks

    private static let attemptColumns = """
        engine, node, cylinder, pid, return_code, signal, start, finish, user_seconds, system_seconds, \
        peak_memory_kib, ending, out_bytes, out_snippet, err_bytes, err_snippet
        """
    private static let taskColumns = "\(attemptColumns), id, line, repeat_index, state, attempts, run, command"

    /// The next tasks with a number above `id`, in its order; none at the end.
    func tasks(after id: Int) throws(ReportError) -> [TaskRow] {
        try reading { () throws(SQLiteError) in
            var rows: [TaskRow] = []
            tasks.bind(1, .integer(id))
            while try tasks.next() { rows.append(Self.task(tasks)) }
            return rows
        }
    }

    private static func task(_ statement: Statement) -> TaskRow {
        var row = TaskRow(
            id: statement.integer(16), line: statement.integer(17), repeatIndex: statement.integer(18),
            state: statement.text(19).flatMap(TaskState.init(rawValue:)) ?? .abandoned,
            command: statement.bytes(22) ?? [])
        row.attempts = statement.integer(20)
        row.run = statement.optionalInteger(21)
        fill(&row, statement)
        return row
    }

    private static func fill(_ row: inout TaskRow, _ statement: Statement) {
        row.engine = statement.optionalInteger(0)
        row.node = statement.bytes(1)
        row.slot = statement.optionalInteger(2)
        row.pid = statement.optionalInteger(3)
        row.returnCode = statement.optionalInteger(4)
        row.signal = statement.optionalInteger(5)
        row.start = statement.optionalReal(6)
        row.finish = statement.optionalReal(7)
        row.userSeconds = statement.optionalReal(8)
        row.systemSeconds = statement.optionalReal(9)
        row.memory = statement.optionalInteger(10).map { $0 * 1024 }
        row.ending = statement.bytes(11)
        row.outBytes = statement.optionalInteger(12)
        row.outSnippet = TaskRow.whole(statement.bytes(13), count: row.outBytes)
        row.errBytes = statement.optionalInteger(14)
        row.errSnippet = TaskRow.whole(statement.bytes(15), count: row.errBytes)
    }

    /// All attempts at one task, the first one first.
    func attempts(of task: TaskRow) throws(ReportError) -> [AttemptRow] {
        try reading { () throws(SQLiteError) in
            let rows = try Statement(
                database,
                """
                SELECT \(Self.attemptColumns), run, attempt, given_up FROM attempts WHERE task_id = ?
                ORDER BY run, attempt, given_up
                """)
            rows.bind(1, .integer(task.id))
            var found: [AttemptRow] = []
            while try rows.next() {
                var row = task
                Self.fill(&row, rows)
                found.append(
                    AttemptRow(
                        run: rows.integer(16), number: rows.integer(17), isGivenUp: rows.integer(18) == 1, row: row))
            }
            return found
        }
    }

    /// Hands out when each attempt of the last run that was not a task's last began and ended.
    func forEachEarlierAttempt(_ body: (Double, Double) -> Void) throws(ReportError) {
        var (task, attempt) = (-1, -1)
        while true {
            let count = try reading { () throws(SQLiteError) in
                let rows = try Statement(
                    database,
                    """
                    SELECT task_id, attempt, start, finish FROM attempt
                    WHERE (task_id, attempt) > (?, ?) AND given_up = 0 AND run = (SELECT max(id) FROM run)
                    ORDER BY task_id, attempt LIMIT \(Self.lot)
                    """)
                rows.bind(1, .integer(task))
                rows.bind(2, .integer(attempt))
                var count = 0
                while try rows.next() {
                    (task, attempt) = (rows.integer(0), rows.integer(1))
                    if let start = rows.optionalReal(2), let finish = rows.optionalReal(3) { body(start, finish) }
                    count += 1
                }
                return count
            }
            if count < Self.lot { return }
        }
    }

    /// The engines of the last run.
    func engines() throws(ReportError) -> [EngineSpan] {
        try reading { () throws(SQLiteError) in
            let rows = try Statement(
                database,
                """
                SELECT node, slots, joined, ended, reason FROM engine
                WHERE run = (SELECT max(id) FROM run) ORDER BY rank
                """
            )
            var engines: [EngineSpan] = []
            while try rows.next() {
                guard let joined = rows.optionalReal(2) else { continue }
                engines.append(
                    EngineSpan(
                        node: rows.bytes(0) ?? [], slots: rows.integer(1), joined: joined, ended: rows.optionalReal(3),
                        reason: rows.text(4)))
            }
            return engines
        }
    }
}

extension Database {
    /// Fills an empty database with what status files say.
    func filled(from files: [StatusFile], adopting record: String? = nil) throws(ReportError) -> Database {
        let name = files.first?.path ?? ""
        func checked<Result>(_ body: () throws(SQLiteError) -> Result) throws(ReportError) -> Result {
            do throws(SQLiteError) { return try body() } catch {
                throw ReportError("\(name): no run record can be made of it: \(error.message)")
            }
        }
        let rebuilder = try checked { () throws(SQLiteError) in try RecordRebuilder(self) }
        if let record {
            try checked { () throws(SQLiteError) in try rebuilder.adoptRuns(of: record) }
        }
        for file in files {
            var (start, finish) = (Timestamp(microseconds: .max), Timestamp(microseconds: .min))
            try file.forEachRow { row, _ throws(ReportError) in
                if row.kind != .ended(.skipped) {
                    start = min(start, row.start)
                    finish = max(finish, row.finish)
                }
                try checked { () throws(SQLiteError) in try rebuilder.add(row) }
            }
            if !rebuilder.hasRuns, start < finish || start == finish {
                try checked { () throws(SQLiteError) in
                    try rebuilder.addRun(start: start, finish: finish, host: nil)
                }
            }
        }
        try checked { () throws(SQLiteError) in
            if let record { try rebuilder.adoptDetails(of: record) }
            try rebuilder.finish()
        }
        return self
    }
}
