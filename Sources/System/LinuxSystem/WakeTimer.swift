import CLinux
import Glibc

/// Wakes a loop at a time, by a descriptor (timerfd, on CLOCK_BOOTTIME).
///
/// A time limit given to each wait is cheaper to write down, but sets and takes back a timer at every turn, which in a
/// virtual machine costs more than the turn. This timer is set anew only for a time that is sooner, or once it rang:
/// so it may ring before the time that is waited for by now, and never behind it.
package struct WakeTimer: ~Copyable {
    private let file: Descriptor
    /// When it rings; `.max` where it is not set.
    private var setFor = Int64.max

    package init() throws(SystemError) {
        let raw = clinux_boot_timer()
        guard raw >= 0 else { throw SystemError("make a timer") }
        file = Descriptor(owning: raw)
    }

    /// The descriptor to watch: readable from the time on that was asked for.
    package var raw: Int32 { file.raw }

    /// Lets it ring at `nanoseconds` of ``SystemClock/bootNanoseconds()``, or before.
    package mutating func ring(at nanoseconds: Int64) {
        guard nanoseconds < setFor else { return }
        setFor = nanoseconds
        // Zero would mean never.
        clinux_set_boot_timer(file.raw, max(1, nanoseconds))
    }

    /// To be called when it rang.
    package mutating func rang() {
        setFor = .max
        clinux_set_boot_timer(file.raw, 0)
    }
}
