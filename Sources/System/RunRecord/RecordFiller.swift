internal import DisbatchCore
internal import Glibc
package import LinuxSystem

/// Brings into a run record what only the status file has: entries that were dropped, or came when the record could not
/// be written.
package final class RecordFiller {
    private let database: Database
    private let path: String
    private let file: Descriptor
    private var scanner = StatusFileScanner()
    private var left: Int
    private var block = [UInt8](repeating: 0, count: 1 << 18)
    /// The process of each task whose end the record has, by the task's number; 0 of others.
    private var ended: [Int32] = []
    private var rebuilder: RecordRebuilder?

    /// Records of more tasks are asked for each row, so that memory has a bound.
    private static let mostListed = 1 << 24

    /// - Parameter end: where to stop reading; nil is the file's end.
    package init(_ database: Database, status path: String, upTo end: Int? = nil) throws(SystemError) {
        left = end ?? .max
        self.database = database
        self.path = path
        file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
    }

    /// Whether the record lacks the end of a task that the status file has. Reads until it finds one.
    package func findsMissing() throws(SQLiteError) -> Bool {
        while let rows = try nextMissing() { if !rows.isEmpty { return true } }
        return false
    }

    /// The rows of the file's next piece that the record has nothing of; nil at its end.
    func nextMissing() throws(SQLiteError) -> [[UInt8]]? {
        if find == nil {
            try list()
            find = try Statement(database, Self.findText)
        }
        var missing: [[UInt8]] = []
        let isMore = try readBlock { row throws(SQLiteError) in
            if try isMissing(row) { missing.append([UInt8](row.bytes)) }
        }
        return isMore ? missing : nil
    }

    /// Adds rows, in a transaction of the caller's.
    func add(_ rows: [[UInt8]]) throws(SQLiteError) {
        let rebuilder = if let rebuilder { rebuilder } else { try RecordRebuilder(filling: database) }
        self.rebuilder = rebuilder
        for bytes in rows {
            var failure: SQLiteError?
            bytes.withUnsafeBytes { bytes in
                do throws(SQLiteError) {
                    if let row = try? StatusRowView(bytes) { try rebuilder.add(row) }
                } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    // MARK: Rows

    /// Notes which ends the record has.
    private func list() throws(SQLiteError) {
        let last = try database.integer("SELECT max(id) FROM task") ?? -1
        guard last < Self.mostListed else { return }
        ended = Array(repeating: 0, count: last + 1)
        let rows = try Statement(
            database, "SELECT id, pid FROM task WHERE state IN ('done', 'failed', 'lost') AND pid IS NOT NULL")
        while try rows.next() {
            let id = rows.integer(0)
            if ended.indices.contains(id) { ended[id] = Int32(clamping: rows.integer(1)) }
        }
    }

    private var find: Statement?
    private static let findText = """
        SELECT 1 FROM task WHERE id = ?1 AND pid = ?2 AND abs(start - ?3) < 0.001
            AND state IN ('done', 'failed', 'lost')
          UNION ALL SELECT 1 FROM attempt WHERE task_id = ?1 AND pid = ?2 AND abs(start - ?3) < 0.001
        """

    /// Whether a row is of the end of a task that the record has nothing of.
    private func isMissing(_ row: StatusRowView) throws(SQLiteError) -> Bool {
        guard row.kind == .ended(.task) else { return false }
        let id = row.id.rawValue
        if ended.indices.contains(id), ended[id] == row.pid, row.pid != 0 { return false }
        guard let find else { return false }
        find.bind(1, id)
        find.bind(2, Int(row.pid))
        find.bind(3, row.start.seconds)
        defer { find.reset() }
        return try !find.next()
    }

    /// Hands out the rows of the next block. What is no row is passed over.
    private func readBlock(_ body: (StatusRowView) throws(SQLiteError) -> Void) throws(SQLiteError) -> Bool {
        let wanted = min(left, block.count)
        let result = block.withUnsafeMutableBytes {
            file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
        }
        guard case .bytes(let count) = result else { return false }
        left -= count
        var failure: SQLiteError?
        block.withUnsafeBytes { bytes in
            do throws(SQLiteError) {
                try scanner.scan(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { line throws(SQLiteError) in
                    if let row = try? StatusRowView(line.bytes) { try body(row) }
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return !scanner.isTooLong
    }
}
