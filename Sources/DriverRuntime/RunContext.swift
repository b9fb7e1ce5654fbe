import DisbatchContexts
import DisbatchCore
import EngineLaunching
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
    /// Engines of the plan that no other is to take the place of.
    var leaving: Set<Int> = []
    var times = AllocationTimes()
    var retired = RetiredNodes()
    var lostSteps: [LostStep] = []
    /// Why there is no engine where there should be one.
    var reasons: [String] = []
    /// Whether all of it is over.
    var isOver = false

    init(id: ContextID, plan: ContextPlan, terms: ContextTerms, launching: Launching) {
        self.id = id
        self.plan = plan
        self.terms = terms
        self.launching = launching
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

    /// When the next of what has its time in this context is due.
    var deadline: Instant {
        let step = lostSteps.reduce(.distantFuture) { min($0, $1.nextAsk ?? .distantFuture) }
        return min(times.deadline, retired.nextRun, step)
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
