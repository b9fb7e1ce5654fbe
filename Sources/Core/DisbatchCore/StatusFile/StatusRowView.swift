/// The kind of a row of a status file, by its flags.
package enum StatusRowKind: Equatable, Sendable {
    case ended(RowKind)
    case barrier(checks: Bool)
}

/// One row of a status file, read where it stands: columns of text are ranges of ``bytes``.
///
/// It must not outlive the memory that it was read from. Rows of disBatch 2.x and 3.0 are both read.
package struct StatusRowView {
    /// The row without its LF.
    package let bytes: UnsafeRawBufferPointer
    package let kind: StatusRowKind
    package let id: TaskID
    package let streamIndex: Int
    package let repeatIndex: Int
    package let node: Range<Int>
    package let pid: Int32
    package let returnCode: Int32
    /// In microseconds.
    package let elapsed: Int64
    package let start: Timestamp
    package let finish: Timestamp
    /// Bytes on stdout, and the Python literal of what they were.
    package let outCount: UInt64
    package let outSnippet: Range<Int>
    /// Bytes on stderr, and the Python literal of what they were.
    package let errCount: UInt64
    package let errSnippet: Range<Int>
    /// The rest of the row, tabs included: the command, or a Python literal of it.
    package let command: Range<Int>

    /// Reads a row.
    ///
    /// - Parameter line: a line of the file without its LF, and not the header.
    /// - Throws: what is wrong with the line, if it is no row.
    package init(_ line: UnsafeRawBufferPointer) throws(StatusRowError) {
        var reader = StatusRowReader(line)
        bytes = line
        kind = try reader.readKind()
        id = TaskID(try reader.readInteger(0...Int.max))
        streamIndex = try reader.readInteger(Int.min...Int.max)
        repeatIndex = try reader.readInteger(Int.min...Int.max)
        node = try reader.readColumn()
        pid = try reader.readInteger(Int32.min...Int32.max)
        returnCode = try reader.readInteger(Int32.min...Int32.max)
        elapsed = try reader.readMicroseconds()
        start = Timestamp(microseconds: try reader.readMicroseconds())
        finish = Timestamp(microseconds: try reader.readMicroseconds())
        outCount = try reader.readInteger(0...UInt64.max)
        outSnippet = try reader.readColumn()
        errCount = try reader.readInteger(0...UInt64.max)
        errSnippet = try reader.readColumn()
        command = reader.position..<line.count
    }

    /// Whether a line is a header, as `--status-header` writes it: then it is no row.
    package static func isHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        line.starts(with: "ROE[ PSZ]\t".utf8)
    }

    /// A column's bytes.
    package func text(_ column: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[column])
    }

    /// Whether this row is of that task: its line, its repeat index and its command are the same.
    package func isRow(of task: TaskSpec) -> Bool {
        streamIndex == task.streamIndex && repeatIndex == task.repeatIndex
            && commandMatches(rowCommand: text(command), taskCommand: task.command)
    }
}

/// Whether a row's command is a task's: by its bytes, or as the literal that disBatch 2.x wrote of every command and
/// 3.0 writes of what is no UTF-8.
package func commandMatches(rowCommand: UnsafeRawBufferPointer, taskCommand: [UInt8]) -> Bool {
    rowCommand.elementsEqual(taskCommand) || PythonLiteral.decode(rowCommand) == taskCommand
}
