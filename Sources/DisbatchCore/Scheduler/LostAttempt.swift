/// An attempt whose engine was lost. The driver, which has a wall clock, makes its record.
package struct LostAttempt: Equatable, Sendable {
    package var kind: AssignmentKind
    package var spec: TaskSpec
    package var attempt: Int
    package var engine: EngineID
    package var node: String
    package var assigned: Instant
    package var lost: Instant

    /// What disBatch writes of a lost task: pid -1, return code -100.
    package func outcome(start: Timestamp, finish: Timestamp) -> TaskOutcome {
        TaskOutcome(
            pid: -1, returnCode: TaskOutcome.lostReturnCode, ending: .engineLost, start: start, finish: finish)
    }
}
