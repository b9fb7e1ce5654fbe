/// Why a line of a status file is no row. The caller adds the file's name and the line's number.
package struct StatusRowError: Error, Equatable, CustomStringConvertible {
    /// A fault of the line.
    package enum Problem: Equatable, Sendable {
        /// Fewer than 15 columns; the number found.
        case tooFewColumns(Int)
        /// The first column is no set of flags.
        case badFlags
        /// A column is not the number it should be; its index from 0.
        case badNumber(column: Int)
    }

    package var problem: Problem
    /// The text of the column, or of the line if it has too few columns.
    package var text: String

    package var description: String {
        switch problem {
        case .tooFewColumns(let count): "has \(count) of \(StatusRow.columnNames.count) columns: \(text)"
        case .badFlags: "has unknown flags: \(text)"
        case .badNumber(let column): "has no number as \(StatusRow.columnNames[column]): \(text)"
        }
    }

    /// - Parameter bytes: shown as a Python literal, cut off after 80 bytes.
    init(_ problem: Problem, _ bytes: UnsafeRawBufferPointer) {
        self.problem = problem
        var shown: [UInt8] = []
        PythonLiteral.appendText(UnsafeRawBufferPointer(rebasing: bytes.prefix(80)), to: &shown)
        if bytes.count > 80 { shown += "...".utf8 }
        text = String(decoding: shown, as: UTF8.self)
    }
}
