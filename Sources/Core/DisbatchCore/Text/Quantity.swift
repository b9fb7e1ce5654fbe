/// Quantities in words, as people read them.
package enum Quantity {
    /// A time: `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    package static func time(_ seconds: Double) -> String {
        if seconds < 59.95 { return "\(oneDecimal(seconds)) s" }
        let whole = Int(min(seconds, 1e12).rounded())
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        if whole < 86_400 { return "\(whole / 3600) h \(whole / 60 % 60) min" }
        return "\(whole / 86_400) d \(whole / 3600 % 24) h"
    }

    /// A number per second: `12/s`, `0.5/min`.
    package static func rate(_ perSecond: Double) -> String {
        perSecond >= 1 ? "\(oneDecimal(perSecond))/s" : "\(oneDecimal(perSecond * 60))/min"
    }

    /// A number with one decimal, as long as that tells anything.
    package static func oneDecimal(_ value: Double) -> String {
        // A clock that was set back makes times negative.
        let value = max(0, value)
        guard value < 99.95 else { return "\(Int(min(value, 1e15).rounded()))" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
