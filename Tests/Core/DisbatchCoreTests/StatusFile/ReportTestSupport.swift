import DisbatchCore

/// The bytes that a hexadecimal text says.
func bytes(hex: String) -> [UInt8] {
    var digits = hex.utf8.makeIterator()
    var bytes: [UInt8] = []
    while let high = digits.next(), let low = digits.next() {
        let pair = String(decoding: [high, low], as: UTF8.self)
        bytes.append(UInt8(pair, radix: 16)!)
    }
    return bytes
}

/// A row without its LF, in which `→` stands for a tab.
func row(_ text: String) -> [UInt8] {
    Array(text.split(separator: "→", omittingEmptySubsequences: false).joined(separator: "\t").utf8)
}

/// Rows as text, with `→` for each tab, to compare and to show.
func shown(_ rows: [UInt8]) -> String {
    String(decoding: rows, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
        .joined(separator: "→")
}

/// A row of a task: what matters to resume, in the form of disBatch 3.0.
func row(
    flags: String = "    ", id: Int, line: Int = 1, repeatIndex: Int = -1, code: Int = 0, finish: String = "2.000",
    command: String = "true"
) -> [UInt8] {
    row("\(flags)→\(id)→\(line)→\(repeatIndex)→vm→77→\(code)→1.000→1.000→\(finish)→0→''→0→''→\(command)")
}

/// Reads one row and hands it out.
func withView<Result>(_ row: [UInt8], _ body: (StatusRowView) throws -> Result) throws -> Result {
    try row.withUnsafeBytes { try body(StatusRowView($0)) }
}

/// Gathers one file's rows after another into an index.
func index(of files: [[[UInt8]]]) throws -> ResumeIndex {
    var builder = ResumeIndex.Builder()
    for (number, rows) in files.enumerated() {
        var offset: UInt64 = 0
        for row in rows {
            try row.withUnsafeBytes { builder.add(try StatusRowView($0), file: number, offset: offset) }
            offset += UInt64(row.count) + 1
        }
    }
    return builder.build()
}
