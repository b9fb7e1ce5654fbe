extension PythonLiteral {
    /// The bytes that a literal `'...'`, `"..."`, `b'...'` or `b"..."` stands for, text as UTF-8; nil for what is no
    /// literal as Python's `repr` writes them.
    ///
    /// A lone surrogate U+DC80 to U+DCFF in text is the byte 0x80 to 0xFF: Python's `surrogateescape`, in which it
    /// keeps bytes that are no UTF-8.
    package static func decode(_ literal: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let first = literal.first else { return nil }
        let isBytes = first == UInt8(ascii: "b")
        let body = isBytes ? UnsafeRawBufferPointer(rebasing: literal[1...]) : literal
        guard body.count >= 2, let quote = body.first, body.last == quote,
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { return nil }
        return decode(UnsafeRawBufferPointer(rebasing: body[1..<body.count - 1]), quote: quote, isBytes: isBytes)
    }

    private static func decode(_ inner: UnsafeRawBufferPointer, quote: UInt8, isBytes: Bool) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(inner.count)
        var index = 0
        while index < inner.count {
            let byte = inner[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                guard byte != quote, byte < 0x80 || !isBytes else { return nil }
                decoded.append(byte)
                continue
            }
            guard appendEscape(in: inner, at: &index, isBytes: isBytes, to: &decoded) else { return nil }
        }
        return decoded
    }

    /// Appends what the escape stands for whose backslash is just before `index`; false if there is no such escape.
    private static func appendEscape(
        in inner: UnsafeRawBufferPointer, at index: inout Int, isBytes: Bool, to decoded: inout [UInt8]
    ) -> Bool {
        guard index < inner.count else { return false }
        let marker = inner[index]
        index += 1
        switch marker {
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): decoded.append(marker)
        case UInt8(ascii: "n"): decoded.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"): decoded.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "r"): decoded.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "x"):
            guard let value = hex(in: inner, at: &index, digits: 2) else { return false }
            guard isBytes else {
                return appendScalar(value, to: &decoded)
            }
            decoded.append(UInt8(truncatingIfNeeded: value))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = marker == UInt8(ascii: "u") ? 4 : 8
            guard !isBytes, let value = hex(in: inner, at: &index, digits: digits) else { return false }
            return appendScalar(value, to: &decoded)
        default: return false
        }
        return true
    }

    private static func appendScalar(_ value: UInt32, to decoded: inout [UInt8]) -> Bool {
        if (0xDC80...0xDCFF).contains(value) {
            decoded.append(UInt8(value - 0xDC00))
            return true
        }
        guard let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) else { return false }
        decoded.append(contentsOf: encoded)
        return true
    }

    private static func hex(in inner: UnsafeRawBufferPointer, at index: inout Int, digits: Int) -> UInt32? {
        guard index + digits <= inner.count else { return nil }
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = hexDigit(inner[index]) else { return nil }
            value = value << 4 | digit
            index += 1
        }
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
