import Foundation

/// A moment until which something is polled.
struct Deadline {
    private let end: ContinuousClock.Instant
    private var nextPause: UInt32 = 1000

    init(seconds: Double) { end = .now + .seconds(seconds) }

    var hasPassed: Bool { ContinuousClock.now >= end }

    /// Waits a little, before looking again: longer from time to time, as a look may cost more than what is waited for.
    mutating func pause() {
        usleep(nextPause)
        nextPause = min(nextPause * 5 / 4, 20_000)
    }
}
