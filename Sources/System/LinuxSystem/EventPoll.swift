import CLinux
import Glibc

/// A report of an ``EventPoll`` about one descriptor.
package struct ReadyEvent: Sendable {
    /// The token that the descriptor was registered with.
    package var token: UInt64
    package var isReadable: Bool
    package var isWritable: Bool
    /// The other end is closed, or the descriptor is in error: reading tells.
    package var isHungUp: Bool
}

/// The conditions of a descriptor to be reported, beside its hanging up.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let reading = Interest(rawValue: EPOLLIN.rawValue)
    package static let writing = Interest(rawValue: EPOLLOUT.rawValue)
}

/// Waits for many descriptors at once (epoll, level-triggered).
///
/// Adding and removing is safe from any thread; waiting is for one.
package final class EventPoll: Sendable {
    private let descriptor: Descriptor
    private static let batch = 256

    package init() throws(SystemError) {
        let raw = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard raw >= 0 else { throw SystemError("make an epoll descriptor") }
        descriptor = Descriptor(owning: raw)
    }

    /// Watches a descriptor from now on; its events carry the token.
    package func add(_ raw: Int32, token: UInt64, _ interest: Interest = .reading) throws(SystemError) {
        try control(EPOLL_CTL_ADD, raw, token, interest)
    }

    /// Changes what a watched descriptor is watched for.
    package func change(_ raw: Int32, token: UInt64, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, raw, token, interest)
    }

    /// Forgets a descriptor; needed only where another copy of it stays open when it is closed.
    package func remove(_ raw: Int32) {
        var event = epoll_event()
        _ = epoll_ctl(descriptor.raw, EPOLL_CTL_DEL, raw, &event)
    }

    private func control(
        _ operation: Int32, _ raw: Int32, _ token: UInt64, _ interest: Interest
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        guard epoll_ctl(descriptor.raw, operation, raw, &event) == 0 else {
            throw SystemError("watch descriptor \(raw)")
        }
    }

    /// Appends the descriptors that are ready, waiting for one up to `milliseconds` (-1: as long as it takes).
    package func wait(milliseconds: Int32, into ready: inout [ReadyEvent]) throws(SystemError) {
        var failure: SystemError?
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.batch) { events in
            let count = epoll_wait(descriptor.raw, events.baseAddress, Int32(Self.batch), milliseconds)
            guard count >= 0 else {
                if errno != EINTR { failure = SystemError("wait for descriptors") }
                return
            }
            for event in events.prefix(Int(count)) {
                let flags = event.events
                ready.append(
                    ReadyEvent(
                        token: event.data.u64,
                        isReadable: flags & EPOLLIN.rawValue != 0,
                        isWritable: flags & EPOLLOUT.rawValue != 0,
                        isHungUp: flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0))
            }
        }
        if let failure { throw failure }
    }
}
