/// Text and bytes as Python's `repr` writes them: `'it is'`, `"it's"`, `'a\n\x01'`, `b'\xff'`.
///
/// What counts as printable follows Python's `str.isprintable`, by the standard library's version of Unicode.
package enum PythonLiteral {
    /// Appends `repr(bytes.decode('utf-8', 'replace'))`: ill-formed UTF-8 shows as U+FFFD.
    package static func appendText(_ bytes: UnsafeRawBufferPointer, to row: inout [UInt8]) {
        let quote = quote(for: bytes)
        row.append(quote)
        appendEscapedText(bytes, quote: quote, to: &row)
        row.append(quote)
    }

    /// Appends `repr(bytes)`, as in `b'\xff'`.
    package static func appendBytes(_ bytes: UnsafeRawBufferPointer, to row: inout [UInt8]) {
        let quote = quote(for: bytes)
        row.append(UInt8(ascii: "b"))
        row.append(quote)
        for byte in bytes {
            if byte < 0x7F {
                appendEscapedASCII(byte, quote: quote, to: &row)
            } else {
                appendHex(UInt32(byte), marker: UInt8(ascii: "x"), digits: 2, to: &row)
            }
        }
        row.append(quote)
    }

    /// Appends the literal of what a stream said: all of it, or its first 40 bytes, `...` and its last up to 40.
    ///
    /// disBatch joins the three before it decodes them. That gives the same: a sequence cut short is one U+FFFD
    /// before `.` as at an end.
    package static func appendSnippet(_ output: OutputSummary, to row: inout [UInt8]) {
        output.edges.withUnsafeBytes { edges in
            guard edges.count > OutputSummary.edgeLength else { return appendText(edges, to: &row) }
            let quote = quote(for: edges)
            row.append(quote)
            let head = UnsafeRawBufferPointer(rebasing: edges[..<OutputSummary.edgeLength])
            let tail = UnsafeRawBufferPointer(rebasing: edges[OutputSummary.edgeLength...])
            appendEscapedText(head, quote: quote, to: &row)
            for _ in 0..<3 { row.append(UInt8(ascii: ".")) }
            appendEscapedText(tail, quote: quote, to: &row)
            row.append(quote)
        }
    }

    // MARK: Escaping

    private static let singleQuote = UInt8(ascii: "'")
    private static let doubleQuote = UInt8(ascii: "\"")

    /// Python quotes with `'`, but with `"` what holds a `'` and no `"`.
    private static func quote(for bytes: UnsafeRawBufferPointer) -> UInt8 {
        bytes.contains(singleQuote) && !bytes.contains(doubleQuote) ? doubleQuote : singleQuote
    }

    private static func appendEscapedText(_ bytes: UnsafeRawBufferPointer, quote: UInt8, to row: inout [UInt8]) {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != quote && $0 != UInt8(ascii: "\\") }) {
            row.append(contentsOf: bytes)
            return
        }
        var index = 0
        while index < bytes.count {
            if bytes[index] < 0x7F {
                appendEscapedASCII(bytes[index], quote: quote, to: &row)
                index += 1
                continue
            }
            let scalar = UTF8Text.nextScalar(in: bytes, at: &index) ?? "\u{FFFD}"
            if isPrintable(scalar) {
                row.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            } else {
                appendEscaped(scalar, to: &row)
            }
        }
    }

    /// Appends a byte below 0x7F.
    private static func appendEscapedASCII(_ byte: UInt8, quote: UInt8, to row: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\t"): appendBackslash(UInt8(ascii: "t"), to: &row)
        case UInt8(ascii: "\n"): appendBackslash(UInt8(ascii: "n"), to: &row)
        case UInt8(ascii: "\r"): appendBackslash(UInt8(ascii: "r"), to: &row)
        case UInt8(ascii: "\\"), quote: appendBackslash(byte, to: &row)
        case ..<0x20: appendHex(UInt32(byte), marker: UInt8(ascii: "x"), digits: 2, to: &row)
        default: row.append(byte)
        }
    }

    private static func appendEscaped(_ scalar: Unicode.Scalar, to row: inout [UInt8]) {
        switch scalar.value {
        case ...0xFF: appendHex(scalar.value, marker: UInt8(ascii: "x"), digits: 2, to: &row)
        case ...0xFFFF: appendHex(scalar.value, marker: UInt8(ascii: "u"), digits: 4, to: &row)
        default: appendHex(scalar.value, marker: UInt8(ascii: "U"), digits: 8, to: &row)
        }
    }

    private static func appendBackslash(_ byte: UInt8, to row: inout [UInt8]) {
        row.append(UInt8(ascii: "\\"))
        row.append(byte)
    }

    private static func appendHex(_ value: UInt32, marker: UInt8, digits: Int, to row: inout [UInt8]) {
        appendBackslash(marker, to: &row)
        for position in stride(from: (digits - 1) * 4, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt32(position) & 0xF)
            row.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// Python's `str.isprintable` of a scalar that is not ASCII.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            false
        default: true
        }
    }
}
