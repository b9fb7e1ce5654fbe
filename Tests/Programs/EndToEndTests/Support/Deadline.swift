import Foundation

/// A moment until which something is polled.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(seconds: Double) { end = .now + .seconds(seconds) }

    var hasPassed: Bool { ContinuousClock.now >= end }

    /// Waits a little, before looking again.
    func pause() { usleep(2000) }
}
