/// Reading bytes as UTF-8 in the way Python's decoder does: surrogates, overlong forms and what lies beyond U+10FFFF
/// are ill-formed, and each maximal subpart of an ill-formed sequence counts as one error (Unicode 15, 3.9, table 3-8).
enum UTF8Text {
    /// Whether the bytes are well-formed UTF-8.
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if word & 0x8080_8080_8080_8080 == 0 {
                    index += 8
                    continue
                }
            }
            if bytes[index] < 0x80 {
                index += 1
            } else if nextScalar(in: bytes, at: &index) == nil {
                return false
            }
        }
        return true
    }

    /// The scalar at `index`, or nil where the bytes are ill-formed. Moves `index` behind the scalar or behind the
    /// maximal subpart that one U+FFFD stands for.
    static func nextScalar(in bytes: UnsafeRawBufferPointer, at index: inout Int) -> Unicode.Scalar? {
        let lead = bytes[index]
        index += 1
        if lead < 0x80 { return Unicode.Scalar(lead) }
        guard let form = Form(lead: lead) else { return nil }
        var value = form.leadBits
        var allowed = form.second
        for _ in 0..<form.continuations {
            guard index < bytes.count, allowed.contains(bytes[index]) else { return nil }
            value = value << 6 | UInt32(bytes[index] & 0x3F)
            allowed = 0x80...0xBF
            index += 1
        }
        return Unicode.Scalar(value)
    }

    /// The form of a sequence, as its lead byte tells it (Unicode 15, table 3-7).
    private struct Form {
        var leadBits: UInt32
        var continuations: Int
        /// Which second bytes are well-formed.
        var second: ClosedRange<UInt8>

        init?(lead: UInt8) {
            switch lead {
            case 0xC2...0xDF: (leadBits, continuations, second) = (UInt32(lead & 0x1F), 1, 0x80...0xBF)
            case 0xE0: (leadBits, continuations, second) = (0, 2, 0xA0...0xBF)
            case 0xED: (leadBits, continuations, second) = (0xD, 2, 0x80...0x9F)
            case 0xE1...0xEF: (leadBits, continuations, second) = (UInt32(lead & 0xF), 2, 0x80...0xBF)
            case 0xF0: (leadBits, continuations, second) = (0, 3, 0x90...0xBF)
            case 0xF1...0xF3: (leadBits, continuations, second) = (UInt32(lead & 0x7), 3, 0x80...0xBF)
            case 0xF4: (leadBits, continuations, second) = (4, 3, 0x80...0x8F)
            default: return nil
            }
        }
    }
}
