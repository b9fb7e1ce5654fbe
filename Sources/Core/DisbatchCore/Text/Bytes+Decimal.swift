extension [UInt8] {
    /// Appends a whole number in decimal digits, with `-` before a negative one.
    mutating func appendDecimal(_ value: some BinaryInteger) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDigits(UInt64(value.magnitude), atLeast: 1)
    }

    /// Appends microseconds as seconds with exactly three decimals, rounded to the nearest, a half away from zero.
    mutating func appendSeconds(microseconds: Int64) {
        let milliseconds = (microseconds.magnitude + 500) / 1000
        if microseconds < 0, milliseconds > 0 { append(UInt8(ascii: "-")) }
        appendDigits(milliseconds / 1000, atLeast: 1)
        append(UInt8(ascii: "."))
        appendDigits(milliseconds % 1000, atLeast: 3)
    }

    private mutating func appendDigits(_ value: UInt64, atLeast minimum: Int) {
        if value < 10, minimum == 1 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value))
            return
        }
        // 2^64 has 20 digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value
            var first = 20
            while rest > 0 || 20 - first < minimum {
                first -= 1
                digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[first...]))
        }
    }
}
