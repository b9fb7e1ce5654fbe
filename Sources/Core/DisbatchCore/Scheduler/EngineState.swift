/// The stages of an engine's life. An engine only ever moves downwards in this list.
enum EngineLife: Equatable, Sendable {
    /// The engine's command was launched. Next: ``joined``, ``gone``.
    case launched
    /// The engine is ready, but not all per-engine commands are known yet. Next: ``starting(next:)``, ``active``.
    case joined
    /// START commands run in order, this one now. Next: ``active``, ``stopping(next:)``.
    case starting(next: Int)
    /// The engine takes tasks. Next: ``leaving``, ``stopping(next:)``.
    case active
    /// The engine takes no more tasks, but still has some. Next: ``stopping(next:)``.
    case leaving
    /// STOP commands run in order, this one now. Next: ``closing(since:)``.
    case stopping(next: Int)
    /// The engine was told to shut down. Next: ``gone``.
    case closing(since: Instant)
    /// The engine was given up; its tasks, if they still live, end by its lease. Next: ``gone``.
    case lost
    /// The engine and its tasks are no more.
    case gone
}

/// Whether an engine is heard of.
enum EngineHearing: Equatable, Sendable {
    /// Next: ``overdue``, ``cutOff``.
    case answering
    /// A token is unanswered since the last one was due: the engine gets nothing new, which might wait for the end of
    /// its lease there. Next: ``answering``, ``quiet``, ``cutOff``.
    case overdue
    /// The user was told. Next: ``answering``, ``cutOff``.
    case quiet
    /// Its channel ended without proof that its tasks are dead. Final.
    case cutOff
}

/// The pool's rings that an engine may be in.
struct EngineRings: OptionSet, Sendable {
    let rawValue: UInt8

    static let idle = EngineRings(rawValue: 1)
    static let hungry = EngineRings(rawValue: 2)
    static let ahead = EngineRings(rawValue: 4)
    static let rest = EngineRings(rawValue: 8)
}

/// A reason to send an engine away.
enum EngineDismissal: Equatable, Sendable {
    /// Nothing was left for it.
    case retired
    /// One of its START commands failed.
    case refused
}

/// One engine, as the scheduler knows it.
struct EngineState: Equatable, Sendable {
    let id: EngineID
    let context: ContextID
    let node: String
    /// Whether the engine's tasks live by a lease.
    let isLeased: Bool
    var life = EngineLife.launched
    var slots = 0
    /// The engine's assignments, running or waiting.
    var assigned = InFlightList()
    /// Assignments that ended, but whose files are still on their way home.
    var staging = 0
    var hearing = EngineHearing.answering
    /// Whether the engine is to go before it takes any task: its context was drained, or is at its limit.
    var isUnwanted = false
    /// When the last lease token was sent, and when the last one that was acknowledged. No other is sent before
    /// the last one is acknowledged, so its tasks live no longer than the lease from ``tokenSent``, even if it hears
    /// us and we don't hear it.
    var tokenSent = Instant(nanoseconds: 0)
    var lastAcknowledged = Instant(nanoseconds: 0)
    /// Why it was sent away before the end.
    var dismissal: EngineDismissal?
    /// A task that runs there alone, since it may be what ends its engines.
    var suspect: AssignmentID?
    var endOrder = EndOrder()
    /// The time that a message takes there and back, and that tasks took of late; 0 where not known.
    var roundTripSeconds = 0.0
    var meanTaskSeconds = 0.0
    /// Tasks that ended on the engine, and those of them that failed.
    var finishedTasks = 0
    var failedTasks = 0
    /// Tasks that failed in a row within a second each, and how many had succeeded in the run before these.
    var quickFailures = 0
    var successesBefore = 0
    /// Tasks asked back and not answered for yet.
    var recallPending = 0
    /// The engine's part in the pool's sum of idle slots.
    var countedIdle = 0
    /// The pool's rings that it is in.
    var rings: EngineRings = []

    init(id: EngineID, context: ContextID, node: String, isLeased: Bool) {
        self.id = id
        self.isLeased = isLeased
        self.context = context
        self.node = node
    }

    /// Whether tasks may be handed to the engine.
    var accepts: Bool { life == .active && hearing == .answering }

    /// Whether the last token is not acknowledged.
    var owesAnswer: Bool { lastAcknowledged < tokenSent }

    /// Whether its channel ended without proof that its tasks are dead.
    var isSilent: Bool { hearing == .cutOff }

    /// Whether the engine may still be heard of.
    var isLive: Bool { life != .gone && life != .lost }

    /// Assignments that run, or wait for a slot.
    var occupying: Int { assigned.count - staging }

    var idleSlots: Int { accepts && suspect == nil && staging < Self.mostStaging ? max(0, slots - occupying) : 0 }

    /// Whether tasks wait that can be asked back, and are not being asked back already.
    var hasRecallable: Bool { waitingCount > 0 && recallPending == 0 && isLive && hearing == .answering }

    /// Tasks that can't have started: an engine starts its assignments in order as its slots become free.
    var waitingCount: Int { max(0, occupying - slots) }

    /// The number of tasks to hand out beyond the slots, so that no slot idles while the next task is on its way: as
    /// many as the engine finishes in a round trip, and in the time for which it may gather ends before it tells of
    /// them. A task that was handed out too far ahead comes back when another slot idles.
    var aheadTarget: Int {
        guard meanTaskSeconds > 0 else { return 0 }
        let finishedMeanwhile = Double(slots) * (roundTripSeconds + Self.reportSeconds) / meanTaskSeconds
        if finishedMeanwhile < 0.01 { return 0 }
        let most = max(slots, Self.mostAhead)
        return finishedMeanwhile >= Double(most) ? most : Int(finishedMeanwhile) + 1
    }

    /// Whether the engine may be given a task beyond its slots.
    var wantsMore: Bool { accepts && suspect == nil && staging < Self.mostStaging && occupying < slots + aheadTarget }

    /// Adds a task's time to the mean, in which the latest counts most.
    mutating func noteTaskTime(seconds: Double) {
        let time = max(seconds, 1e-6)
        meanTaskSeconds = meanTaskSeconds == 0 ? time : meanTaskSeconds * 0.8 + time * 0.2
    }

    /// The time for which an engine on which tasks wait may not tell of ends, and the driver's turn.
    private static let reportSeconds = 0.02
    /// The limit of tasks beyond the slots: a slot that comes free elsewhere must wait for them to come back.
    static let mostAhead = 64
    /// The limit of tasks that get ahead of their files, where files come home more slowly than tasks end.
    static let mostStaging = 4096
}
