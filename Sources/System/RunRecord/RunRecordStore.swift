internal import DisbatchCore
internal import Glibc

/// The file of a run record, written in whole batches, each in one transaction.
///
/// Journal and locks are such that sqlite3(1) reads it while the run goes on, also from another node: no WAL, which
/// needs memory that both share. Nothing is synced: kill -9 of the driver leaves it sound, loss of its machine may
/// not, and the status file makes it anew.
final class RunRecordStore {
    let path: String
    private let limits: RecordLimits
    private let run: RunDescription
    /// The status file of the runs that the record has already.
    private let earlierStatus: String?
    /// How long that file was when the run began.
    private let earlierEnd: Int?
    private let database: Database
    /// The table writer, once the tables and this run's row are there.
    private var tables: RecordTables?
    private var droppedWritten = 0
    /// Whether the last batch met a lock, so that the next first makes sure that there is none.
    private var metLock = false

    /// Makes the file, or opens it for appending; touches nothing in it yet.
    /// - Throws: `.exists`, `.unusable` or `.sqlite`.
    init(
        path: String, appending: Bool, run: RunDescription, limits: RecordLimits, status: String? = nil,
        earlierEnd: Int? = nil
    ) throws(RunRecordError) {
        self.path = path
        earlierStatus = appending ? status : nil
        self.earlierEnd = earlierEnd
        self.run = run
        self.limits = limits
        let canLock = try Self.makeFile(path, appending: appending)
        do {
            database = try Database(path: path, locking: canLock)
        } catch {
            throw RunRecordError(path: path, reason: .sqlite(error))
        }
        database.setBusyTimeout(milliseconds: 20)  // To sit out a reader's short query.
    }

    /// Makes the file at `path` unless it may be there and is.
    /// - Returns: Whether its file system has locks; NFS without lockd has not, and there SQLite would wait for ever.
    private static func makeFile(_ path: String, appending: Bool) throws(RunRecordError) -> Bool {
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | (appending ? 0 : O_EXCL)
        let descriptor = open(path, flags, 0o666)
        guard descriptor >= 0 else {
            throw RunRecordError(path: path, reason: errno == EEXIST ? .exists : .unusable(errno))
        }
        defer { close(descriptor) }  // Drops the lock, before SQLite has any.
        var lock = flock()
        lock.l_type = Int16(F_RDLCK)
        lock.l_len = 1  // Byte 0: no byte that SQLite locks.
        return fcntl(descriptor, F_SETLK, &lock) == 0 || ![ENOLCK, ENOSYS, EOPNOTSUPP].contains(errno)
    }

    /// Writes `entries` and the count of dropped ones, all or nothing.
    /// - Returns: False where another process's lock is in the way; the same may be tried again later.
    /// - Throws: `.notARunRecord` or `.sqlite`; then the record is at its end.
    func write(_ entries: ArraySlice<RunRecordEntry>, dropped: Int) throws(RunRecordError) -> Bool {
        do throws(RunRecordError) {
            let tables = try preparedTables()
            try named { () throws(SQLiteError) in
                try transaction { () throws(SQLiteError) in
                    for entry in entries { try tables.write(entry) }
                    if dropped != droppedWritten { try tables.writeDropped(dropped) }
                }
            }
            droppedWritten = dropped
            return true
        } catch {
            guard case .sqlite(let refusal) = error.reason, refusal.isBusy else { throw error }
            metLock = true
            return false
        }
    }

    /// Runs `body`, and puts this file's name to its error.
    private func named<Result>(_ body: () throws(SQLiteError) -> Result) throws(RunRecordError) -> Result {
        do throws(SQLiteError) {
            return try body()
        } catch {
            throw RunRecordError(path: path, reason: error.isNotADatabase ? .notARunRecord : .sqlite(error))
        }
    }

