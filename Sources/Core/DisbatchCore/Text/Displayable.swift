/// Text that others wrote, such as commands and their output, made fit for a screen: nothing in it moves the cursor,
/// changes colours or turns the direction of writing, and it stays on its line.
///
/// How each byte shows:
///
/// | what it is | where every byte counts (``line(_:)``) | within other text (``words(_:)``) |
/// |---|---|---|
/// | a printable character | itself | itself |
/// | a tab | a blank | a blank |
/// | another control character of ASCII, an end of a line too | its picture: ␀, ␊, ␛ | a blank |
/// | another character that controls or formats, or ends a line | U+FFFD | a blank |
/// | a byte that is no UTF-8 | U+FFFD | U+FFFD |
///
/// Within other text, blanks at both ends go.
package enum Displayable {
    /// Bytes on one line, where every byte counts: what a user wrote, or is to find again.
    package static func line(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(decoding: bytes, as: UTF8.self) }
        return line(String(decoding: bytes, as: UTF8.self))
    }

    /// Text on one line, where every byte counts.
    package static func line(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map(scalar)))
    }

    /// Bytes of several lines, one by one.
    package static func lines(_ bytes: [UInt8]) -> [String] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line(Array($0)) }
    }

    /// Text in double quotes, for messages.
    package static func quoted(_ text: String) -> String { "\"\(line(text))\"" }

    /// Bytes within other text, such as a cell of a table: lines run on.
    package static func words(_ bytes: [UInt8]) -> String {
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { isControl($0) ? " " : $0 }
        let start = scalars.firstIndex { $0 != " " } ?? scalars.endIndex
        let end = scalars.lastIndex { $0 != " " }.map { $0 + 1 } ?? start
        return String(String.UnicodeScalarView(scalars[start..<end]))
    }

    /// A character where every byte counts.
    static func scalar(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x20..<0x7F: scalar
        case 0x09: " "
        case 0x00..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        default: isControl(scalar) ? "\u{FFFD}" : scalar
        }
    }

    /// Whether a character does something rather than show: it controls, formats, or ends a line.
    package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20..<0x7F).contains(scalar.value) { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
