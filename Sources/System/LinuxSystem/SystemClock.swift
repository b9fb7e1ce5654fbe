import CLinux
import Glibc

/// The machine's clocks.
package enum SystemClock {
    /// Nanoseconds since boot, suspended time included.
    package static func bootNanoseconds() -> Int64 { nanoseconds(CLOCK_BOOTTIME) }

    /// Microseconds since 1970-01-01 00:00 UTC.
    package static func wallMicroseconds() -> Int64 { nanoseconds(CLOCK_REALTIME) / 1000 }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
