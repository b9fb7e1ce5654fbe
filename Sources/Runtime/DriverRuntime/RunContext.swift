import DisbatchCore
import EngineHosting
import LinuxSystem

/// One context of a run: what it is to be, and what came of it.
final class RunContext {
    /// Who launches its engines.
    enum Launching {
        /// This process.
        case own(EngineStarter)
        case relay(RelaySession)
    }

    let id: ContextID
    /// Engines may be added to it.
    var plan: ContextPlan
    let terms: ContextTerms
    let launching: Launching
    /// How often an engine of the plan was lost since it last finished a task.
    var failures: [Int: Int] = [:]
    var times = AllocationTimes()
    var retired = RetiredNodes()
    var lostSteps: [LostStep] = []
    /// Why there is no engine where there should be one.
    var reasons: [String] = []
    /// Whether its engines come and go as its relay says.
    let isElastic: Bool
    /// Whether an elastic context may get more engines.
    var mayGrow: Bool
    /// Its engines that are gone as far as can be seen, and may live.
    var silent: Set<EngineID> = []
    /// By places of the plan, the guards of engines that are not known to have ended all their tasks. With guard and
    /// engine killed at one moment nobody has; the next engine there does it.
    private(set) var guards: [Int: [String]] = [:]
    /// When its relay is next told how much there is to do, and what it was told.
    var nextDemand = Instant.distantFuture
    var toldDemand: RelayDemand?
    /// Whether all of it is over.
    var isOver = false

    /// So many guards of one place are kept.
    private static let mostGuards = 16

    init(
        id: ContextID, plan: ContextPlan, terms: ContextTerms, launching: Launching, isElastic: Bool = false
    ) {
        self.id = id
        self.plan = plan
        self.terms = terms
        self.launching = launching
        self.isElastic = isElastic
        mayGrow = isElastic
    }

    /// Nil where a relay launches its engines.
    var starter: EngineStarter? { if case .own(let starter) = launching { starter } else { nil } }
    var relay: RelaySession? { if case .relay(let relay) = launching { relay } else { nil } }

    /// Whether the engines are to be told to give slots cores of their own.
    var bindsCores: Bool { terms.bindsCores ?? plan.bindsCores }

    /// What an engine's node sets in its tasks' environment. A relay's own machine is another than the driver's.
    func nodeKind(of engine: EnginePlan) -> NodeKind {
        relay != nil && engine.place == .here ? .ssh : engine.nodeKind
    }

    /// Whether an engine may live on where its channel ended.
    func isLeased(_ engine: EnginePlan) -> Bool { relay != nil || engine.place != .here }

    /// Takes in which guard an engine has.
    func keepGuard(of engine: EngineLink) {
        guards[engine.planIndex, default: []].append(engine.guardName)
        let surplus = (guards[engine.planIndex]?.count ?? 0) - Self.mostGuards
        if surplus > 0 { guards[engine.planIndex]?.removeFirst(surplus) }
    }

    /// Takes in that nothing of an engine is left.
    func forgetGuard(of engine: EngineLink) {
        guards[engine.planIndex]?.removeAll { $0 == engine.guardName }
    }

    /// When the next of what has its time in this context is due.
    var deadline: Instant {
        let step = lostSteps.reduce(.distantFuture) { min($0, $1.nextAsk ?? .distantFuture) }
        return min(times.deadline, retired.nextRun, step, nextDemand)
    }
}

/// What a command to a resource manager was for.
enum CommandPurpose: Equatable, Sendable {
    case allocationEnd(ContextID)
    case lostStep(ContextID, EngineID)
    case retirement(ContextID, nodes: String)

    var context: ContextID {
        switch self {
        case .allocationEnd(let id), .lostStep(let id, _), .retirement(let id, _): id
        }
    }
}
