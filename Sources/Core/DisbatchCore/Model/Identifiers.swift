/// The number of a task in its run, counted from 0 in the order of the task file; barriers take one too.
package struct TaskID: Hashable, Comparable, Sendable {
    package var rawValue: Int

    package init(_ rawValue: Int) { self.rawValue = rawValue }

    package static func < (left: TaskID, right: TaskID) -> Bool { left.rawValue < right.rawValue }
}

/// The rank of an engine in its run, counted from 0 in the order in which engines are launched. Never used twice.
package struct EngineID: Hashable, Comparable, Sendable {
    package var rawValue: Int

    package init(_ rawValue: Int) { self.rawValue = rawValue }

    package static func < (left: EngineID, right: EngineID) -> Bool { left.rawValue < right.rawValue }
}

/// The rank of a context in its run, counted from 0.
package struct ContextID: Hashable, Sendable {
    package var rawValue: Int

    package init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// The number of one handing of one task (or per-engine command) to one engine. Never used twice in a run, so a
/// report of a handing that was given up can be told from a report of the one that counts.
package struct AssignmentID: Hashable, Sendable {
    package var rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
