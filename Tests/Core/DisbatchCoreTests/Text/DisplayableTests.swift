import Testing

@testable import DisbatchCore

/// Text that others wrote, on a screen.
@Suite struct DisplayableTests {
    @Test(arguments: [
        ("plain é 日本", "plain é 日本", "plain é 日本"), ("a\tb\nc\r", "a b␊c␍", "a b c"),
        ("\u{1b}[31mred\u{7}\u{0}", "␛[31mred␇␀", "[31mred"), ("\u{7f}", "␡", ""),
        ("a\u{9b}b\u{85}c", "a\u{FFFD}b\u{FFFD}c", "a b c"), ("a\u{202e}b\u{200b}c", "a\u{FFFD}b\u{FFFD}c", "a b c"),
        ("a\u{2028}b\u{2029}c", "a\u{FFFD}b\u{FFFD}c", "a b c"), ("  a  b  ", "  a  b  ", "a  b"), ("", "", ""),
    ])
    func shown(text: String, line: String, words: String) {
        let bytes = Array(text.utf8)
        #expect(Displayable.line(bytes) == line && Displayable.line(text) == line)
        #expect(Displayable.words(bytes) == words)
    }

    @Test func bytesThatAreNoText() {
        #expect(Displayable.line([0x61, 0xff, 0xc3]) == "a\u{FFFD}\u{FFFD}")
        #expect(Displayable.words([0x61, 0xff, 0xc3]) == "a\u{FFFD}\u{FFFD}")
        #expect(Displayable.lines(Array("a\tb\n\u{1b}\n".utf8)) == ["a b", "␛", ""])
        #expect(Displayable.quoted("\u{1b}") == "\"␛\"")
    }

    /// Whatever the text, a terminal is not told to do anything.
    @Test func noScalarIsObeyed() {
        let all = String(String.UnicodeScalarView((0..<0x11_0000).compactMap { Unicode.Scalar(UInt32($0)) }))
        for shown in [Displayable.line(all), Displayable.words(Array(all.utf8))] {
            let isHarmful = shown.unicodeScalars.contains {
                switch $0.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: true
                default: false
                }
            }
            #expect(!isHarmful)
        }
    }

    @Test(arguments: [(0, 3, 10, "000"), (7, 3, 10, "007"), (1234, 3, 10, "1234"), (255, 4, 16, "00ff")])
    func padding(number: Int, digits: Int, radix: Int, text: String) {
        #expect(String(number, digits: digits, radix: radix) == text)
    }
}
