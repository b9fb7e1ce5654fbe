import DisbatchCore

/// The latest failed tasks, for those who watch.
struct FailureLog {
    private var latest = RingBuffer<FailureSnapshot>()
    /// Failures so far, those that are forgotten too.
    private(set) var count = 0

    private static let limit = 50

    mutating func add(_ task: RecordedTask) {
        let outcome = task.outcome
        count += 1
        latest.append(
            FailureSnapshot(
                task: task.spec.id, line: task.spec.streamIndex, node: task.node, returnCode: outcome.returnCode,
                finish: outcome.finish,
                elapsed: Double(outcome.finish.microseconds - outcome.start.microseconds) / 1e6,
                error: outcome.err.edges, command: Array(task.spec.command.prefix(RunningTask.commandLength))))
        if latest.count > Self.limit { _ = latest.popFirst() }
    }

    /// The failures since there were `known`, as far as they are not forgotten.
    func since(_ known: Int) -> [FailureSnapshot] {
        let first = count - latest.count
        return (max(0, known - first)..<latest.count).map { latest[$0] }
    }
}
