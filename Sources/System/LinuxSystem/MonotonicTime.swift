import Glibc

/// A point in time for waiting: nanoseconds on CLOCK_MONOTONIC, which no one can set and which stands still while the
/// machine sleeps.
package struct MonotonicTime: Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time `duration` after `time`; the latest time there is where that is too large.
    package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        let (scaled, tooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (span, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (sum, overflowed) = time.nanoseconds.addingReportingOverflow(span)
        return MonotonicTime(nanoseconds: tooLarge || carried || overflowed ? .max : sum)
    }

    /// How long until then, as poll(2) takes it: whole milliseconds, rounded up; 0 where it is past.
    package var millisecondsFromNow: Int32 {
        Int32(clamping: max(0, (nanoseconds - Self.now.nanoseconds + 999_999) / 1_000_000))
    }

    /// The same point as C has it.
    var cValue: timespec {
        timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
