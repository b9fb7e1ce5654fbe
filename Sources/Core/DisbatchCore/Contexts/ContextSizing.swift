/// The user's wishes for the size of a context, and for its name.
package struct ContextSizing: Equatable, Sendable {
    /// `-c`: cores for each task, above 0, possibly fractional.
    package var coresPerTask: Double?
    /// `-t`: tasks at once on each node.
    package var tasksPerNode: Int?
    /// `--fill`: as many tasks as a node's cores allow, whatever the job was submitted with.
    package var fillsNodes = false
    /// `-l`
    package var label: String?

    package init() {}

    /// An engine of `cores` cores on a node: slots as `-t` says, else as many as `-c` lets fit.
    package func engine(on node: String, cores: Int) throws(ContextError) -> EnginePlan {
        let share = coresPerTask ?? 1
        let fitting = Double(cores) / share
        let wanted = tasksPerNode ?? Int(exactly: fitting.rounded(.down)) ?? .max
        guard wanted <= EnginePlan.maximumSlots else {
            throw ContextError("\(node): more than \(EnginePlan.maximumSlots) tasks at once are not possible (-c, -t)")
        }
        guard wanted >= 1 else {
            throw ContextError("\(node) has \(cores) cores, too few for one task of \(share) (-c)")
        }
        return EnginePlan(node: node, slots: wanted, coresPerTask: max(1, cores / wanted))
    }
}
