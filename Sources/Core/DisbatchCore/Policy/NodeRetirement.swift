/// Nodes of one context that nothing is left for, to be given back to the resource manager.
package struct NodeRetirement: Sendable {
    /// A node, and the exit status of its last engine.
    private struct Node: Equatable, Sendable {
        var name: String
        var status: Int32
    }

    /// Nodes that go within this time are given back together, and the manager is asked this often at most.
    private static let gathering = Duration.seconds(1)
    private static let interval = Duration.seconds(10)

    private var waiting: [Node] = []
    /// Nodes that were given back, or are about to be.
    private var all: Set<String> = []
    package private(set) var nextDeadline = Instant.distantFuture
    private var lastRun = Instant(nanoseconds: 0)

    package init() {}

    /// Notes a node whose last engine left with this status.
    package mutating func add(_ node: String, status: Int32, at now: Instant) {
        waiting.append(Node(name: node, status: status))
        all.insert(node)
        nextDeadline = max(now + Self.gathering, lastRun + Self.interval)
    }

    /// Nodes that are given back together, and those that stay.
    package struct Batch: Equatable, Sendable {
        /// Names of nodes, joined by commas.
        package var nodes: String
        package var staying: String
        /// Variables in the environment of the command that gives them back, `NAME=VALUE`.
        package var settings: [String]
    }

    /// Takes what waits; nil where nothing does.
    package mutating func takeBatch(of plan: ContextPlan, at now: Instant) -> Batch? {
        let nodes = waiting
        waiting = []
        nextDeadline = .distantFuture
        lastRun = now
        guard !nodes.isEmpty else { return nil }
        var active: [String] = []
        for engine in plan.engines where !all.contains(engine.node) && !active.contains(engine.node) {
            active.append(engine.node)
        }
        let names = nodes.map(\.name).joined(separator: ",")
        let statuses = nodes.map { "\($0.status)" }.joined(separator: ",")
        let retired = plan.engines.map(\.node).filter(all.contains).joined(separator: ",")
        let staying = active.joined(separator: ",")
        var settings = ["NODE=\(names)", "NODES=\(names)", "RETCODE=\(statuses)", "RETCODES=\(statuses)"]
        settings += ["ACTIVE=\(staying)", "RETIRED=\(retired)"]
        if let home = plan.home, !active.contains(home) { settings.append("DRIVER_NODE=\(home)") }
        return Batch(nodes: names, staying: staying, settings: settings)
    }
}
