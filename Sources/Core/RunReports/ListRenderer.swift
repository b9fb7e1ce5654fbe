package import DisbatchCore

/// Writes a list of tasks, a lot at a time, so that memory does not grow with its length.
package struct ListRenderer {
    private let format: ListFormat
    private let fields: [TaskField]
    /// Shows an instant for people.
    private let time: (Double) -> String
    /// The terminal's columns that lines are cut to.
    private let columns: Int?
    private var widths: [Int]?
    private var json = JSONText()

    /// - Parameters:
    ///   - fields: nil for the usual ones; of JSON, for all.
    ///   - columns: of the terminal, where it is one.
    ///   - time: an instant, in seconds since 1970, for people.
    package init(_ format: ListFormat, fields: [TaskField]?, columns: Int?, time: @escaping (Double) -> String) {
        self.format = format
        self.fields = fields ?? (format == .json ? TaskField.allCases : TaskField.usual)
        self.columns = columns
        self.time = time
    }

    /// The text before the first task.
    package mutating func begin(_ run: RunFacts) -> String {
        switch format {
        case .table: return ""
        case .tsv: return fields.map(\.rawValue).joined(separator: "\t") + "\n"
        case .csv: return fields.map(\.rawValue).joined(separator: ",") + "\r\n"
        case .json:
            json.beginObject()
            json.pair("format", JSONFormat.version)
            json.key("run")
            run.write(to: &json)
            json.key("tasks")
            json.beginArray()
            return json.take()
        }
    }

    /// The next tasks. A table's widths are those of its first lot.
    package mutating func rows(_ rows: [TaskRow]) -> String {
        switch format {
        case .table: return table(rows)
        case .tsv:
            return rows.map { row in fields.map { SafeText.tab(plain(row, $0)) }.joined(separator: "\t") + "\n" }
                .joined()
        case .csv:
            return rows.map { row in
                fields.map { SafeText.comma(plain(row, $0)) }.joined(separator: ",") + "\r\n"
            }.joined()
        case .json:
            for row in rows {
                // The comma stands before the line's end.
                json.beginObjectOnNewLine()
                for field in fields { json.pair(field.rawValue, row[field]) }
                json.endObject()
            }
            return json.take()
        }
    }

    /// The text after the last task.
    package mutating func end() -> String {
        switch format {
        case .table:
            // Of no tasks at all, there is the heading still.
            return widths == nil ? table([]) : ""
        case .tsv, .csv: return ""
        case .json:
            json.newLine()
            json.endArray()
            json.endObject()
            json.newLine()
            return json.take()
        }
    }

    /// A value for programs.
    private func plain(_ row: TaskRow, _ field: TaskField) -> [UInt8] {
        switch row[field] {
        case .unknown: []
        case .integer(let number): Array(String(number).utf8)
        case .real(let number): Array(NumberText.fixed(number, decimals: 6).utf8)
        case .bytes(let bytes): bytes
        }
    }

    // MARK: Table

    private mutating func table(_ rows: [TaskRow]) -> String {
        let cells = rows.map { row in fields.map { shown(row, $0) } }
        var text = ""
        if widths == nil {
            let heading = fields.map { $0.rawValue.replacingUnderscores() }
            widths = fields.indices.map { column in
                min(60, ([heading] + cells).map { $0[column].unicodeScalars.count }.max() ?? 0)
            }
            text = line(heading)
        }
        for row in cells { text += line(row) }
        return text
    }

    private func line(_ cells: [String]) -> String {
        guard let widths else { return "" }
        var line = ""
        for (column, cell) in cells.enumerated() {
            let isLast = column == cells.count - 1
            let gap = String(repeating: " ", count: max(0, widths[column] - cell.unicodeScalars.count))
            let isNumber = fields[column].kind != .text && fields[column].kind != .time
            line += isNumber ? gap + cell : isLast ? cell : cell + gap
            if !isLast { line += "  " }
        }
        if let columns, line.unicodeScalars.count > columns {
            line = String(String.UnicodeScalarView(line.unicodeScalars.prefix(max(1, columns - 3)))) + "..."
        }
        return line + "\n"
    }

    /// A value for people.
    private func shown(_ row: TaskRow, _ field: TaskField) -> String {
        switch (row[field], field.kind) {
        case (.unknown, _): "-"
        case (.integer(let number), .bytes): NumberText.bytes(number)
        case (.integer(let number), _): String(number)
        case (.real(let number), .time): time(number)
        case (.real(let number), _): NumberText.fixed(number, decimals: 3)
        case (.bytes(let bytes), _): Displayable.line(bytes)
        }
    }
}

extension String {
    func replacingUnderscores() -> String { String(map { $0 == "_" ? " " : $0 }) }
}
