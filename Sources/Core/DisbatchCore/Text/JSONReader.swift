extension JSONValue {
    /// How deeply a text may nest: replies nest less than ten deep.
    private static let depthLimit = 100

    /// Reads a JSON text; nil where it is none.
    ///
    /// - Parameter forgivesNumbers: whether a number that is too large for a Double is null, rather than no JSON.
    package init?(parsing bytes: some Collection<UInt8>, forgivesNumbers: Bool = false) {
        var reader = JSONReader(Array(bytes), depthLimit: Self.depthLimit, forgivesNumbers: forgivesNumbers)
        guard let value = reader.document() else { return nil }
        self = value
    }

    /// Reads a JSON text; nil where it is none.
    package init?(parsing text: String) { self.init(parsing: text.utf8) }
}

/// Reads a JSON text, byte by byte. Each function leaves `place` behind what it read, and returns nil where that is
/// not what it should be.
private struct JSONReader {
    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0
    private let depthLimit: Int
    private let forgivesNumbers: Bool

    init(_ bytes: [UInt8], depthLimit: Int, forgivesNumbers: Bool) {
        self.bytes = bytes
        self.depthLimit = depthLimit
        self.forgivesNumbers = forgivesNumbers
    }

    mutating func document() -> JSONValue? {
        guard let value = value() else { return nil }
        skipSpace()
        return place == bytes.count ? value : nil
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value() -> JSONValue? {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case UInt8(ascii: "t"): return word("true", .bool(true))
        case UInt8(ascii: "f"): return word("false", .bool(false))
        case UInt8(ascii: "n"): return word("null", .null)
        default: return number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) -> JSONValue?) -> JSONValue? {
        guard depth < depthLimit else { return nil }
        depth += 1
        place += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func word(_ word: String, _ value: JSONValue) -> JSONValue? {
        guard bytes[place...].starts(with: word.utf8) else { return nil }
        place += word.utf8.count
        return value
    }

    private mutating func array() -> JSONValue? {
        var elements: [JSONValue] = []
        if skip(UInt8(ascii: "]")) { return .array([]) }
        while true {
            guard let element = value() else { return nil }
            elements.append(element)
            if skip(UInt8(ascii: "]")) { return .array(elements) }
            guard skip(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func object() -> JSONValue? {
        var members: [JSONValue.Member] = []
        if skip(UInt8(ascii: "}")) { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let key = string(), skip(UInt8(ascii: ":")), let value = value() else {
                return nil
            }
            members.append(JSONValue.Member(key, value))
            if skip(UInt8(ascii: "}")) { return .object(members) }
            guard skip(UInt8(ascii: ",")) else { return nil }
        }
    }

    // MARK: Texts

    private mutating func string() -> String? {
        place += 1
        var text: [UInt8] = []
        while let byte = next {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escaped() else { return nil }
                text += Array(String(Character(scalar)).utf8)
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): return codePoint()
        default: return nil
        }
    }

    /// Reads the character that follows `\u`; half of a surrogate pair alone is U+FFFD.
    private mutating func codePoint() -> Unicode.Scalar? {
        guard let first = fourDigits() else { return nil }
        if let scalar = Unicode.Scalar(first) { return scalar }
        let here = place
        if first < 0xDC00, bytes[place...].starts(with: "\\u".utf8) {
            place += 2
            if let second = fourDigits(), 0xDC00..<0xE000 ~= second {
                return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            }
        }
        place = here
        return "\u{FFFD}"
    }

    private mutating func fourDigits() -> UInt32? {
        guard place + 4 <= bytes.count else { return nil }
        let digits = bytes[place..<place + 4]
        guard digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        place += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    // MARK: Numbers

    private mutating func number() -> JSONValue? {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        let first = next
        let whole = digits()
        guard whole > 0, whole == 1 || first != UInt8(ascii: "0") else { return nil }
        var isWhole = true
        if next == UInt8(ascii: ".") {
            place += 1
            isWhole = false
            guard digits() > 0 else { return nil }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            isWhole = false
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            guard digits() > 0 else { return nil }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let number = Int64(text) { return .integer(number) }
        // What is too large for a number can't be written again.
        return Double(text).flatMap { $0.isFinite ? .number($0) : forgivesNumbers ? .null : nil }
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = next, 0x30...0x39 ~= byte { place += 1 }
        return place - start
    }
}
