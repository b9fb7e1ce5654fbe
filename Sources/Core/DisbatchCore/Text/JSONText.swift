/// JSON (RFC 8259), written piece by piece: commas, and the ends of lines, come by themselves.
package struct JSONText {
    /// The space between the pieces.
    package enum Layout: Equatable, Sendable {
        /// Nothing: `{"a":1,"b":[2,3]}`
        case compact
        /// One blank: `{"a": 1, "b": [2, 3]}`
        case spaced
        /// A line for each member and element down to that depth, indented by two blanks a level; deeper, one blank.
        case lines(depth: Int)
    }

    /// Text that was written and not taken yet.
    package private(set) var text = ""
    private let comma: String
    private let colon: String
    /// How deep what has lines of its own may be.
    private let brokenDepth: Int
    /// For each open object or array, whether it has something in it.
    private var filled: [Bool] = []
    private var followsKey = false

    package init(_ layout: Layout = .compact) {
        (comma, colon) = layout == .compact ? (",", ":") : (", ", ": ")
        if case .lines(let depth) = layout { brokenDepth = depth } else { brokenDepth = 0 }
    }

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
        text += colon
        followsKey = true
    }

    /// Begins an object of an array on a line of its own, for people.
    package mutating func beginObjectOnNewLine() {
        beginObject()
        text.removeLast()
        text += "\n{"
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

    /// A value with all that is in it.
    package mutating func value(_ json: JSONValue) {
        switch json {
        case .null: null()
        case .bool(let flag): value(flag)
        case .integer(let number): literal(String(number))
        case .number(let number): literal(number.isFinite ? "\(number)" : "null")
        case .string(let string): value(string)
        case .array(let elements):
            beginArray()
            for element in elements { value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                key(member.key)
                value(member.value)
            }
            endObject()
        }
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
        let depth = filled.count
        if filled.removeLast(), depth <= brokenDepth { breakLine(indent: depth - 1) }
        text += bracket
    }

    private mutating func separate() {
        if followsKey {
            followsKey = false
        } else if let last = filled.last {
            let isBroken = filled.count <= brokenDepth
            if last { text += isBroken ? "," : comma }
            if isBroken { breakLine(indent: filled.count) }
            filled[filled.count - 1] = true
        }
    }

    private mutating func breakLine(indent: Int) { text += "\n" + String(repeating: "  ", count: indent) }

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
}