    /// Adds what the record lacks of a status file. Where a lock is in the way, `waits` says whether to try again.
    func fill(
        from status: String, upTo end: Int? = nil, waits: () -> Bool, progress: () -> Void = {}
    ) throws(RunRecordError) {
        guard let filler = try? RecordFiller(database, status: status, upTo: end) else { return }
        func retrying<Result>(_ body: () throws(SQLiteError) -> Result) throws(RunRecordError) -> Result {
            while true {
                do throws(RunRecordError) { return try named(body) } catch {
                    guard case .sqlite(let refusal) = error.reason, refusal.isBusy, waits() else { throw error }
                    metLock = true
                }
            }
        }
        while let rows = try retrying({ () throws(SQLiteError) in try filler.nextMissing() }) {
            progress()
            guard !rows.isEmpty else { continue }
            try retrying { () throws(SQLiteError) in
                try transaction { () throws(SQLiteError) in try filler.add(rows) }
            }
        }
        try retrying { () throws(SQLiteError) in
            try database.execute("UPDATE run SET dropped = 0, failure = NULL WHERE dropped > 0 OR failure IS NOT NULL")
        }
        droppedWritten = 0
    }

    /// Says in the run's row that the record stops here, if that can still be written.
    func noteFailure(_ text: String, dropped: Int) {
        try? tables?.writeFailure(text, dropped: dropped)
    }

    /// Removes the journal file, if no reader is in the way: an empty one that stays does no harm.
    func finish() {
        try? database.execute("PRAGMA journal_mode = DELETE")
    }

    /// Runs `body` in a transaction, which is undone where `body` or the commit fails. To hold on to it instead would
    /// keep new readers out until the one that is in the way is done.
    private func transaction(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        try database.execute(metLock ? "BEGIN EXCLUSIVE" : "BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            try body()
            try database.execute("COMMIT")
        } catch {
            if database.isInTransaction { try? database.execute("ROLLBACK") }
            throw error
        }
        metLock = false
    }

    // MARK: The beginning

    private func preparedTables() throws(RunRecordError) -> RecordTables {
        if let tables { return tables }
        try named(setPragmas)
        let isNew = try checkFile()
        // An earlier run may have left something out, or have had no record.
        if !isNew, let earlierStatus { try fill(from: earlierStatus, upTo: earlierEnd) { false } }
        let made = try named { () throws(SQLiteError) in
            var run = 0
            try transaction { () throws(SQLiteError) in
                if isNew { try makeTables() }
                run = try RecordTables.insertRun(self.run, into: database)
            }
            return try RecordTables(database, run: run)
        }
        tables = made
        return made
    }

    private func makeTables() throws(SQLiteError) {
        try database.execute(RecordSchema.statements)
        try database.execute("PRAGMA application_id = \(RecordSchema.applicationID)")
        try database.execute("PRAGMA user_version = \(RecordSchema.version)")
    }

    private func setPragmas() throws(SQLiteError) {
        // TRUNCATE rather than DELETE: the same safety, and no directory operation on a shared file system for each
        // transaction. Never spilling, as that needs the exclusive lock before the commit; chunks bound the memory.
        try database.execute(
            """
            PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA cache_size = -2048;
            PRAGMA cache_spill = OFF; PRAGMA temp_store = MEMORY
            """)
        if let pages = limits.maxPageCount { try database.execute("PRAGMA max_page_count = \(pages)") }
    }

    /// Whether the file is empty, as it is when new or when a driver died at once.
    /// - Throws: `.notARunRecord` where it holds anything else than this version's tables; `.sqlite`.
    private func checkFile() throws(RunRecordError) -> Bool {
        let (tables, application, version) = try named { () throws(SQLiteError) in
            (
                try database.integer("SELECT count(*) FROM sqlite_schema"),
                try database.integer("PRAGMA application_id"), try database.integer("PRAGMA user_version")
            )
        }
        if tables == 0 { return true }
        guard application == RecordSchema.applicationID && version == RecordSchema.version else {
            throw RunRecordError(path: path, reason: .notARunRecord)
        }
        return false
    }
}
