/// Reading seconds as Python writes a float: `0.012`, `10.0486528873`, `9.5e-06`.
enum DecimalSeconds {
    /// The text's seconds in microseconds, a half rounded away from zero; nil if it is no such number or too large.
    static func microseconds(_ text: Slice<UnsafeRawBufferPointer>) -> Int64? {
        var digits = text
        var isNegative = false
        if digits.first == UInt8(ascii: "-") {
            isNegative = true
            digits = digits.dropFirst()
        }
        guard let mantissa = Mantissa(&digits) else { return nil }
        var scale = mantissa.scale + 6
        if let marker = digits.first {
            digits = digits.dropFirst()
            guard marker == UInt8(ascii: "e") || marker == UInt8(ascii: "E"), let exponent = exponent(digits)
            else { return nil }
            scale += exponent
        }
        guard let magnitude = scaled(mantissa.value, by: scale) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// Digits with at most one point among them: their value is `value` times ten to the power of `scale`.
    private struct Mantissa {
        var value: UInt64 = 0
        var scale = 0

        /// Takes the digits off the front of `text`. Those beyond the 18th leading one count as zeros.
        init?(_ text: inout Slice<UnsafeRawBufferPointer>) {
            var index = text.startIndex
            var digitCount = 0
            var seenPoint = false
            while index < text.endIndex {
                let digit = text[index] &- UInt8(ascii: "0")
                if digit < 10 {
                    digitCount += 1
                    if value < 100_000_000_000_000_000 {
                        value = value * 10 + UInt64(digit)
                        if seenPoint { scale -= 1 }
                    } else if !seenPoint {
                        scale += 1
                    }
                } else if text[index] == UInt8(ascii: "."), !seenPoint {
                    seenPoint = true
                } else {
                    break
                }
                index += 1
            }
            guard digitCount > 0 else { return nil }
            text = text[index...]
        }
    }

    private static func exponent(_ text: Slice<UnsafeRawBufferPointer>) -> Int? {
        let digits = text.first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard let exponent = Int(decimal: digits), (-400...400).contains(exponent) else { return nil }
        return exponent
    }

    /// `value` times ten to the power of `scale`, rounded.
    private static func scaled(_ value: UInt64, by scale: Int) -> Int64? {
        if scale >= 0 {
            var result = value
            for _ in 0..<scale where result > 0 {
                let (product, overflow) = result.multipliedReportingOverflow(by: 10)
                guard !overflow else { return nil }
                result = product
            }
            return Int64(exactly: result)
        }
        guard scale > -19 else { return 0 }
        var divisor: UInt64 = 1
        for _ in 0..<(-scale) { divisor *= 10 }
        return Int64(exactly: (value + divisor / 2) / divisor)
    }
}
