/// The time at which an allocation ends, as the driver knows it, and what was done about it.
package struct AllocationClock: Sendable {
    /// A step that is taken as the end comes near.
    package enum Step: Int, Sendable {
        /// Next: ``draining``.
        case none
        /// Nothing new starts. Next: ``ending``.
        case draining
        /// Running tasks are told to end. Next: ``endingAtOnce``.
        case ending
        /// Running tasks are killed.
        case endingAtOnce
    }

    /// How often the resource manager is asked, since the time can be changed; and how soon again where it gave no
    /// answer.
    private static let askingInterval = Duration.seconds(60)
    private static let askingAgain = Duration.seconds(10)

    /// When to ask the resource manager next.
    private var nextAsk = Instant.distantFuture
    /// When the allocation ends; nil where that is not known, or never.
    package private(set) var end: Instant?
    /// How long before the end nothing more starts.
    private var margin = Duration.zero
    package private(set) var done = Step.none
    private var hasFailed = false

    package init() {}

    /// Begins to watch for the end.
    package mutating func start(at now: Instant) { nextAsk = now }

    /// Whether the manager is to be asked now; it is not again until ``failed(at:)`` or ``answered(_:margin:at:)``.
    package mutating func takesQuestion(at now: Instant) -> Bool {
        guard now >= nextAsk else { return false }
        nextAsk = .distantFuture
        return true
    }

    /// Notes that the manager gave no answer.
    package mutating func failed(at now: Instant) {
        nextAsk = now + (hasFailed ? Self.askingInterval : Self.askingAgain)
        hasFailed = true
    }

    /// Notes the manager's answer: when the allocation ends, nil for never. True if the end was not known before.
    ///
    /// - Parameter margin: what the user asked for; nil for what suits the time that is left.
    package mutating func answered(_ answer: Instant?, margin asked: Duration?, at now: Instant) -> Bool {
        nextAsk = now + Self.askingInterval
        guard let answer else {
            end = nil
            return false
        }
        let isNew = end == nil
        // A short allocation would be over before it began.
        if isNew { margin = asked ?? min(.seconds(60), max(.zero, (answer - now) / 4)) }
        end = answer
        // Asked once more just before it counts.
        let last = nextStep - .seconds(5)
        if done == .none, last > now + .seconds(1) { nextAsk = min(nextAsk, last) }
        return isNew
    }

    /// The next step, if it is due.
    package mutating func takeStep(at now: Instant) -> Step? {
        guard now >= nextStep, let step = Step(rawValue: done.rawValue + 1) else { return nil }
        done = step
        return step
    }

    package var nextDeadline: Instant { min(nextAsk, nextStep) }

    /// How long before the end running tasks are told to end; a fifth of it before the end they are killed.
    private var reserve: Duration { min(margin, .seconds(15)) }

    private var nextStep: Instant {
        guard let end else { return .distantFuture }
        return switch done {
        case .none: end - margin
        case .draining: end - reserve
        case .ending: end - reserve / 5
        case .endingAtOnce: .distantFuture
        }
    }
}

extension Instant {
    fileprivate static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }
}
