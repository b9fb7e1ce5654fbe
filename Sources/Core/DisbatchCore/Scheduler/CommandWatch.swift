/// The per-engine commands that run, in the order in which they were handed out, for those to be told of that take
/// long. A command that ended stays until its time would have come.
struct CommandWatch: Sendable {
    /// Time after which a command takes long.
    static let patience = Duration.seconds(10)
    /// Commands that come to take long within this time are told of together.
    private static let together = Duration.seconds(1)
    /// Time that even a command has of which nothing is wanted any more.
    static let leastTime = patience - together

    private var running = RingBuffer<(engine: EngineID, assignment: AssignmentID, due: Instant)>()
    /// When the next command takes long.
    private(set) var nextDeadline = Instant.distantFuture

    mutating func add(_ assignment: AssignmentID, on engine: EngineID, at now: Instant) {
        running.append((engine, assignment, now + Self.patience))
        nextDeadline = min(nextDeadline, now + Self.patience)
    }

    /// Takes the next command that takes long out, or is about to.
    mutating func takeDue(at now: Instant) -> (engine: EngineID, assignment: AssignmentID)? {
        let limit = now + Self.together
        guard let first = running.first, limit >= first.due else {
            nextDeadline = running.first?.due ?? .distantFuture
            return nil
        }
        _ = running.popFirst()
        return (first.engine, first.assignment)
    }
}

/// The end that an engine was told to make of what it runs.
struct EndOrder: Equatable, Sendable {
    /// When it was told to end a per-engine command, or everything at once in a run that stops; nil where it was not.
    var givenAt: Instant?
    /// Whether that was a START command, and nothing was left for its engine.
    var isCutShort = false
}
