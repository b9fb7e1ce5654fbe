import DisbatchCore
import Testing

struct StatusFileScannerTests {
    struct Found: Equatable {
        var number: Int
        var offset: UInt64
        var text: String
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 16, 1000])
    func cutsLinesInBlocksOfAnySize(_ blockLength: Int) {
        let file = Array("first\n\na second line, longer than a word\n\nlast\ntorn of".utf8)
        let (lines, scanner) = scan(file, blockLength: blockLength)
        #expect(
            lines == [
                Found(number: 1, offset: 0, text: "first"),
                Found(number: 2, offset: 6, text: ""),
                Found(number: 3, offset: 7, text: "a second line, longer than a word"),
                Found(number: 4, offset: 41, text: ""),
                Found(number: 5, offset: 42, text: "last"),
            ])
        #expect(scanner.lineCount == 5)
        #expect(scanner.tornLength == 7)
    }

    @Test(arguments: [("", 0, 0), ("a\n", 1, 0), ("a", 0, 1), ("\n\n", 2, 0), ("a\n\r", 1, 1)])
    func measuresTheTornTail(_ file: String, _ lineCount: Int, _ tornLength: Int) {
        let (lines, scanner) = scan(Array(file.utf8), blockLength: 4)
        #expect(lines.count == lineCount)
        #expect(scanner.tornLength == tornLength)
    }

    /// The search looks at eight bytes at a time: neighbours of LF in value must not pass for it.
    @Test func findsLineFeedsAmongAllBytes() {
        var file: [UInt8] = []
        var expected: [[UInt8]] = []
        for first in UInt8.min...UInt8.max where first != 10 {
            let line = [first, first ^ 1, first, 11, 9, 0x8A].filter { $0 != 10 }
            expected.append(line)
            file += line + [10]
        }
        var scanner = StatusFileScanner()
        var lines: [[UInt8]] = []
        file.withUnsafeBytes { scanner.scan($0) { lines.append(Array($0.bytes)) } }
        #expect(lines == expected)
    }

    @Test func passesOnWhatItsCallerThrows() {
        var scanner = StatusFileScanner()
        let file = row(id: 1) + Array("\nno row\n".utf8)
        let error = #expect(throws: StatusRowError.self) {
            try file.withUnsafeBytes { block in
                try scanner.scan(block) { line throws(StatusRowError) in _ = try StatusRowView(line.bytes) }
            }
        }
        #expect(error?.description == "has 1 of 15 columns: 'no row'")
        #expect(scanner.lineCount == 2)
    }

    private func scan(_ file: [UInt8], blockLength: Int) -> ([Found], StatusFileScanner) {
        var scanner = StatusFileScanner()
        var lines: [Found] = []
        for start in stride(from: 0, to: file.count, by: blockLength) {
            Array(file[start..<min(start + blockLength, file.count)]).withUnsafeBytes { block in
                scanner.scan(block) { line in
                    let text = String(decoding: line.bytes, as: UTF8.self)
                    lines.append(Found(number: line.number, offset: line.offset, text: text))
                }
            }
        }
        return (lines, scanner)
    }
}
