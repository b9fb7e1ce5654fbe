/// Decides when a run starts no task because its rows are not written, and when it waits no longer for a full disk.
package struct WritingWatch: Equatable, Sendable {
    /// The state of the status file's writer, as it is seen from outside.
    package struct Sight: Equatable, Sendable {
        /// Whether its disk is full, and rows wait for room.
        package var isFull: Bool
        /// The time for which the oldest row has waited; nil where none waits.
        package var oldest: Duration?
        package var waitingBytes: Int
        package var runningTasks: Int

        package init(isFull: Bool, oldest: Duration?, waitingBytes: Int, runningTasks: Int) {
            self.isFull = isFull
            self.oldest = oldest
            self.waitingBytes = waitingBytes
            self.runningTasks = runningTasks
        }
    }

    /// The news for the user; with `givenUp`, the writer is to fail.
    package enum News: Equatable, Sendable {
        case full, room, stuck, goesOn, givenUp
    }

    /// The time after which rows should be written, and how many bytes may wait whatever the time.
    package static let stuckAfter = Duration.seconds(10)
    package static let highWater = 64 << 20
    private static let interval = Duration.seconds(1)

    /// How long a full disk is waited for once no task runs any more.
    private let patience: Duration
    /// When to look again; nil while nothing waits.
    private var nextLook: Instant?
    private var isFull = false
    private var isStuck = false
    /// Since when no task runs while the disk is full.
    private var restingSince: Instant?

    package init(patience: Duration) { self.patience = patience }

    /// Whether no task is to be started for now.
    package var isHolding: Bool { isFull || isStuck }

    /// When ``look(_:at:)`` is due.
    package var nextDeadline: Instant { nextLook ?? .distantFuture }

    /// Notes that rows were handed to the writer, after which so many bytes wait.
    package mutating func handedOver(waitingBytes: Int, at now: Instant) {
        if waitingBytes > Self.highWater {
            nextLook = now
        } else if nextLook == nil {
            nextLook = now + Self.stuckAfter
        }
    }

    /// Judges what is seen, when it is due or the writer has news.
    package mutating func look(_ sight: Sight, at now: Instant) -> News? {
        if sight.isFull != isFull {
            isFull = sight.isFull
            restingSince = nil
            nextLook = now + Self.interval
            return isFull ? .full : .room
        }
        if isFull {
            nextLook = now + Self.interval
            restingSince = sight.runningTasks > 0 ? nil : restingSince ?? now
            guard let restingSince, now >= restingSince + patience else { return nil }
            return .givenUp
        }
        guard let oldest = sight.oldest else {
            nextLook = nil
            guard isStuck else { return nil }
            isStuck = false
            return .goesOn
        }
        nextLook = now + (isStuck || oldest >= Self.stuckAfter ? Self.interval : Self.stuckAfter - oldest)
        guard !isStuck, oldest >= Self.stuckAfter || sight.waitingBytes > Self.highWater else { return nil }
        isStuck = true
        nextLook = now + Self.interval
        return .stuck
    }
}
