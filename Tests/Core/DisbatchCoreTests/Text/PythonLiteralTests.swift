import DisbatchCore
import Testing

struct PythonLiteralTests {
    @Test(arguments: PythonRepr.table)
    func writesTextAsPython(_ sample: PythonRepr) {
        var literal: [UInt8] = []
        bytes(hex: sample.bytes).withUnsafeBytes { PythonLiteral.appendText($0, to: &literal) }
        #expect(String(decoding: literal, as: UTF8.self) == sample.text)
        // String equality knows canonical equivalence; the file does not.
        #expect(literal == Array(sample.text.utf8))
    }

    @Test(arguments: PythonRepr.table)
    func writesBytesAsPython(_ sample: PythonRepr) {
        var literal: [UInt8] = []
        bytes(hex: sample.bytes).withUnsafeBytes { PythonLiteral.appendBytes($0, to: &literal) }
        #expect(String(decoding: literal, as: UTF8.self) == sample.literal)
    }

    @Test(arguments: PythonRepr.table)
    func readsWhatPythonWrites(_ sample: PythonRepr) {
        let original = bytes(hex: sample.bytes)
        #expect(decode(sample.literal) == original)
        #expect(decode(sample.text) == Array(String(decoding: original, as: UTF8.self).utf8))
    }

    @Test(arguments: [
        ("\"\"", ""), ("b\"\"", ""), (#"'\x41\u00e9\U0001F600'"#, "Aé😀"), (#""\"\'""#, "\"'"), ("'\t'", "\t"),
    ])
    func readsLiteral(_ literal: String, _ expected: String) {
        #expect(decode(literal) == Array(expected.utf8))
    }

    @Test func readsEscapedSurrogatesAsBytes() {
        #expect(decode(#"'a\udcff\udc80'"#) == [UInt8(ascii: "a"), 0xFF, 0x80])
    }

    @Test(arguments: [
        "", "b", "'", "b'", "x", "true", "'a", "a'", "'a\"", "u'a'", "B'a'", "'a' 'b'", #"'\'"#, #"'\q'"#, #"'\x4'"#,
        #"'\xg0'"#, #"'\u004'"#, #"'\ud800'"#, #"'\U00110000'"#, #"b'\u0041'"#, "b'é'", "bb''", " ''",
    ])
    func refusesWhatIsNoLiteral(_ text: String) {
        #expect(decode(text) == nil)
    }

    @Test(arguments: [
        (0, "''"), (40, "'0123456789012345678901234567890123456789'"),
        (43, "'0123456789012345678901234567890123456789...012'"),
        (80, "'0123456789012345678901234567890123456789...0123456789012345678901234567890123456789'"),
    ])
    func putsDotsBehindFortyBytes(_ count: Int, _ expected: String) {
        let digits = (0..<count).map { UInt8(ascii: "0") + UInt8($0 % 10) }
        #expect(snippet(digits) == expected)
    }

    @Test func choosesTheQuoteByBothEnds() {
        let filler = String(repeating: "x", count: 40)
        #expect(snippet(Array((filler + "it's").utf8)) == #""\#(filler)...it's""#)
        #expect(snippet(Array((filler.dropLast() + "\"" + "it's").utf8)) == #"'\#(filler.dropLast())"...it\'s'"#)
    }

    @Test func cutsASequenceAtTheDots() {
        let filler = String(repeating: "x", count: 39)
        #expect(snippet(Array((filler + "é").utf8)) == "'\(filler)\u{FFFD}...\u{FFFD}'")
    }

    private func decode(_ literal: String) -> [UInt8]? {
        Array(literal.utf8).withUnsafeBytes { PythonLiteral.decode($0) }
    }

    private func snippet(_ edges: [UInt8]) -> String {
        var literal: [UInt8] = []
        PythonLiteral.appendSnippet(OutputSummary(count: UInt64(edges.count), edges: edges), to: &literal)
        return String(decoding: literal, as: UTF8.self)
    }
}
