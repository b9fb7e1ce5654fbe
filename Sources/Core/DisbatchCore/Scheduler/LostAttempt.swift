/// An attempt whose engine was lost, or one that its user ended before it started. The driver, which has a wall clock,
/// makes its record.
package struct LostAttempt: Equatable, Sendable {
    package var kind: AssignmentKind
    package var spec: TaskSpec
    package var attempt: Int
    package var engine: EngineID
    package var node: String
    package var assigned: Instant
    package var lost: Instant
    /// ``Ending/engineLost``, or ``Ending/killed``.
    package var ending = Ending.engineLost

    /// The outcome that disBatch writes of a lost task: pid -1, return code -100. A task that was not started is
    /// written as if SIGTERM had come at its start.
    package func outcome(start: Timestamp, finish: Timestamp) -> TaskOutcome {
        TaskOutcome(
            pid: -1, returnCode: ending == .killed ? TaskOutcome.terminatedReturnCode : TaskOutcome.lostReturnCode,
            ending: ending, start: start, finish: finish)
    }
}
