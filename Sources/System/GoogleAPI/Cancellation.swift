import CCurl
import LinuxSystem

/// Ends what a thread waits for, from another thread.
package final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        /// Handles of libcurl that are waited in, as numbers: each is taken out before it is freed.
        var waiting: Set<UInt> = []
    }

    private let state = Guarded(State())

    package init() {}

    /// Ends requests and waits that are under way, and all that begin later.
    package func cancel() {
        state.withLock { state in
            state.isCancelled = true
            for handle in state.waiting { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: handle)) }
        }
        state.signal()
    }

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Waits for a time; false, at once, when cancelled.
    package func wait(_ time: Duration) -> Bool {
        state.wait(until: MonotonicTime.now + time) { $0.isCancelled ? true : nil } == nil
    }

    func enter(_ multi: UnsafeMutableRawPointer) {
        state.withLock { _ = $0.waiting.insert(UInt(bitPattern: multi)) }
    }

    func leave(_ multi: UnsafeMutableRawPointer) {
        state.withLock { _ = $0.waiting.remove(UInt(bitPattern: multi)) }
    }
}
