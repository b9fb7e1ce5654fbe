internal import DisbatchCore

/// JSON (RFC 8259), written piece by piece. What its user forgets, such as a comma, it does not.
package struct JSONText {
    /// What was written and not taken yet.
    package private(set) var text = ""
    /// For each open object or array, whether it has something in it.
    private var filled: [Bool] = []
    private var followsKey = false

    package init() {}

    /// Takes what was written so far away.
    package mutating func take() -> String {
        defer { text = "" }
        return text
    }

    /// `{`
    package mutating func beginObject() { begin("{") }
    /// `}`
    package mutating func endObject() { end("}") }
    /// `[`
    package mutating func beginArray() { begin("[") }
    /// `]`
    package mutating func endArray() { end("]") }

    /// The name of what is written next.
    package mutating func key(_ name: String) {
        separate()
        append(string: name)
        text += ":"
        followsKey = true
    }

    /// Begins a new line, for people.
    package mutating func newLine() { text += "\n" }

    /// `null`
    package mutating func null() { literal("null") }
    /// `true` or `false`.
    package mutating func value(_ flag: Bool) { literal(flag ? "true" : "false") }
    /// A whole number.
    package mutating func value(_ number: Int) { literal(String(number)) }
    /// Text.
    package mutating func value(_ string: String) {
        separate()
        append(string: string)
    }

    /// A number; null for what JSON has no number for.
    package mutating func value(_ number: Double, decimals: Int = 6) {
        literal(number.isFinite ? NumberText.fixed(number, decimals: decimals) : "null")
    }

    /// A field's value; bytes as text, with U+FFFD for what is no UTF-8.
    package mutating func value(_ field: FieldValue) {
        switch field {
        case .unknown: null()
        case .integer(let number): value(number)
        case .real(let number): value(number)
        case .bytes(let bytes): value(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// A key and its value. Where bytes are no UTF-8, `<key>_base64` has them as they are.
    package mutating func pair(_ name: String, _ field: FieldValue) {
        key(name)
        value(field)
        guard case .bytes(let bytes) = field, String(validating: bytes, as: UTF8.self) == nil else { return }
        key(name + "_base64")
        value(Self.base64(bytes))
    }

    /// A key and text.
    package mutating func pair(_ name: String, _ text: String) {
        key(name)
        value(text)
    }

    /// A key and a whole number.
    package mutating func pair(_ name: String, _ number: Int) {
        key(name)
        value(number)
    }

    /// A key and a number.
    package mutating func pair(_ name: String, _ number: Double) {
        key(name)
        value(number)
    }

    /// Puts a line's end before the bracket that was just written.
    mutating func breakBeforeLastBracket() {
        text.removeLast()
        text += "\n{"
    }

    private mutating func literal(_ word: String) {
        separate()
        text += word
    }

    private mutating func begin(_ bracket: String) {
        separate()
        text += bracket
        filled.append(false)
    }

    private mutating func end(_ bracket: String) {
        filled.removeLast()
        text += bracket
    }

    private mutating func separate() {
        if followsKey {
            followsKey = false
        } else if let last = filled.last {
            if last { text += "," }
            filled[filled.count - 1] = true
        }
    }

    private mutating func append(string: String) {
        text += "\""
        if string.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
            text += string
            text += "\""
            return
        }
        for scalar in string.unicodeScalars {
            switch scalar.value {
            case 0x22: text += "\\\""
            case 0x5C: text += "\\\\"
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            case 0x09: text += "\\t"
            // The last two end a line in JavaScript.
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: text += "\\u" + String(scalar.value, digits: 4, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var encoded: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                encoded.append(place <= group.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
