import CLinux
import Glibc

/// Wakes a loop at a time, by a descriptor (timerfd, on CLOCK_BOOTTIME).
///
/// A time limit given to each wait is cheaper to write down, but sets and takes back a timer at every turn, which in a
/// virtual machine costs more than the turn. This timer is armed anew only for a time that is sooner, or once it fired:
/// so it may fire before the time that is waited for by now, and never behind it.
package struct WakeTimer: ~Copyable {
    private let file: Descriptor
    /// The time for which the timer is armed; `.max` where it is not.
    private var armedFor = Int64.max

    package init() throws(SystemError) {
        let raw = clinux_boot_timer()
        guard raw >= 0 else { throw SystemError("make a timer") }
        file = Descriptor(owning: raw)
    }

    /// The descriptor to watch: readable from the time on that was asked for.
    package var raw: Int32 { file.raw }

    /// Arms the timer for `nanoseconds` of ``SystemClock/bootNanoseconds()``, or leaves it armed for sooner.
    package mutating func arm(at nanoseconds: Int64) {
        guard nanoseconds < armedFor else { return }
        armedFor = nanoseconds
        // Zero would mean never.
        clinux_set_boot_timer(file.raw, max(1, nanoseconds))
    }

    /// Notes that the timer fired.
    package mutating func fired() {
        armedFor = .max
        clinux_set_boot_timer(file.raw, 0)
    }
}
