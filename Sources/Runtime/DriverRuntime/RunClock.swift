import DisbatchCore
import LinuxSystem

/// The clocks of a driver.
enum RunClock {
    /// The time that decisions are made by.
    static var now: Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }

    /// The time of day.
    static var wall: Timestamp { Timestamp(microseconds: SystemClock.wallMicroseconds()) }

    /// The time of day at an instant.
    static func wall(of instant: Instant) -> Timestamp {
        let ago = (SystemClock.bootNanoseconds() - instant.nanoseconds) / 1000
        return Timestamp(microseconds: SystemClock.wallMicroseconds() - ago)
    }
}
