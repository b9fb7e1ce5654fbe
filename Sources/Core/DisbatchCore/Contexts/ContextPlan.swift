/// How an engine is reached.
package enum EnginePlace: Equatable, Sendable {
    /// The driver's own machine.
    case here
    /// A host to log in to by SSH, under the name that the user gave.
    case ssh(host: String)
    /// A node of an allocation, by its resource manager's program.
    case launched(Launcher)
}

/// Where one engine is to run, and how large it is.
package struct EnginePlan: Equatable, Sendable {
    /// The node's name as the context knows it: what the status file shows.
    package var node: String
    package var place = EnginePlace.here
    package var slots: Int
    /// `DISBATCH_CORES_PER_TASK`.
    package var coresPerTask: Int

    /// The most slots that an engine can have.
    package static let maximumSlots = 65_535

    /// The kind of node, which decides what the node itself sets in its tasks' environment.
    package var nodeKind: NodeKind {
        switch place {
        case .here: .local
        case .ssh: .ssh
        case .launched(let launcher):
            switch launcher.manager {
            case .slurm: .slurm
            case .gridEngine: .gridEngine
            case .pbs: .pbs
            case .lsf: .lsf
            }
        }
    }

    package init(node: String, slots: Int, coresPerTask: Int) {
        self.node = node
        self.slots = slots
        self.coresPerTask = coresPerTask
    }
}

/// A context as it is to be: a set of engines that come together.
package struct ContextPlan: Equatable, Sendable {
    /// Names the context in file names and views.
    package var label: String
    /// Which kind of context it is, for the logs.
    package var kind: String
    package var engines: [EnginePlan]
    /// Whether cylinders have cores of their own unless `--bind` says otherwise.
    package var bindsCores: Bool
    /// Reasons for this plan, for the context's log.
    package var notes: [String]
    /// Why it is this kind, for the log.
    package var reason = ""
    /// The resource manager's number of the job; nil outside of jobs.
    package var job: String?
    /// The node of the job that the driver runs on, under the name that its engine has; nil where it is no such node.
    package var home: String?
    /// Whether this job ran before, and was started again.
    package var isRestarted = false
    /// How to learn when the allocation ends; nil where it has no end, or none that can be known.
    package var endQuery: AllocationEndQuery?
    /// Warnings that the user gets before the run.
    package var warnings: [String] = []

    package init(
        label: String, kind: String, engines: [EnginePlan], bindsCores: Bool, notes: [String]
    ) {
        self.label = label
        self.kind = kind
        self.engines = engines
        self.bindsCores = bindsCores
        self.notes = notes
    }
}

/// Why a context can't be.
package struct ContextError: Error, Equatable, CustomStringConvertible {
    /// A message that says what is wrong, where, and what to do next.
    package var description: String

    package init(_ description: String) { self.description = description }
}
