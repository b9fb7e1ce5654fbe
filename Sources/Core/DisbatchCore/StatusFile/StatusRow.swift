/// The rows of a status file as disBatch 3.0 writes them: 15 columns separated by tabs, the command last, ended by LF.
///
/// There is one formatter, and the driver alone calls it.
package enum StatusRow {
    /// The row that `--status-header` puts first, with its LF.
    package static let header = [UInt8]((columnNames.joined(separator: "\t") + "\n").utf8)

    /// The names of the columns in ``header``.
    package static let columnNames = [
        "ROE[ PSZ]", "TaskID", "LineNum", "RepeatIndex", "Node", "PID", "ReturnCode", "Elapsed", "Start", "Finish",
        "BytesOfLeakedOutput", "OutputSnippet", "BytesOfLeakedError", "ErrorSnippet", "Command",
    ]

    /// Appends the row of an ended task or per-engine command.
    package static func append(_ task: RecordedTask, to rows: inout [UInt8]) {
        let outcome = task.outcome
        rows.append(outcome.failed ? UInt8(ascii: "R") : blank)
        rows.append(outcome.out.count > 0 ? UInt8(ascii: "O") : blank)
        rows.append(outcome.err.count > 0 ? UInt8(ascii: "E") : blank)
        rows.append(flag(of: task.kind))
        appendNumbers(
            id: task.spec.id, streamIndex: task.spec.streamIndex, repeatIndex: task.spec.repeatIndex, to: &rows)
        appendPlace(node: task.node, pid: outcome.pid, returnCode: outcome.returnCode, to: &rows)
        appendTimes(start: outcome.start, finish: outcome.finish, to: &rows)
        append(outcome.out, to: &rows)
        append(outcome.err, to: &rows)
        appendCommand(task.spec.command, to: &rows)
    }

    /// Appends the row of a barrier that was met: `B`, or `C` if it checks. `node` and `pid` are the driver's, `start`
    /// is when the barrier was read. Its return code is 0 even if the check fails, as in disBatch.
    package static func append(
        _ barrier: Barrier, node: String, pid: Int32, start: Timestamp, finish: Timestamp, to rows: inout [UInt8]
    ) {
        rows.append(barrier.checks ? UInt8(ascii: "C") : UInt8(ascii: "B"))
        for _ in 0..<4 { rows.append(blank) }
        appendNumbers(id: barrier.id, streamIndex: barrier.streamIndex, repeatIndex: -1, to: &rows)
        appendPlace(node: node, pid: pid, returnCode: 0, to: &rows)
        appendTimes(start: start, finish: finish, to: &rows)
        append(OutputSummary(), to: &rows)
        append(OutputSummary(), to: &rows)
        appendCommand(barrier.line, to: &rows)
    }

    /// Appends the row of an earlier run's task again, with `S` as its fourth flag and all else as it is.
    package static func append(skipping row: StatusRowView, to rows: inout [UInt8]) {
        let flagIndex = rows.count + 3
        rows.append(contentsOf: row.bytes)
        rows[flagIndex] = flag(of: .skipped)
        rows.append(UInt8(ascii: "\n"))
    }

    // MARK: Columns

    private static let blank = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")

    private static func flag(of kind: RowKind) -> UInt8 {
        switch kind {
        case .task: blank
        case .perEngine: UInt8(ascii: "P")
        case .skipped: UInt8(ascii: "S")
        case .givenUp: UInt8(ascii: "Z")
        }
    }

    private static func appendNumbers(id: TaskID, streamIndex: Int, repeatIndex: Int, to rows: inout [UInt8]) {
        rows.append(tab)
        rows.appendDecimal(id.rawValue)
        rows.append(tab)
        rows.appendDecimal(streamIndex)
        rows.append(tab)
        rows.appendDecimal(repeatIndex)
        rows.append(tab)
    }

    private static func appendPlace(node: String, pid: Int32, returnCode: Int32, to rows: inout [UInt8]) {
        rows.append(contentsOf: node.utf8)
        rows.append(tab)
        rows.appendDecimal(Int(pid))
        rows.append(tab)
        rows.appendDecimal(Int(returnCode))
        rows.append(tab)
    }

    /// The elapsed time is rounded by itself, so it can differ by 0.001 from the difference of the other two.
    private static func appendTimes(start: Timestamp, finish: Timestamp, to rows: inout [UInt8]) {
        let (elapsed, overflow) = finish.microseconds.subtractingReportingOverflow(start.microseconds)
        rows.appendSeconds(microseconds: overflow ? 0 : max(0, elapsed))
        rows.append(tab)
        rows.appendSeconds(microseconds: start.microseconds)
        rows.append(tab)
        rows.appendSeconds(microseconds: finish.microseconds)
        rows.append(tab)
    }

    private static func append(_ output: OutputSummary, to rows: inout [UInt8]) {
        rows.appendDecimal(output.count)
        rows.append(tab)
        PythonLiteral.appendSnippet(output, to: &rows)
        rows.append(tab)
    }

    /// The command as it is; as Python's `b'...'` literal what is no UTF-8 or no line, so that the file is always UTF-8
    /// and a row always a line.
    private static func appendCommand(_ command: [UInt8], to rows: inout [UInt8]) {
        command.withUnsafeBytes { bytes in
            if UTF8Text.isValid(bytes), !bytes.contains(UInt8(ascii: "\n")) {
                rows.append(contentsOf: command)
            } else {
                PythonLiteral.appendBytes(bytes, to: &rows)
            }
        }
        rows.append(UInt8(ascii: "\n"))
    }
}
