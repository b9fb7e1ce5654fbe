internal import Glibc

/// Opening a run record to read it.
package enum RecordOpening {
    /// How long a reader waits for the writer's lock, in milliseconds: a transaction takes far less.
    private static let patience: Int32 = 10_000

    /// Opens the record at `path`, read-only.
    ///
    /// Each statement holds a lock from its first row to its end, and keeps the driver from writing for as long: so
    /// rows are read in small lots.
    /// - Throws: `.unusable`, `.notARunRecord` or `.sqlite`.
    package static func open(_ path: String) throws(RunRecordError) -> Database {
        guard access(path, R_OK) == 0 else { throw RunRecordError(path: path, reason: .unusable(errno)) }
        do throws(SQLiteError) {
            return try checked(path, readOnly: true)
        } catch {
            // A writer that was killed left a half-done transaction, which only who may write can take back.
            if error.needsWriting, let database = try? checked(path, readOnly: false) { return database }
            throw RunRecordError(path: path, reason: error.isNotARecord ? .notARunRecord : .sqlite(error))
        }
    }

    private static func checked(_ path: String, readOnly: Bool) throws(SQLiteError) -> Database {
        let database = try Database(path: path, readOnly: readOnly, locking: canLock(path))
        database.setBusyTimeout(milliseconds: patience)
        let application = try database.integer("PRAGMA application_id")
        let version = try database.integer("PRAGMA user_version")
        guard application == RecordSchema.applicationID, version == RecordSchema.version else {
            throw SQLiteError.notARecord
        }
        try database.execute("PRAGMA temp_store = FILE; PRAGMA cache_size = -4096")
        return database
    }

    /// Whether the file's system has locks: NFS without lockd has not.
    private static func canLock(_ path: String) -> Bool {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_RDLCK)
        lock.l_len = 1
        return fcntl(descriptor, F_SETLK, &lock) == 0 || ![ENOLCK, ENOSYS, EOPNOTSUPP].contains(errno)
    }
}

extension SQLiteError {
    fileprivate static let notARecord = SQLiteError(code: -1, message: "not a run record", sql: "")

    fileprivate var isNotARecord: Bool { isNotADatabase || self == .notARecord }
}
