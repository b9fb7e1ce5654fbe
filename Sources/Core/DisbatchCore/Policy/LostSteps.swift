/// Steps of an allocation whose launcher is gone while they may go on. The manager has each ended, and says when it is
/// no more: that is proof, and sooner than the lease.
package struct LostSteps: Sendable {
    /// The exit status of ``StepControl/command`` where the step was there and was told to end.
    package static let stillThere: Int32 = 4

    private struct Step: Sendable {
        var engine: EngineID
        /// When the manager is asked next; nil while it is being asked.
        var nextAsk: Instant?
        /// When nothing more is gained: by then its lease is over.
        var lastAsk: Instant
    }

    private var steps: [Step] = []

    package init() {}

    /// Begins to have an engine's step ended.
    package mutating func add(_ engine: EngineID, until end: Instant, at now: Instant) {
        steps.append(Step(engine: engine, nextAsk: now, lastAsk: end))
    }

    /// The engines whose steps the manager is to be asked of now.
    package mutating func takeQuestions(at now: Instant) -> [EngineID] {
        steps.removeAll { now >= $0.lastAsk }
        var engines: [EngineID] = []
        for index in steps.indices {
            guard let time = steps[index].nextAsk, now >= time else { continue }
            steps[index].nextAsk = nil
            engines.append(steps[index].engine)
        }
        return engines
    }

    /// Notes an answer. True if the step is no more.
    package mutating func answered(_ engine: EngineID, _ answer: ManagerAnswer, at now: Instant) -> Bool {
        guard let index = steps.firstIndex(where: { $0.engine == engine }) else { return false }
        guard answer.isGood else {
            // A manager that does not answer is not pressed.
            let isThere = answer.status == Self.stillThere
            steps[index].nextAsk = now + (isThere ? .milliseconds(500) : .seconds(10))
            return false
        }
        steps.remove(at: index)
        return true
    }

    package var nextDeadline: Instant { steps.reduce(.distantFuture) { min($0, $1.nextAsk ?? .distantFuture) } }
}

/// The result of a command to a resource manager.
package struct ManagerAnswer: Equatable, Sendable {
    /// The exit status, 128 and the signal's number where it was killed; nil where it could not be started.
    package var status: Int32?
    /// The command's output, or why it could not be started.
    package var text: String

    package init(status: Int32?, text: String) {
        self.status = status
        self.text = text
    }

    package var isGood: Bool { status == 0 }
}

/// The purpose of a command to a resource manager.
package enum CommandPurpose: Equatable, Sendable {
    case allocationEnd(ContextID)
    case lostStep(ContextID, EngineID)
    case retirement(ContextID, nodes: String)

    package var context: ContextID {
        switch self {
        case .allocationEnd(let id), .lostStep(let id, _), .retirement(let id, _): id
        }
    }
}
