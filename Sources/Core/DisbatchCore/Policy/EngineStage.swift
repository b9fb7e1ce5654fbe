/// How far an engine has come, from the decision to have it to its end.
///
/// It ends from any stage, by ``DriverEvent/engineEnded(_:_:)``: as ``gone`` where that proves that nothing of it is
/// left, else as ``silent``.
package enum EngineStage: Equatable, Sendable {
    /// To be launched when its time comes. Next: ``connecting``, ``gone``.
    case waiting
    /// Launched, or about to be; its first line has not come. Next: ``greeting(due:)``.
    case connecting
    /// Its first line has come; it is given up if it has not sent its hello by then. Next: ``configuring(since:)``.
    case greeting(due: Instant)
    /// Sent its configuration, and not ready yet. Next: ``holding``, ``working``.
    case configuring(since: Instant)
    /// Ready, and kept waiting by the ``JoinGate``. Next: ``working``.
    case holding
    /// Free to have tasks. Next: ``leaving``, ``abandoned``.
    case working
    /// Told to go, or given up before it had any task: its end is no failure.
    case leaving
    /// Given up while it may have tasks: its channel is closed, its end awaited.
    case abandoned
    /// Unusable, as its complaint says: its channel is closed, or it was told to go; its end is awaited.
    case refused
    /// Its channel and what carried it have ended, but it may live. Next: ``gone``.
    case silent
    /// Nothing of it is left.
    case gone

    /// Whether it is on its way, and has not said what it is.
    var isOnItsWay: Bool {
        switch self {
        case .connecting, .greeting: true
        default: false
        }
    }

    /// Whether its channel and what carried it have ended.
    var isOver: Bool { self == .silent || self == .gone }

    /// Whether it may have had tasks, so that its end is one only with proof.
    package var mayHaveTasks: Bool { self == .working || self == .abandoned }
}

/// One engine, as the driver knows it.
package struct DriverEngine: Sendable {
    package let id: EngineID
    package let context: ContextID
    /// Its index in the engines of the context's plan.
    package let planIndex: Int
    package let plan: EnginePlan
    package internal(set) var stage = EngineStage.waiting
    /// See ``EngineHello/guardName``.
    package internal(set) var guardName = ""
    package internal(set) var pid: Int32 = -1
    /// Processors that it may use.
    package internal(set) var cores = 0
    /// Why it is of no use, where that is known before its end.
    var complaint: String?
    /// When somebody outside signalled it, who may have signalled its tasks too; nil if nobody did.
    var signalledAt: Instant?
    /// Whether it is in the machine's count of those that come again if they are lost.
    var countsAsReturning = false

    package var node: String { plan.node }
}
