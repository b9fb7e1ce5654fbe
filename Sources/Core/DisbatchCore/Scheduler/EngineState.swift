/// Where an engine stands in its life. It only ever moves downwards in this list.
enum EngineLife: Equatable, Sendable {
    /// Its command was launched. Next: ``joined``, ``gone``.
    case launched
    /// It is ready, but the per-engine commands are not all known yet. Next: ``starting(next:)``, ``active``.
    case joined
    /// It runs its START commands in order, this one now. Next: ``active``, ``stopping(next:)``.
    case starting(next: Int)
    /// It takes tasks. Next: ``leaving``, ``stopping(next:)``.
    case active
    /// It takes no more tasks, but holds some. Next: ``stopping(next:)``.
    case leaving
    /// It runs its STOP commands in order, this one now. Next: ``closing(since:)``.
    case stopping(next: Int)
    /// It was told that it is no longer needed. Next: ``gone``.
    case closing(since: Instant)
    /// It was given up; its tasks, if they still live, end by its lease. Next: ``gone``.
    case lost
    /// It and its tasks are no more.
    case gone
}

/// What the scheduler knows of one engine.
struct EngineState: Equatable, Sendable {
    let id: EngineID
    let context: ContextID
    let node: String
    /// Whether its tasks live by a lease.
    let isLeased: Bool
    var life = EngineLife.launched
    var slots = 0
    /// The assignments it holds, running or waiting.
    var held = InFlightList()
    /// How many of these ended, and only their files are still on their way home.
    var staging = 0
    /// Whether its channel ended without proof that its tasks are dead.
    var isSilent = false
    /// Whether it is to go before it takes any task: its context was drained, or is at its limit.
    var isUnwanted = false
    /// When the last lease token was sent to it, and when the last one that it acknowledged. No other is sent before
    /// the last one is acknowledged, so its tasks live no longer than the lease from ``tokenSent``, even if it hears
    /// us and we don't hear it.
    var tokenSent = Instant(nanoseconds: 0)
    var lastAcknowledged = Instant(nanoseconds: 0)
    /// Whether it was sent away because nothing was left for it.
    var isRetired = false
    /// Whether it is not used because one of its START commands failed.
    var isRefused = false
    /// What one message there and back takes, and what its tasks took of late; 0 where not known.
    var roundTripSeconds = 0.0
    var meanTaskSeconds = 0.0
    /// Tasks that ended on it, and those of them that failed.
    var finishedTasks = 0
    var failedTasks = 0
    /// How many of its tasks failed in a row within a second each, and how many had succeeded in the run before these.
    var quickFailures = 0
    var successesBefore = 0
    /// Tasks asked back and not answered for yet.
    var recallPending = 0
    /// Its part in the scheduler's sum of idle slots.
    var countedIdle = 0
    var isInIdleRing = false
    var isInHungryRing = false
    var isInAheadRing = false
    var isInRestRing = false

    init(id: EngineID, context: ContextID, node: String, isLeased: Bool) {
        self.id = id
        self.isLeased = isLeased
        self.context = context
        self.node = node
    }

    /// Whether tasks may be handed to it.
    var accepts: Bool { life == .active && !isSilent }

    /// Whether it may still be heard of.
    var isLive: Bool { life != .gone && life != .lost }

    /// How many of the assignments it holds run, or wait for a slot.
    var occupying: Int { held.count - staging }

    var idleSlots: Int { accepts && staging < Self.mostStaging ? max(0, slots - occupying) : 0 }

    /// Whether some of what it holds can be asked back, and is not being asked back already.
    var hasRecallable: Bool { waitingCount > 0 && recallPending == 0 && isLive && !isSilent }

    /// Held tasks that can't have started: an engine starts what it holds in order as its slots become free.
    var waitingCount: Int { max(0, occupying - slots) }

    /// How many tasks to hand out beyond its slots, so that a slot doesn't idle while the next task is on its way:
    /// what the engine finishes in a round trip and the while that it may gather ends for before it tells of them.
    /// What is handed out too far ahead comes back when another slot idles.
    var aheadTarget: Int {
        guard meanTaskSeconds > 0 else { return 0 }
        let finishedMeanwhile = Double(slots) * (roundTripSeconds + Self.reportSeconds) / meanTaskSeconds
        if finishedMeanwhile < 0.01 { return 0 }
        let most = max(slots, Self.mostAhead)
        return finishedMeanwhile >= Double(most) ? most : Int(finishedMeanwhile) + 1
    }

    /// Whether it may be given a task beyond its slots.
    var wantsMore: Bool { accepts && staging < Self.mostStaging && occupying < slots + aheadTarget }

    /// Takes a task's time into the mean, the latest counting most.
    mutating func noteTaskTime(seconds: Double) {
        let time = max(seconds, 1e-6)
        meanTaskSeconds = meanTaskSeconds == 0 ? time : meanTaskSeconds * 0.8 + time * 0.2
    }

    /// How long ends may go untold on an engine where tasks wait, and the driver's turn.
    private static let reportSeconds = 0.02
    /// More than its slots only so far: what a slot that comes free elsewhere must wait for to come back.
    static let mostAhead = 64
    /// Where files come home more slowly than tasks end, no more tasks than this get ahead of theirs.
    static let mostStaging = 4096
}
