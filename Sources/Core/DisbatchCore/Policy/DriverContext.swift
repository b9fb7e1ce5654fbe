/// One context of the run, as the driver knows it.
package struct DriverContext: Sendable {
    /// How the context is reached.
    enum Relay: Equatable, Sendable {
        /// Its engines are launched by the driver itself. Final.
        case none
        /// Next: ``cutOff(until:)``.
        case connected
        /// The connection is lost; the context is given up then if it does not come back. Next: ``connected``,
        /// ``lost``.
        case cutOff(until: Instant)
        /// The connection did not come back. Final.
        case lost
    }

    package let id: ContextID
    /// Engines may be added to it.
    package internal(set) var plan: ContextPlan
    package let policy: ContextPolicy
    let traits: ManagerTraits
    var relay: Relay
    /// Whether its engines come and go as its relay says: then none is launched again by the driver itself.
    package let isElastic: Bool
    /// Whether an elastic context may get more engines.
    package internal(set) var mayGrow: Bool
    /// How often in a row an engine of the plan was lost since it last finished a task.
    var failures: [Int: Int] = [:]
    /// Engines of the plan that have been there once.
    var answered: Set<Int> = []
    /// Why there is no engine where there should be one.
    var reasons: [String] = []
    var clock = AllocationClock()
    var retirement = NodeRetirement()
    var lostSteps = LostSteps()
    /// When its relay is next told how much there is to do, and what it was told.
    var nextDemand = Instant.distantFuture
    var toldDemand: RelayDemand?
    /// Its engines that have not come to their end, those in the launch queue too.
    var liveEngines = 0
    /// Whether all of it is over.
    package internal(set) var isOver = false

    init(id: ContextID, _ new: NewContext) {
        self.id = id
        plan = new.plan
        policy = new.policy
        traits = ManagerTraits.of(kind: new.plan.kind)
        relay = new.isRelayed ? .connected : .none
        isElastic = new.isElastic
        mayGrow = new.isElastic
    }

    package var isRelayed: Bool { relay != .none }

    /// Whether nothing can be told to its relay now.
    var isCutOff: Bool {
        switch relay {
        case .none, .connected: false
        case .cutOff, .lost: true
        }
    }

    /// Whether the engines are to be told to give slots cores of their own.
    package var bindsCores: Bool { policy.binding.map { $0 == .cores } ?? plan.bindsCores }

    /// The kind of an engine's node, for its tasks' environment. A relay's own machine is another than the driver's.
    package func nodeKind(of engine: EnginePlan) -> NodeKind {
        isRelayed && engine.place == .here ? .ssh : engine.nodeKind
    }

    /// Whether an engine may live on where its channel ended.
    package func isLeased(_ engine: EnginePlan) -> Bool { isRelayed || engine.place != .here }

    /// Where tasks run on machines that have none of the driver's directories, in a run of this name.
    package func homeDirectory(ofRun name: String) -> String? { traits.homeDirectory.map { $0 + name } }

    /// The command that gives nodes back; nil where none are.
    var retirementCommand: String? {
        switch policy.retirement {
        case .none: nil
        case .standard: traits.retirementCommand
        case .command(let command): command
        }
    }

    /// When the next of what has its time in this context is due.
    var nextDeadline: Instant {
        var deadline = min(clock.nextDeadline, retirement.nextDeadline, lostSteps.nextDeadline, nextDemand)
        if case .cutOff(let until) = relay { deadline = min(deadline, until) }
        return deadline
    }
}

/// A context that is to be one of the run's.
package struct NewContext: Sendable {
    package var plan: ContextPlan
    package var policy: ContextPolicy
    /// Whether a relay launches its engines.
    package var isRelayed = false
    /// See ``DriverContext/isElastic``.
    package var isElastic = false

    package init(plan: ContextPlan, policy: ContextPolicy) {
        self.plan = plan
        self.policy = policy
    }
}
