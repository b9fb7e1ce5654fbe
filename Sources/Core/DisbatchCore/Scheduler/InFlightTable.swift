/// A task that waits to be handed to an engine, with what was tried before.
struct WaitingTask: Equatable, Sendable {
    var spec: TaskSpec
    /// Attempts that ended in failure, and attempts whose engine was lost.
    var failures = 0
    var losses = 0
    /// Attempts that were ended because their context's time was over, or by another task that took the engine with it.
    var cuts = 0
    /// Whether it may be what ends its engines: it is run alone.
    var isSuspect = false
    /// An engine that the task stays away from while there is another.
    var avoided: EngineID?

    var attempt: Int { failures + losses + cuts + 1 }

    /// The same task once it is known that another was what ended its engines.
    var pardoned: WaitingTask {
        var task = self
        task.cuts += task.losses
        task.losses = 0
        task.isSuspect = false
        return task
    }
}

/// One assignment that an engine has.
struct InFlight: Equatable, Sendable {
    var id: AssignmentID
    var kind: AssignmentKind
    var task: WaitingTask
    var engine: EngineID
    var assignedAt: Instant
    /// Whether the engine said that the task started.
    var hasStarted = false
    /// Whether the task ended, and only its files are still on their way home.
    var isStaging = false
    /// Whether the user wants the task to end (`dbutil --kill`): whatever becomes of it, it is not run again.
    var isKilled = false
    /// Neighbours in the engine's list, in order of assignment; -1 at its ends.
    fileprivate(set) var previous = -1
    fileprivate(set) var next = -1
}

/// The first and the last assignment of one engine, and their number.
struct InFlightList: Equatable, Sendable {
    fileprivate(set) var first = -1
    fileprivate(set) var last = -1
    fileprivate(set) var count = 0
}

/// All assignments of all engines: constant time to add, find and remove, and to walk those of one engine.
///
/// An ``AssignmentID`` has an index into the table in its lower half and that entry's generation in its upper half, so
/// that a late report of an assignment that is no more never finds the one that came after it.
struct InFlightTable: Sendable {
    private var entries: [InFlight?] = []
    private var generations: [UInt32] = []
    private var freeIndices: [Int] = []
    private(set) var count = 0
    /// The assignments that are of tasks, not of per-engine commands.
    private(set) var taskCount = 0

    subscript(id: AssignmentID) -> InFlight? {
        contains(id) ? entries[Self.index(of: id)] : nil
    }

    /// Whether an assignment is in the table. (An entry is large: this copies none.)
    private func contains(_ id: AssignmentID) -> Bool {
        let index = Self.index(of: id)
        return index < entries.count && entries[index]?.id == id
    }

    /// Whether an assignment is in the table, and is this engine's.
    func isAssigned(_ id: AssignmentID, to engine: EngineID) -> Bool {
        contains(id) && entries[Self.index(of: id)]?.engine == engine
    }

    mutating func insert(
        _ task: WaitingTask, kind: AssignmentKind, engine: EngineID, at now: Instant, list: inout InFlightList
    ) -> AssignmentID {
        let index = freeIndices.popLast() ?? newIndex()
        let id = AssignmentID(UInt64(generations[index]) << 32 | UInt64(index))
        entries[index] = InFlight(
            id: id, kind: kind, task: task, engine: engine, assignedAt: now, previous: list.last)
        if list.last >= 0 { entries[list.last]!.next = index } else { list.first = index }
        list.last = index
        list.count += 1
        count += 1
        if kind == .task { taskCount += 1 }
        return id
    }

    mutating func remove(_ id: AssignmentID, list: inout InFlightList) -> InFlight? {
        let index = Self.index(of: id)
        guard contains(id), let entry = entries[index].take() else { return nil }
        if entry.previous >= 0 { entries[entry.previous]!.next = entry.next } else { list.first = entry.next }
        if entry.next >= 0 { entries[entry.next]!.previous = entry.previous } else { list.last = entry.previous }
        list.count -= 1
        generations[index] &+= 1
        freeIndices.append(index)
        count -= 1
        if entry.kind == .task { taskCount -= 1 }
        return entry
    }

    mutating func markStarted(_ id: AssignmentID) {
        guard contains(id) else { return }
        entries[Self.index(of: id)]!.hasStarted = true
    }

    mutating func markKilled(_ id: AssignmentID) {
        guard contains(id) else { return }
        entries[Self.index(of: id)]!.isKilled = true
    }

    /// The assignment of a task, if there is one. (Looks at all: somebody asked for it.)
    func assignment(of task: TaskID) -> InFlight? {
        let entry = entries.first { $0?.kind == .task && $0?.task.spec.id == task }
        return entry ?? nil
    }

    /// Notes that only an assignment's files are still on their way.
    mutating func markStaging(_ id: AssignmentID) {
        guard contains(id) else { return }
        entries[Self.index(of: id)]!.hasStarted = true
        entries[Self.index(of: id)]!.isStaging = true
    }

    /// The per-engine command of one engine, which then has nothing else.
    func command(in list: InFlightList) -> InFlight? {
        guard list.first >= 0, let entry = entries[list.first], entry.kind != .task else { return nil }
        return entry
    }

    /// The assignments of one engine, in the order in which they were made.
    func assignments(in list: InFlightList) -> [InFlight] {
        var result: [InFlight] = []
        result.reserveCapacity(list.count)
        var index = list.first
        while index >= 0 {
            // A list links indices of entries.
            let entry = entries[index]!
            result.append(entry)
            index = entry.next
        }
        return result
    }

    private mutating func newIndex() -> Int {
        entries.append(nil)
        generations.append(1)
        return entries.count - 1
    }

    private static func index(of id: AssignmentID) -> Int { Int(truncatingIfNeeded: id.rawValue & 0xffff_ffff) }
}
