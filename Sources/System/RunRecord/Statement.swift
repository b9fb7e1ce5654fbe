internal import CSQLite

/// A value for a statement's parameter.
package enum SQLValue {
    case null
    case integer(Int)
    case real(Double)
    case text(String)
    /// Text where the bytes are that, else a blob.
    case bytes([UInt8])

    static func optional(_ number: Int?) -> SQLValue { number.map { .integer($0) } ?? .null }
}

/// A prepared statement of one ``Database``, on that one's thread.
package final class Statement {
    private let database: Database
    private let handle: OpaquePointer
    private let sql: String
    /// The first refusal of a bind since the last run: so that callers check once, at `run`.
    private var refusal = SQLITE_OK

    /// SQLITE_TRANSIENT, a macro that isn't imported: SQLite copies what it is given.
    private nonisolated(unsafe) static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Prepares the first statement of `sql`.
    package init(_ database: Database, _ sql: String) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v2(database.handle, sql, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw database.error(code, sql) }
        self.database = database
        self.sql = sql
        handle = prepared
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Parameters, counted from 1

    func bind(_ index: Int32, _ value: Int) { note(sqlite3_bind_int64(handle, index, Int64(value))) }

    func bind(_ index: Int32, _ value: Double) { note(sqlite3_bind_double(handle, index, value)) }

    func bindNull(_ index: Int32) { note(sqlite3_bind_null(handle, index)) }

    /// Binds text that lives as long as the program, without a copy.
    func bind(_ index: Int32, _ text: StaticString) {
        let start = UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
        note(sqlite3_bind_text(handle, index, start, Int32(text.utf8CodeUnitCount), nil))
    }

    func bind(_ index: Int32, _ text: String) {
        var text = text
        text.withUTF8 { bindText(index, $0) }
    }

    /// Binds bytes: as text if they are UTF-8 without a NUL (at which SQLite's own functions would stop), else as a
    /// blob.
    func bind(_ index: Int32, _ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { buffer in
            if buffer.isText {
                bindText(index, buffer)
            } else {
                note(sqlite3_bind_blob(handle, index, buffer.baseAddress, Int32(buffer.count), Self.transient))
            }
        }
    }

    /// Binds a value.
    package func bind(_ index: Int32, _ value: SQLValue) {
        switch value {
        case .null: bindNull(index)
        case .integer(let number): bind(index, number)
        case .real(let number): bind(index, number)
        case .text(let text): bind(index, text)
        case .bytes(let bytes): bind(index, bytes)
        }
    }

    /// Binds values to parameters 1, 2 and so on; those that the statement lacks are passed over.
    func bindKnown(_ values: [SQLValue]) {
        let last = sqlite3_bind_parameter_count(handle)
        for (offset, value) in values.enumerated() where offset < last { bind(Int32(offset + 1), value) }
    }

    private func bindText(_ index: Int32, _ text: UnsafeBufferPointer<UInt8>) {
        guard !text.isEmpty else { return bind(index, "" as StaticString) }
        text.withMemoryRebound(to: CChar.self) {
            note(sqlite3_bind_text(handle, index, $0.baseAddress, Int32($0.count), Self.transient))
        }
    }

    private func note(_ code: Int32) {
        if code != SQLITE_OK && refusal == SQLITE_OK { refusal = code }
    }

    // MARK: Running

    /// Runs it to its end and makes it ready to be run again; the parameters stay.
    package func run() throws(SQLiteError) {
        while try next() {}
    }

    /// Steps to the next row. After the last it is ready to be run again.
    /// - Returns: Whether there is a row.
    package func next() throws(SQLiteError) -> Bool {
        guard refusal == SQLITE_OK else {
            defer { refusal = SQLITE_OK }
            throw database.error(refusal, sql)
        }
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            let failure = database.error(code, sql)
            sqlite3_reset(handle)
            throw failure
        }
        sqlite3_reset(handle)
        return false
    }

    // MARK: The row's columns, counted from 0

    var columnCount: Int32 { sqlite3_column_count(handle) }

    /// The column as an integer; 0 where it is NULL.
    package func integer(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }

    /// The column as text; nil where it is NULL.
    package func text(_ column: Int32) -> String? { sqlite3_column_text(handle, column).map { String(cString: $0) } }

    /// Makes it ready to be run again before its last row, and lets go of its lock.
    package func reset() { sqlite3_reset(handle) }

    /// Whether the column is NULL.
    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    /// The column as a number; nil where it is NULL.
    package func optionalInteger(_ column: Int32) -> Int? { isNull(column) ? nil : integer(column) }

    /// The column as a number; nil where it is NULL.
    package func optionalReal(_ column: Int32) -> Double? {
        isNull(column) ? nil : sqlite3_column_double(handle, column)
    }

    /// The column's bytes, of text or blob; nil where it is NULL.
    package func bytes(_ column: Int32) -> [UInt8]? {
        guard !isNull(column) else { return nil }
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
