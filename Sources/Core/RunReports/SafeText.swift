internal import DisbatchCore

/// Text as the formats have it that reports are written in. For a screen, see ``Displayable``.
package enum SafeText {
    /// One field of tab-separated values, nothing lost: `\t`, `\n`, `\r`, `\\`, and `\xff` for what is no UTF-8.
    package static func tab(_ bytes: [UInt8]) -> String {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x5C }) { return String(decoding: bytes, as: UTF8.self) }
        var text = ""
        forEachScalar(bytes) { scalar, raw in
            switch scalar {
            case "\t": text += "\\t"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\\": text += "\\\\"
            case let scalar? where scalar.value >= 0x20 && scalar.value != 0x7F: text.unicodeScalars.append(scalar)
            default: for byte in raw { text += "\\x" + String(byte, digits: 2, radix: 16) }
            }
        }
        return text
    }

    /// One field of comma-separated values (RFC 4180). Bytes that are no UTF-8 are U+FFFD.
    package static func comma(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        guard bytes.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 < 0x20 }) else { return text }
        var quoted = "\"".unicodeScalars
        for scalar in text.unicodeScalars {
            quoted.append(scalar)
            if scalar == "\"" { quoted.append(scalar) }
        }
        quoted.append("\"")
        return String(quoted)
    }

    /// Text within HTML, attributes in double quotes included.
    package static func html(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped.append(contentsOf: "&amp;".unicodeScalars)
            case "<": escaped.append(contentsOf: "&lt;".unicodeScalars)
            case ">": escaped.append(contentsOf: "&gt;".unicodeScalars)
            case "\"": escaped.append(contentsOf: "&quot;".unicodeScalars)
            case "'": escaped.append(contentsOf: "&#39;".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    /// Hands out each scalar with its bytes, and each byte that belongs to none with nil.
    static func forEachScalar(_ bytes: [UInt8], _ body: (Unicode.Scalar?, ArraySlice<UInt8>) -> Void) {
        var index = 0
        while index < bytes.count {
            let length = sequenceLength(bytes, index)
            let slice = bytes[index..<index + max(1, length)]
            body(length == 0 ? nil : String(decoding: slice, as: UTF8.self).unicodeScalars.first, slice)
            index += max(1, length)
        }
    }

    /// The bytes of the well-formed scalar at `index`; 0 where there is none.
    private static func sequenceLength(_ bytes: [UInt8], _ index: Int) -> Int {
        let lead = bytes[index]
        if lead < 0x80 { return 1 }
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, index + length <= bytes.count,
            String(validating: bytes[index..<index + length], as: UTF8.self) != nil
        else { return 0 }
        return length
    }
}
