import CLinux
import Glibc

/// A flag that one thread signals and another's ``EventPoll`` sees (eventfd).
package final class EventFlag: Sendable {
    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let raw = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard raw >= 0 else { throw SystemError("make an event descriptor") }
        descriptor = Descriptor(owning: raw)
    }

    /// The descriptor that becomes readable.
    package var raw: Int32 { descriptor.raw }

    /// Makes the descriptor readable. Any thread may.
    package func signal() {
        _ = eventfd_write(raw, 1)
    }

    /// Makes the descriptor unreadable again, however often it was signalled.
    package func clear() {
        var value: eventfd_t = 0
        _ = eventfd_read(raw, &value)
    }
}
