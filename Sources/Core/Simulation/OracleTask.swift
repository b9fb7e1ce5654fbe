import DisbatchCore

/// One number of the source, as the oracle knows it: a task, a barrier or a skipped one.
struct OracleTask {
    enum Kind: UInt8 {
        case unknown, task, barrier, skipped
    }

    var kind = Kind.unknown
    var segment: Int32 = 0
    var rows: UInt8 = 0
    var failures: UInt8 = 0
    var losses: UInt8 = 0
    /// Whether its last loss was with other tasks, and whether it may be run alone for that.
    var wasLostWithOthers = false
    var isSuspect = false
    /// Attempts that ended with their context's time.
    var cuts: UInt8 = 0
    /// Engines that hold it, and processes that run it, now.
    var holders: UInt8 = 0
    var running: UInt8 = 0
    var wasAssigned = false
    /// Whether its user wants it to end.
    var wasKilled = false
    /// The engine on which it failed or with which it was lost, the last time.
    var avoided: Int32 = -1

    var attempt: Int { Int(failures) + Int(losses) + Int(cuts) + 1 }
}

/// The tasks between two barriers.
struct OracleSegment {
    var read = 0
    var assigned = 0
    var ended = 0
    var hasFailure = false
    /// The barrier behind them, when it was read.
    var barrier: Barrier?
    /// The number of the last row of one of its tasks.
    var lastRow = 0
}

/// One engine, as the oracle knows it: what the scheduler was told of it, and what it was told to do.
struct OracleEngine {
    let context: Int
    var slots = 0
    var joined = false
    var silent = false
    var gone = false
    var abandoned = false
    /// Whether it is to take no more tasks.
    var leaving = false
    var refused = false
    /// Whether it ever was to be handed tasks.
    var wasUsed = false
    /// Whether it ended a task by itself.
    var leaseEnded = false
    var shutDown = false
    var startsAssigned = 0
    var startsEnded = 0
    var stopsAssigned = 0
    var stopsEnded = 0
    /// Assignments of tasks that it holds.
    var assigned: Set<UInt64> = []
    /// Those of them whose files only are under way.
    var sending: Set<UInt64> = []
    /// How many run, or wait for a slot.
    var occupying: Int { assigned.count - sending.count }
    var recallsAsked = 0
    var recallsAnswered = 0
    /// A task that it was given to run alone.
    var alone: Int?
    /// Its part in the sum of idle slots.
    var idle = 0
    /// When the last lease token was sent to it, and the last one that it acknowledged, in nanoseconds.
    var tokenSent: Int64 = 0
    var tokenAcknowledged: Int64 = 0
    /// When the first was sent of those that it has not acknowledged.
    var unansweredSince: Int64 = 0

    mutating func noteToken(sentAt now: Int64) {
        if tokenAcknowledged >= tokenSent { unansweredSince = now }
        tokenSent = now
    }

    /// Whether it may be taken for one that does not answer: no use for tasks.
    func mayBeOverdue(at now: Int64, heartbeat: Int64) -> Bool {
        tokenAcknowledged < tokenSent && now - unansweredSince >= heartbeat * 9 / 10
    }

    /// Whether it has not answered for so long that it must not be given a task.
    func isOverdue(at now: Int64, heartbeat: Int64) -> Bool {
        tokenAcknowledged < tokenSent && now - tokenSent > heartbeat * 2
    }

    var isLost: Bool { gone || abandoned }
}

/// All that keeps tasks from being handed out.
struct OracleGate {
    var isDrained = false
    var isStopped = false
    var isHeld = false
    var hasFailedFast = false
    var hasFailedCheck = false

    /// Whether nothing will be handed out any more.
    var isShut: Bool { isDrained || isStopped || hasFailedFast || hasFailedCheck }
    var isOpen: Bool { !isShut && !isHeld }
}
