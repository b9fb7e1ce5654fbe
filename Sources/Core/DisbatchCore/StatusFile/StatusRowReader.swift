/// Reads the columns of one row from left to right.
struct StatusRowReader {
    private let line: UnsafeRawBufferPointer
    /// Where the next column begins.
    private(set) var position = 0
    /// The next column's index.
    private var column = 0

    init(_ line: UnsafeRawBufferPointer) {
        self.line = line
    }

    /// Reads a column that another one follows.
    mutating func readColumn() throws(StatusRowError) -> Range<Int> {
        var end = position
        while end < line.count, line[end] != UInt8(ascii: "\t") { end += 1 }
        guard end < line.count else { throw StatusRowError(.tooFewColumns(column + 1), line) }
        defer {
            position = end + 1
            column += 1
        }
        return position..<end
    }

    /// Reads the flags: four of a process, five of a barrier.
    mutating func readKind() throws(StatusRowError) -> StatusRowKind {
        let range = try readColumn()
        guard let kind = kind(ofFlags: range) else { throw error(.badFlags, range) }
        return kind
    }

    private func kind(ofFlags range: Range<Int>) -> StatusRowKind? {
        let flags = UnsafeRawBufferPointer(rebasing: line[range])
        if flags.count == 5, flags[1...].allSatisfy({ $0 == blank }) {
            switch flags[0] {
            case UInt8(ascii: "B"): return .barrier(checks: false)
            case UInt8(ascii: "C"): return .barrier(checks: true)
            default: return nil
            }
        }
        guard flags.count == 4, flags[0] == blank || flags[0] == UInt8(ascii: "R"),
            flags[1] == blank || flags[1] == UInt8(ascii: "O"), flags[2] == blank || flags[2] == UInt8(ascii: "E")
        else { return nil }
        switch flags[3] {
        case blank: return .ended(.task)
        case UInt8(ascii: "P"): return .ended(.perEngine)
        case UInt8(ascii: "S"): return .ended(.skipped)
        case UInt8(ascii: "Z"): return .ended(.givenUp)
        default: return nil
        }
    }

    private var blank: UInt8 { UInt8(ascii: " ") }

    /// Reads a whole number, `-` allowed, that must lie in `bounds`.
    mutating func readInteger<Number: FixedWidthInteger>(
        _ bounds: ClosedRange<Number>
    ) throws(StatusRowError) -> Number {
        let range = try readColumn()
        guard let number = Number(decimal: line[range]), bounds.contains(number) else { throw badNumber(range) }
        return number
    }

    /// Reads seconds with any number of decimals, or with an exponent (`1.5e-05`), rounded to microseconds.
    mutating func readMicroseconds() throws(StatusRowError) -> Int64 {
        let range = try readColumn()
        guard let microseconds = DecimalSeconds.microseconds(line[range]) else { throw badNumber(range) }
        return microseconds
    }

    private func badNumber(_ range: Range<Int>) -> StatusRowError {
        error(.badNumber(column: column - 1), range)
    }

    private func error(_ problem: StatusRowError.Problem, _ range: Range<Int>) -> StatusRowError {
        StatusRowError(problem, UnsafeRawBufferPointer(rebasing: line[range]))
    }
}

extension FixedWidthInteger {
    /// The number that the digits say, `-` before them allowed; nil if there is another byte, none, or too many.
    init?(decimal text: Slice<UnsafeRawBufferPointer>) {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative ? text.dropFirst() : text
        guard !digits.isEmpty else { return nil }
        var value: Self = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let step = Self(truncatingIfNeeded: digit)
            let (sum, carried) =
                isNegative ? scaled.subtractingReportingOverflow(step) : scaled.addingReportingOverflow(step)
            guard !overflow, !carried else { return nil }
            value = sum
        }
        self = value
    }
}
