import DisbatchCore
import Glibc
import LinuxSystem
import RunRecord
import RunReports

/// A status file that is read from its beginning, a block at a time.
final class StatusFile {
    let path: String
    private let file: Descriptor
    private var scanner = StatusFileScanner()
    private var block = [UInt8](repeating: 0, count: 1 << 18)

    init(_ path: String) throws(ReportError) {
        self.path = path
        do throws(SystemError) { file = try Descriptor.open(path, O_RDONLY) } catch {
            throw ReportError("\(path): \(error.reason)")
        }
    }

    /// Hands out the rows of the next block, with where they begin, less what a driver has not written to its end.
    /// - Returns: False at the end of the file.
    func readBlock(_ body: (StatusRowView, UInt64) throws(ReportError) -> Void) throws(ReportError) -> Bool {
        let path = path
        switch block.withUnsafeMutableBytes({ file.read(into: $0) }) {
        case .ended, .wouldBlock: return false
        case .failed(let code): throw ReportError("\(path): \(SystemError("", code: code).reason)")
        case .bytes(let count):
            var failure: ReportError?
            block.withUnsafeBytes { bytes in
                do throws(ReportError) {
                    let filled = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    try scanner.scan(filled) { line throws(ReportError) in
                        if line.number == 1, StatusRowView.isHeader(line.bytes) { return }
                        try body(try Self.row(line, path), line.offset)
                    }
                } catch { failure = error }
            }
            if let failure { throw failure }
            if scanner.isTooLong {
                throw ReportError(
                    "\(path):\(scanner.lineCount + 1): a line of more than 64 MiB\nIs this the status file of a run?")
            }
            return true
        }
    }

    private static func row(_ line: StatusFileLine, _ path: String) throws(ReportError) -> StatusRowView {
        do throws(StatusRowError) { return try StatusRowView(line.bytes) } catch {
            throw ReportError("\(path):\(line.number): \(error)\nIs this the status file of a run?")
        }
    }

    /// Hands out all rows.
    func forEachRow(_ body: (StatusRowView, UInt64) throws(ReportError) -> Void) throws(ReportError) {
        while try readBlock(body) {}
    }

    /// The row that begins at `offset`, given to `body`; nil where it is no row any more.
    func row<Result>(at offset: UInt64, length: Int, _ body: (StatusRowView) -> Result) -> Result? {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = bytes.withUnsafeMutableBytes { pread(file.raw, $0.baseAddress, length, off_t(offset)) }
        guard count == length else { return nil }
        return bytes.withUnsafeBytes { (try? StatusRowView($0)).map(body) }
    }
}

/// The rows of a status file that stand for tasks which an earlier run did, in rising order of id, as a run writes
/// them. Rows that are out of order are passed over.
final class SkippedRows {
    private let file: StatusFile
    private var found: [TaskRow] = []
    private var next = 0
    private var last = -1

    init(_ file: StatusFile) { self.file = file }

    /// The first row that was not taken.
    func peek() throws(ReportError) -> TaskRow? {
        while next == found.count {
            found.removeAll(keepingCapacity: true)
            next = 0
            let isMore = try file.readBlock { row, _ throws(ReportError) in
                guard row.kind == .ended(.skipped), row.id.rawValue > last else { return }
                last = row.id.rawValue
                found.append(TaskRow(skipped: row))
            }
            if !isMore, found.isEmpty { return nil }
        }
        return found[next]
    }

    func take() { next += 1 }
}

extension TaskRow {
    /// A task that an earlier run did, from its row in a status file.
    init(skipped row: StatusRowView) {
        self.init(
            id: row.id.rawValue, line: row.streamIndex, repeatIndex: row.repeatIndex, state: .skipped,
            command: row.commandBytes)
        node = [UInt8](row.text(row.node))
        pid = Int(row.pid)
        returnCode = Int(row.returnCode)
        start = Double(row.start.microseconds) / 1e6
        finish = Double(row.finish.microseconds) / 1e6
        outBytes = Int(clamping: row.outCount)
        outSnippet = TaskRow.whole(PythonLiteral.decode(row.text(row.outSnippet)), count: outBytes)
        errBytes = Int(clamping: row.errCount)
        errSnippet = TaskRow.whole(PythonLiteral.decode(row.text(row.errSnippet)), count: errBytes)
        attempts = 1
    }
}
