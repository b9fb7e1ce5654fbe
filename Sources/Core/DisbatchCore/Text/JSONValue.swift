/// JSON (RFC 8259), as requests have it and replies are read.
///
/// Objects keep the order of their keys, so that the same request is always the same text.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key of an object, and its value.
    package struct Member: Equatable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral text: String) { self = .string(text) }
    package init(booleanLiteral flag: Bool) { self = .bool(flag) }
    package init(integerLiteral number: Int64) { self = .integer(number) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral pairs: (String, JSONValue)...) { self = .object(pairs.map { Member($0.0, $0.1) }) }
}

// MARK: Reading

extension JSONValue {
    /// The value of a key; null where this is no object, or has none.
    package subscript(key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members.first { $0.key == key }?.value ?? .null
    }

    /// The text, where this is one.
    package var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The whole number; 64-bit ones come as texts.
    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number)
        case .string(let text): Int64(text)
        default: nil
        }
    }

    /// The number.
    package var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Whether this is `true`.
    package var isTrue: Bool { self == .bool(true) }

    /// The elements; none where this is no array.
    package var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// The members; none where this is no object.
    package var members: [Member] { if case .object(let members) = self { members } else { [] } }

    /// The members whose values are texts.
    package var texts: [String: String] {
        var result: [String: String] = [:]
        for member in members { if let text = member.value.string { result[member.key] = text } }
        return result
    }
}

// MARK: Writing

extension JSONValue {
    /// The value as a text.
    ///
    /// - Parameter isPretty: in lines, indented by two spaces, for people; else in one line.
    package func text(isPretty: Bool = false) -> String { text(isPretty ? .lines(depth: .max) : .compact) }

    /// The value as a text of that layout.
    package func text(_ layout: JSONText.Layout) -> String {
        var json = JSONText(layout)
        json.value(self)
        return json.text
    }
}

// MARK: Making

extension JSONValue {
    /// A whole number; null for none.
    package init(_ number: (some BinaryInteger)?) { self = number.map { .integer(Int64(clamping: $0)) } ?? .null }

    /// Text; null for none.
    package init(_ text: String?) { self = text.map { .string($0) } ?? .null }

    /// A number with three decimals at most; null where it is none.
    package init(rounded number: Double?) {
        guard let number, number.isFinite, abs(number) < 1e15 else {
            self = .null
            return
        }
        self = .number((number * 1000).rounded() / 1000)
    }

    /// A time in seconds since 1970.
    package init(_ time: Timestamp) { self.init(rounded: Double(time.microseconds) / 1e6) }
}
