import DisbatchCore

/// When progress is shown: a line that is drawn again and again follows the run; elsewhere lines are few.
struct ProgressPace {
    /// Whether progress is one line, drawn again and again.
    let isRedrawn: Bool
    private var lastShown: Instant
    /// When it was last found that there is too little new for a line.
    private var lastLooked: Instant
    private var lastDone = 0

    private static let redrawInterval = Duration.milliseconds(200)
    private static let secondInterval = Duration.seconds(1)
    /// Lines that stay come at most so often, and at most so many in a run.
    private static let lineInterval = Duration.seconds(300)
    private static let lines = 20

    init(isRedrawn: Bool, at now: Instant) {
        self.isRedrawn = isRedrawn
        lastShown = now
        lastLooked = now
    }

    /// When to look for something new at the latest.
    var nextLook: Instant {
        isRedrawn ? lastShown + Self.secondInterval : max(lastShown, lastLooked) + Self.lineInterval
    }

    /// Whether a line is to be shown now, with so many tasks done of `total`, if that is known.
    mutating func isDue(at now: Instant, done: Int, total: Int?) -> Bool {
        guard now >= lastShown + (isRedrawn ? Self.redrawInterval : Self.lineInterval) else { return false }
        lastLooked = now
        if !isRedrawn, let total, (done - lastDone) * Self.lines < max(1, total) { return false }
        lastDone = done
        lastShown = now
        return true
    }
}
