/// A task that an earlier run finished, as resume keeps it: not its text, but where its row stands. 40 bytes.
package struct ResumeEntry: Equatable, Sendable {
    package let id: TaskID
    private let fingerprint: UInt64
    private let finish: Timestamp
    /// The file's number in the upper 16 bits, the offset in the others.
    private let place: UInt64
    package let returnCode: Int32
    /// The length of its row without the LF, in bytes.
    package let length: UInt32

    /// The most files that can be told apart.
    package static let maximumFileCount = 1 << 16

    /// - Parameters:
    ///   - file: which of the status files the row stands in, from 0; less than ``maximumFileCount``.
    ///   - offset: where the row begins, in bytes; less than 2^48 (256 TiB).
    init(_ row: StatusRowView, file: Int, offset: UInt64) {
        precondition(0..<Self.maximumFileCount ~= file && offset < 1 << 48, "too many or too large status files")
        id = row.id
        fingerprint = TaskFingerprint.hash(
            streamIndex: row.streamIndex, repeatIndex: row.repeatIndex, command: row.text(row.command))
        finish = row.finish
        place = UInt64(file) << 48 | offset
        returnCode = row.returnCode
        length = UInt32(row.bytes.count)
    }

    /// Which of the status files its row stands in, from 0.
    package var file: Int { Int(place >> 48) }
    /// Where its row begins in that file, in bytes.
    package var offset: UInt64 { place & (1 << 48 - 1) }

    /// Whether resume skips the task: always, or with `-R` only after a success.
    package func isSkipped(retry: Bool) -> Bool { returnCode == 0 || !retry }

    /// Whether the row's line, repeat index and command are the task's, byte for byte. If not, the row must be read
    /// again and asked ``StatusRowView/isRow(of:)``: its command may be a literal.
    package func matchesHash(of task: TaskSpec) -> Bool {
        task.command.withUnsafeBytes { command in
            fingerprint
                == TaskFingerprint.hash(
                    streamIndex: task.streamIndex, repeatIndex: task.repeatIndex, command: command)
        }
    }

    /// Of two rows of one task a success counts, else the later one. (disBatch takes the smaller return code, so that
    /// -100 hides a success.)
    func outweighs(_ other: ResumeEntry) -> Bool {
        if (returnCode == 0) != (other.returnCode == 0) { return returnCode == 0 }
        return (finish, place) > (other.finish, other.place)
    }
}
