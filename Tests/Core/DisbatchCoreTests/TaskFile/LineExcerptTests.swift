import Testing

@testable import DisbatchCore

@Suite struct LineExcerptTests {
    func excerpt(_ bytes: [UInt8], _ column: Int) -> LineExcerpt { LineExcerpt(bytes[...], column: column) }

    func excerpt(_ text: String, _ column: Int) -> LineExcerpt { excerpt(Array(text.utf8), column) }

    @Test func showsAShortLineWhole() {
        let whole = String(repeating: "0123456789", count: 10)
        #expect(excerpt(whole, 0) == LineExcerpt(text: whole, caret: 0))
        #expect(excerpt(whole, 73) == LineExcerpt(text: whole, caret: 73))
        #expect(excerpt(whole, 100) == LineExcerpt(text: whole, caret: 100))
        #expect(excerpt("", 0) == LineExcerpt(text: "", caret: 0))
    }

    @Test func cutsALongLineAroundTheCaret() {
        let line = (0..<100).map { String(1000 + $0) }.joined()
        let head = String(line.prefix(97)) + "..."
        #expect(excerpt(line, 0) == LineExcerpt(text: head, caret: 0))
        #expect(excerpt(line, 60) == LineExcerpt(text: head, caret: 60))
        let middle = "..." + String(line.dropFirst(200 - 57).prefix(57 + 37)) + "..."
        #expect(excerpt(line, 200) == LineExcerpt(text: middle, caret: 60))
        let tail = "..." + String(line.suffix(97))
        #expect(excerpt(line, 390) == LineExcerpt(text: tail, caret: 90))
        #expect(excerpt(line, 400) == LineExcerpt(text: tail, caret: 100))
    }

    @Test func cutsAVeryLongLineWithoutReadingItAll() {
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
        let middle = "..." + String(repeating: "x", count: 94) + "..."
        #expect(excerpt(line, 50_000) == LineExcerpt(text: middle, caret: 60))
        #expect(excerpt(line, 100_000).text == "..." + String(repeating: "x", count: 97))
    }

    @Test func doesNotSplitCharactersWhereItCuts() {
        let line = String(repeating: "é", count: 5000)
        for column in stride(from: 2000, through: 2020, by: 2) {
            let shown = excerpt(line, column)
            #expect(shown.text == "..." + String(repeating: "é", count: 94) + "...")
            #expect(shown.caret == 60)
        }
    }

    @Test(arguments: [
        ("a\tb|c", "a bc", 3), ("\u{1B}[31m|x", "\u{241B}[31mx", 5), ("\u{7F}\u{01}|", "\u{2421}\u{2401}", 2),
        ("é|x", "éx", 1), ("日本|x", "日本x", 4), ("e\u{301}|x", "e\u{301}x", 1), ("\u{202E}|x", "\u{FFFD}x", 1),
        ("\u{85}\u{2028}|x", "\u{FFFD}\u{FFFD}x", 2), ("😀|x", "😀x", 2),
    ])
    func putsTheCaretByWhatIsShown(line: String, text: String, caret: Int) {
        let scalars = Array(line.unicodeScalars)
        let parts = scalars.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
        let bytes = parts.map { part in
            var view = String.UnicodeScalarView()
            view.append(contentsOf: part)
            return Array(String(view).utf8)
        }
        #expect(excerpt(bytes[0] + bytes[1], bytes[0].count) == LineExcerpt(text: text, caret: caret))
    }

    @Test func showsBytesThatAreNotUTF8() {
        #expect(excerpt([0x61, 0xFF, 0xFE, 0x62], 3) == LineExcerpt(text: "a\u{FFFD}\u{FFFD}b", caret: 3))
        #expect(excerpt([0xC3], 1) == LineExcerpt(text: "\u{FFFD}", caret: 1))
    }

    @Test func quotesAWordInAMessage() {
        #expect(LineExcerpt.quoted(Array("a\u{1B}b".utf8)[...]) == "\"a\u{241B}b\"")
        let long = [UInt8](repeating: UInt8(ascii: "w"), count: 10_000)
        #expect(LineExcerpt.quoted(long[...]) == "\"" + String(repeating: "w", count: 37) + "...\"")
    }
}
