/// The guards of engines on other machines that are not known to have ended all that they ran.
///
/// Where guard and engine were killed at one moment, or a run ended before a host was reached again, nobody has ended
/// their tasks. The next engine there is told of them, and does it before it takes a task: an engine of this run in the
/// same place of its context's plan, or one of a later run on the same node (`<prefix>_alive` has them from run to
/// run).
package struct GuardLedger: Sendable {
    /// How many guards of one place are remembered.
    private static let mostOfOnePlace = 16

    /// Guards of earlier runs, by node.
    private var earlier: [String: [String]]
    /// Guards of this run's engines that have had a task, each with its node.
    private var own: [String: String] = [:]
    /// Guards of this run, by context and place in its plan.
    private var places: [Place: [String]] = [:]

    private struct Place: Hashable, Sendable {
        var context: ContextID
        var index: Int
    }

    /// - Parameter earlier: guards of earlier runs, each with its node.
    package init(earlier: [String: String] = [:]) {
        self.earlier = [:]
        for (name, node) in earlier.sorted(by: { $0.key < $1.key }) { self.earlier[node, default: []].append(name) }
    }

    /// Whether earlier runs left any on one of these nodes.
    package func haveEarlier(on nodes: some Sequence<String>) -> Bool {
        !earlier.isEmpty && nodes.contains { earlier[$0] != nil }
    }

    /// The guards whose leavings a new engine is to end.
    package func leftBehind(node: String, context: ContextID, planIndex: Int) -> [String] {
        (places[Place(context: context, index: planIndex)] ?? []) + (earlier[node] ?? [])
    }

    /// Notes the guard of an engine that has said hello.
    package mutating func greeted(_ guardName: String, context: ContextID, planIndex: Int) {
        let place = Place(context: context, index: planIndex)
        places[place, default: []].append(guardName)
        let surplus = (places[place]?.count ?? 0) - Self.mostOfOnePlace
        if surplus > 0 { places[place]?.removeFirst(surplus) }
    }

    /// Forgets what a new engine has ended, now that it is ready.
    ///
    /// - Returns: the guards that later runs need not know any more.
    package mutating func cleared(by guardName: String, node: String, context: ContextID, planIndex: Int) -> [String] {
        let before = (places[Place(context: context, index: planIndex)] ?? []).filter { $0 != guardName }
        return (earlier.removeValue(forKey: node) ?? []) + before.filter { own.removeValue(forKey: $0) != nil }
    }

    /// Notes the guard of an engine that is about to be given tasks. True if later runs are to know it.
    package mutating func keep(_ guardName: String, on node: String) -> Bool {
        // Both come from there: what would not be read as it is written is not written.
        guard !guardName.isEmpty, !(guardName + node).utf8.contains(where: { $0 <= 0x20 }) else { return false }
        own[guardName] = node
        return true
    }

    /// Forgets the guard of an engine of which nothing is left. True if later runs knew it.
    package mutating func gone(_ guardName: String, context: ContextID, planIndex: Int) -> Bool {
        places[Place(context: context, index: planIndex)]?.removeAll { $0 == guardName }
        return own.removeValue(forKey: guardName) != nil
    }

    /// Whether engines of this run may have left something.
    package var hasOwn: Bool { !own.isEmpty }

    /// Guards that are left for the next run, with their nodes.
    package var rest: [(guardName: String, node: String)] {
        earlier.flatMap { node, names in names.map { ($0, node) } } + own.map { ($0.key, $0.value) }
    }
}
