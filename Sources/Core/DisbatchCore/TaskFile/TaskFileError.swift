/// Why a task file cannot be run: one line of it, and the place in that line.
package struct TaskFileError: Error, Equatable, CustomStringConvertible {
    /// The task file, as its user named it.
    package var file: String
    /// The line, counted from 1.
    package var line: Int
    package var message: String
    /// The line's text, made fit for a terminal; of a long line what is around the caret, at most 100 columns.
    package var text: String
    /// How many columns of ``text`` are to the left of the caret.
    package var caret: Int

    /// The error at the byte `column` (from 0) of the line `bytes`.
    init(file: String, line: Int, message: String, bytes: ArraySlice<UInt8>, column: Int) {
        let excerpt = LineExcerpt(bytes, column: column)
        self.file = file
        self.line = line
        self.message = message
        self.text = excerpt.text
        self.caret = excerpt.caret
    }

    /// Three lines in the manner of ninja: `file:line: message`, the line's text, a caret under the place in it.
    package var description: String {
        "\(file):\(line): \(message)\n\(text)\n\(String(repeating: " ", count: caret))^"
    }
}
