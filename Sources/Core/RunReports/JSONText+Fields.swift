package import DisbatchCore

extension JSONText {
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
        pair(name + "_base64", Base64.text(bytes))
    }
}
