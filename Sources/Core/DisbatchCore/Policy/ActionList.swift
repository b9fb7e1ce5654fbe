/// The driver's actions, in the order in which they are to be done.
///
/// Actions are large, and there are two for each task: one is put in here once, and moved out once. Nothing of it is
/// copied in between.
package struct ActionList: Sendable {
    /// Actions that were taken out have another in their place, which holds nothing, until all were.
    private var actions: [DriverAction] = []
    private var taken = 0
    /// The place of the first order that concerns an engine's life, on which the machine decides.
    private var firstOfLife: Int?

    package init() {}

    /// Appends what the machine wants done.
    mutating func append(_ action: consuming DriverAction) { actions.append(action) }

    /// Appends what the scheduler wants done.
    mutating func order(_ action: consuming SchedulerAction) {
        switch action {
        case .renewLease, .shutDown, .abandon: firstOfLife = firstOfLife ?? end
        default: break
        }
        actions.append(.tasks(action))
    }

    package var isEmpty: Bool { taken == actions.count }

    /// Takes the first action out of a list that has one.
    package mutating func removeFirst() -> DriverAction {
        let action = exchange(&actions[taken], with: .noteLease)
        taken += 1
        if taken == actions.count {
            actions.removeAll(keepingCapacity: true)
            taken = 0
        }
        return action
    }

    // MARK: The latest

    /// The place behind the last action: that of the next.
    var end: Int { actions.count }

    /// The scheduler's orders from this place on.
    func orders(from place: Int) -> [TranscriptEntry] {
        actions[place...].compactMap { if case .tasks(let action) = $0 { .action(action) } else { nil } }
    }

    /// Takes out all from the first order on that concerns an engine's life; nil where there is none.
    mutating func takeOrdersOfLife() -> ActionList? {
        guard let first = firstOfLife.take() else { return nil }
        var result = ActionList()
        result.actions = Array(actions[first...])
        actions.removeLast(actions.count - first)
        return result
    }
}
