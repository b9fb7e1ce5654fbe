internal import CSQLite

/// One SQLite connection. Not for two threads at once: its owner is the thread that opened it.
package final class Database {
    let handle: OpaquePointer

    /// SQLite counts the memory it uses under a lock, once and again for each statement: nobody asks.
    private static let memoryIsUncounted = csqlite_config_int(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK

    /// Opens the existing file at `path`; an empty one is a database of its own, that goes with the connection.
    /// - Parameters:
    ///   - readOnly: Whether writing is refused.
    ///   - locking: False for a file system without locks: the file is then neither locked nor are others' locks seen.
    /// - Throws: What sqlite3_open_v2 says. Whether the file is a database shows only at the first statement.
    package init(path: String, readOnly: Bool = false, locking: Bool = true) throws(SQLiteError) {
        _ = Self.memoryIsUncounted
        let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, locking ? nil : "unix-none")
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message, sql: "opening \(path)")
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
    }

    deinit { sqlite3_close_v2(handle) }  // Statements that are still alive keep it open until they go.

    /// How long a statement tries again by itself when it meets another connection's lock.
    package func setBusyTimeout(milliseconds: Int32) { sqlite3_busy_timeout(handle, milliseconds) }

    /// Runs every statement of `sql`, whose rows are thrown away.
    package func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, sql) }
    }

    /// Runs one statement with `values` for its parameters, in order.
    package func execute(_ sql: String, _ values: [SQLValue]) throws(SQLiteError) {
        let statement = try Statement(self, sql)
        for (offset, value) in values.enumerated() { statement.bind(Int32(offset + 1), value) }
        try statement.run()
    }

    /// The first column of the first row, as an integer; nil where there is no row.
    package func integer(_ sql: String) throws(SQLiteError) -> Int? {
        let statement = try Statement(self, sql)
        return try statement.next() ? statement.integer(0) : nil
    }

    var lastInsertedRow: Int { Int(sqlite3_last_insert_rowid(handle)) }

    /// Whether a transaction is open. SQLite ends one by itself after some errors, such as a full disk.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// The error that SQLite last met on this connection.
    func error(_ code: Int32, _ sql: String) -> SQLiteError {
        SQLiteError(code: code, message: String(cString: sqlite3_errmsg(handle)), sql: sql)
    }
}
