internal import CSQLite

/// An error of SQLite's: its code, its message, and the statement.
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    /// SQLite's extended result code.
    package var code: Int32
    package var message: String
    /// The statement, or what else was being done.
    package var sql: String

    package var description: String { "\(message) (SQLite \(code), at \(sql))" }

    /// Whether another connection's lock was in the way, so that the same may succeed later.
    package var isBusy: Bool { code & 0xff == SQLITE_BUSY }

    /// Whether the file is no SQLite database at all.
    package var isNotADatabase: Bool { code == SQLITE_NOTADB }

    /// Whether something must be written before the file can be read: its writer died, and left a journal.
    var needsWriting: Bool { code & 0xff == SQLITE_READONLY }
}
