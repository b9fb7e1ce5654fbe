import DisbatchCore
import Glibc
import LinuxSystem

/// An instant for people: local time.
func localTime(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds.magnitude < 1e11 else { return "?" }
    var whole = time_t(seconds.rounded(.down))
    var parts = tm()
    localtime_r(&whole, &parts)
    func padded(_ number: Int32) -> String { String(number, digits: 2) }
    let date = "\(1900 + parts.tm_year)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    return "\(date) \(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
}

/// Now, in seconds since 1970.
func secondsNow() -> Double { Double(SystemClock.wallMicroseconds()) / 1e6 }
