/// A task that waits to be handed to an engine, with what was tried before.
struct WaitingTask: Equatable, Sendable {
    var spec: TaskSpec
    /// Attempts that ended in failure, and attempts whose engine was lost.
    var failures = 0
    var losses = 0
    /// Attempts that were ended because their context's time was over.
    var cuts = 0
    /// An engine to stay away from while there is another.
    var avoided: EngineID?

    var attempt: Int { failures + losses + cuts + 1 }
}

/// One assignment that an engine holds.
struct InFlight: Equatable, Sendable {
    var id: AssignmentID
    var kind: AssignmentKind
    var task: WaitingTask
    var engine: EngineID
    var assignedAt: Instant
    /// Whether the engine said that it started.
    var hasStarted = false
    /// Whether it ended, and only its files are still on their way home.
    var isStaging = false
    /// Whether its user wants it to end (`dbutil --kill`): whatever becomes of it, the task is not run again.
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

/// All assignments that engines hold: constant time to add, find and remove, and to walk those of one engine.
///
/// An ``AssignmentID`` is a place in the table below and the place's generation above, so that a late report of an
/// assignment that is no more never finds another one in its place.
struct InFlightTable: Sendable {
    private var entries: [InFlight?] = []
    private var generations: [UInt32] = []
    private var freePlaces: [Int] = []
    private(set) var count = 0

    subscript(id: AssignmentID) -> InFlight? {
        holds(id) ? entries[Self.place(of: id)] : nil
    }

    /// Whether an assignment is held; and whether it is by this engine. (An entry is large: these copy none.)
    private func holds(_ id: AssignmentID) -> Bool {
        let place = Self.place(of: id)
        return place < entries.count && entries[place]?.id == id
    }

    func isHeld(_ id: AssignmentID, by engine: EngineID) -> Bool {
        holds(id) && entries[Self.place(of: id)]?.engine == engine
    }

    mutating func insert(
        _ task: WaitingTask, kind: AssignmentKind, engine: EngineID, at now: Instant, list: inout InFlightList
    ) -> AssignmentID {
        let place = freePlaces.popLast() ?? newPlace()
        let id = AssignmentID(UInt64(generations[place]) << 32 | UInt64(place))
        var entry = InFlight(id: id, kind: kind, task: task, engine: engine, assignedAt: now)
        entry.previous = list.last
        if list.last >= 0 { entries[list.last]!.next = place } else { list.first = place }
        list.last = place
        list.count += 1
        entries[place] = entry
        count += 1
        return id
    }

    mutating func remove(_ id: AssignmentID, list: inout InFlightList) -> InFlight? {
        let place = Self.place(of: id)
        guard holds(id), let entry = entries[place].take() else { return nil }
        if entry.previous >= 0 { entries[entry.previous]!.next = entry.next } else { list.first = entry.next }
        if entry.next >= 0 { entries[entry.next]!.previous = entry.previous } else { list.last = entry.previous }
        list.count -= 1
        generations[place] &+= 1
        freePlaces.append(place)
        count -= 1
        return entry
    }

    mutating func markStarted(_ id: AssignmentID) {
        guard holds(id) else { return }
        entries[Self.place(of: id)]!.hasStarted = true
    }

    mutating func markKilled(_ id: AssignmentID) {
        guard holds(id) else { return }
        entries[Self.place(of: id)]!.isKilled = true
    }

    /// What is held of a task. (Looks at all: somebody asked for it.)
    func assignment(of task: TaskID) -> InFlight? {
        let entry = entries.first { $0?.kind == .task && $0?.task.spec.id == task }
        return entry ?? nil
    }

    /// Notes that only an assignment's files are still on their way.
    mutating func markStaging(_ id: AssignmentID) {
        guard holds(id) else { return }
        entries[Self.place(of: id)]!.hasStarted = true
        entries[Self.place(of: id)]!.isStaging = true
    }

    /// The assignments of one engine, in the order in which they were made.
    func assignments(in list: InFlightList) -> [InFlight] {
        var result: [InFlight] = []
        result.reserveCapacity(list.count)
        var place = list.first
        while place >= 0 {
            // Places that a list links hold entries.
            let entry = entries[place]!
            result.append(entry)
            place = entry.next
        }
        return result
    }

    private mutating func newPlace() -> Int {
        entries.append(nil)
        generations.append(1)
        return entries.count - 1
    }

    private static func place(of id: AssignmentID) -> Int { Int(truncatingIfNeeded: id.rawValue & 0xffff_ffff) }
}
