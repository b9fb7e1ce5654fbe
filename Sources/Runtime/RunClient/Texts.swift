package import DisbatchCore

/// Tables of text.
package enum Columns {
    /// Pads cells so that columns stand below each other, two blanks between them.
    package static func aligned(_ rows: [[String]], rightAligned: Set<Int>) -> [String] {
        let count = rows.first?.count ?? 0
        let widths = (0..<count).map { column in rows.reduce(0) { max($0, $1[column].count) } }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return rightAligned.contains(column) ? padding + cell : cell + padding
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

/// JSON, piece by piece.
package enum JSON {
    /// A text, quoted.
    package static func text(_ text: String) -> String { RunFileText.quoted(text) }

    /// An object on one line; the values are JSON already.
    package static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    /// A number with three decimals at most; null where it is none.
    package static func number(_ value: Double) -> String {
        value.isFinite && abs(value) < 1e15 ? "\((value * 1000).rounded() / 1000)" : "null"
    }

    /// A time in seconds since 1970.
    package static func seconds(_ time: Timestamp) -> String { number(Double(time.microseconds) / 1e6) }
}
