/// Which of the flags `P`, `S`, `Z` a status row has in its fourth column.
package enum RowKind: UInt8, Sendable {
    /// A task's final result (blank).
    case task
    /// A per-engine command (`P`).
    case perEngine
    /// Skipped by resume (`S`).
    case skipped
    /// Reported after it had been given up (`Z`).
    case givenUp
}

/// One ended process, with all that its status row and the run record tell.
package struct RecordedTask: Equatable, Sendable {
    package var kind: RowKind
    package var spec: TaskSpec
    /// Which attempt at the task this was, from 1.
    package var attempt: Int
    package var engine: EngineID
    /// The engine's node, by the name its context knows.
    package var node: String
    /// The engine's slot it ran in; -1 for per-engine commands and for what never started.
    package var cylinder: Int
    package var outcome: TaskOutcome

    package init(
        kind: RowKind, spec: TaskSpec, attempt: Int, engine: EngineID, node: String, cylinder: Int,
        outcome: TaskOutcome
    ) {
        self.kind = kind
        self.spec = spec
        self.attempt = attempt
        self.engine = engine
        self.node = node
        self.cylinder = cylinder
        self.outcome = outcome
    }
}
