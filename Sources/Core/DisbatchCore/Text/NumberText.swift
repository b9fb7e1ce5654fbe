/// Numbers as people and programs read them.
package enum NumberText {
    /// A number with that many decimals, a half rounded away from zero.
    package static func fixed(_ number: Double, decimals: Int) -> String {
        guard number.isFinite else { return "?" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (number.magnitude * scale).rounded()
        guard scaled < 9e18 else { return String(number) }
        let whole = UInt64(scaled)
        let sign = number < 0 && whole > 0 ? "-" : ""
        guard decimals > 0 else { return sign + String(whole) }
        return sign + String(whole / UInt64(scale)) + "." + String(whole % UInt64(scale), digits: decimals)
    }

    /// Seconds: `0.012 s`, `12.3 s`, `3m 20s`, `2h 05m`, `3d 04h`.
    package static func duration(_ seconds: Double) -> String {
        if seconds < 1 { return fixed(seconds, decimals: 3) + " s" }
        if seconds < 59.95 { return fixed(seconds, decimals: 1) + " s" }
        guard seconds.isFinite, seconds < 1e15 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60)m \(String(whole % 60, digits: 2))s" }
        if whole < 86400 { return "\(whole / 3600)h \(String(whole % 3600 / 60, digits: 2))m" }
        return "\(whole / 86400)d \(String(whole % 86400 / 3600, digits: 2))h"
    }

    /// Bytes: `812 B`, `4.8 MiB`.
    package static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        var value = Double(count) / 1024
        for unit in ["KiB", "MiB", "GiB"] {
            if value < 1000 { return fixed(value, decimals: value < 10 ? 1 : 0) + " " + unit }
            value /= 1024
        }
        return fixed(value, decimals: 1) + " TiB"
    }

    /// A part of a whole in per cent, such as `12 %`; `0.3 %` where it is small.
    package static func percent(_ part: Double) -> String {
        let hundred = part * 100
        return fixed(hundred, decimals: hundred > 0 && hundred < 9.95 ? 1 : 0) + " %"
    }

    /// Such as `1 task`, `3 tasks`.
    package static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
