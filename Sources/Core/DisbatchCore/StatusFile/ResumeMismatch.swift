/// A task that is not the one whose row a status file has under its id: an error, unless `--force-resume`.
package struct ResumeMismatch: Error, Equatable, CustomStringConvertible {
    /// The status file's name, and the row's number in it from 1.
    package var file: String
    package var rowNumber: Int
    /// The task as the row has it; its command with a literal undone.
    package var recorded: TaskSpec
    /// The task as the task file has it now.
    package var task: TaskSpec

    package init(file: String, rowNumber: Int, row: StatusRowView, task: TaskSpec) {
        self.file = file
        self.rowNumber = rowNumber
        let command = row.text(row.command)
        recorded = TaskSpec(
            id: row.id, streamIndex: row.streamIndex, repeatIndex: row.repeatIndex,
            command: PythonLiteral.decode(command) ?? [UInt8](command))
        self.task = task
    }

    /// Four lines: where it is, what was and what is now, and what to do. Commands are shown as Python literals, so
    /// that a difference in blanks shows.
    package var description: String {
        """
        \(file):\(rowNumber): task \(task.id.rawValue) is not the one that ran before:
          then: \(Self.describe(recorded))
          now:  \(Self.describe(task))
        Give the task file that ran before, or --force-resume to skip such tasks all the same.
        """
    }

    private static func describe(_ task: TaskSpec) -> String {
        var literal: [UInt8] = []
        task.command.withUnsafeBytes { command in
            if UTF8Text.isValid(command) {
                PythonLiteral.appendText(command, to: &literal)
            } else {
                PythonLiteral.appendBytes(command, to: &literal)
            }
        }
        let command = String(decoding: literal, as: UTF8.self)
        return "line \(task.streamIndex), repeat index \(task.repeatIndex), command \(command)"
    }
}
