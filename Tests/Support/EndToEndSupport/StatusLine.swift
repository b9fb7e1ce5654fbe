/// A row of a status file, in columns.
struct StatusLine: Equatable, CustomStringConvertible {
    /// All 15 columns as they stand there, the command last.
    var columns = Array(repeating: "", count: 15)

    var flags: String { columns[0] }
    var id: Int { Int(columns[1]) ?? -1 }
    var line: Int { Int(columns[2]) ?? -1 }
    var repeatIndex: Int { Int(columns[3]) ?? -2 }
    var node: String { columns[4] }
    var pid: Int { Int(columns[5]) ?? -2 }
    var returnCode: Int { Int(columns[6]) ?? -1000 }
    var elapsed: Double { Double(columns[7]) ?? -1 }
    var start: Double { Double(columns[8]) ?? -1 }
    var finish: Double { Double(columns[9]) ?? -1 }
    var outBytes: Int { Int(columns[10]) ?? -1 }
    var outSnippet: String { columns[11] }
    var errBytes: Int { Int(columns[12]) ?? -1 }
    var errSnippet: String { columns[13] }
    var command: String { columns[14] }

    /// Whether it is of a task: not of a barrier or of a per-engine command.
    var isTask: Bool { !isBarrier && kind != "P" }
    var isBarrier: Bool { flags.hasPrefix("B") || flags.hasPrefix("C") }
    /// The fourth flag.
    var kind: String { String(flags.dropFirst(3).prefix(1)) }

    var description: String { columns.joined(separator: "\t") }

    /// What must be the same in every run: all but node, pid and times.
    var timeless: String {
        (columns[0...3] + columns[6...6] + columns[10...]).joined(separator: "\t")
    }

    /// The whole rows of a status file, without its header. A row of another shape is an empty one.
    static func parse(_ text: String) -> [StatusLine] {
        text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
            if line.hasPrefix("ROE[") { return nil }
            let columns = line.split(separator: "\t", maxSplits: 14, omittingEmptySubsequences: false).map(String.init)
            return columns.count == 15 ? StatusLine(columns: columns) : StatusLine()
        }
    }
}

extension [StatusLine] {
    /// The row of a task or barrier.
    func of(task id: Int) -> StatusLine? { first { $0.id == id && $0.kind != "P" } }

    /// The rows of tasks alone, in order of id.
    var tasks: [StatusLine] { filter(\.isTask).sorted { $0.id < $1.id } }

    /// What can be held against the rows of another run, in order of id.
    var timeless: [String] { sorted { ($0.kind, $0.id) < ($1.kind, $1.id) }.map(\.timeless) }
}
