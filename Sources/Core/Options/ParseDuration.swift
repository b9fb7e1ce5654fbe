/// Reads a duration: a number of seconds, or numbers with the units d, h, m, s, each at most once and the largest
/// first. The last number may have up to nine decimals.
///
/// - Returns: nil for anything else, and for more than 10000 days.
package func parseDuration(_ text: String) -> Duration? {
    var rest = Array(text.utf8)[...]
    var total = Duration.zero
    var unitBound = Int64.max
    while !rest.isEmpty {
        guard let number = takeNumber(&rest), let unit = takeUnit(&rest, isAlone: unitBound == .max),
            unit < unitBound
        else { return nil }
        if number.hasDecimals, !rest.isEmpty { return nil }
        total += .seconds(number.whole * unit) + .nanoseconds(number.billionths * unit)
        unitBound = unit
    }
    return unitBound == .max || total > .seconds(10_000 * 86_400) ? nil : total
}

private struct DecimalNumber {
    var whole: Int64
    var billionths: Int64
    var hasDecimals: Bool
}

private func takeNumber(_ rest: inout ArraySlice<UInt8>) -> DecimalNumber? {
    let whole = takeDigits(&rest)
    // Twelve digits are more than enough, and can't overflow with any unit.
    guard !whole.isEmpty, whole.count <= 12, let number = Int64(String(decoding: whole, as: UTF8.self)) else {
        return nil
    }
    guard number <= 10_000 * 86_400 else { return nil }
    guard rest.first == UInt8(ascii: ".") else {
        return DecimalNumber(whole: number, billionths: 0, hasDecimals: false)
    }
    rest.removeFirst()
    let decimals = takeDigits(&rest)
    guard !decimals.isEmpty, decimals.count <= 9 else { return nil }
    let padded = String(decoding: decimals, as: UTF8.self) + String(repeating: "0", count: 9 - decimals.count)
    return Int64(padded).map { DecimalNumber(whole: number, billionths: $0, hasDecimals: true) }
}

private func takeDigits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest.dropFirst(digits.count)
    return digits
}

/// The seconds of the unit that comes next. Without a unit a number counts seconds, if it stands alone.
private func takeUnit(_ rest: inout ArraySlice<UInt8>, isAlone: Bool) -> Int64? {
    switch rest.popFirst() {
    case UInt8(ascii: "d"): 86_400
    case UInt8(ascii: "h"): 3_600
    case UInt8(ascii: "m"): 60
    case UInt8(ascii: "s"): 1
    case nil where isAlone: 1
    default: nil
    }
}
