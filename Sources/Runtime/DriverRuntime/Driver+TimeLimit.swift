import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// What the driver knows of the time at which its allocation ends.
struct AllocationTimes {
    /// When to ask the resource manager next.
    var nextAsk = Instant.distantFuture
    /// When the allocation ends; nil where that is not known, or never.
    var end: Instant?
    /// How long before the end nothing more starts.
    var margin = Duration.zero
    /// What was done of ``AllocationTimes/Step``.
    var done = Step.none
    var hasFailed = false

    /// What is done as the end comes near.
    enum Step: Int {
        case none, draining, ending, endingAtOnce
    }

    /// How long before the end running tasks are told to end, and how long before it they are killed.
    private var reserve: Duration { min(margin, .seconds(15)) }

    /// When the next step is due.
    var nextStep: Instant {
        guard let end else { return .distantFuture }
        return switch done {
        case .none: end - margin
        case .draining: end - reserve
        case .ending: end - reserve / 5
        case .endingAtOnce: .distantFuture
        }
    }

    var deadline: Instant { min(nextAsk, nextStep) }
}

extension Instant {
    fileprivate static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }
}

extension Driver {
    /// How often the resource manager is asked: the time can be changed.
    private static let askingInterval = Duration.seconds(60)
    private static let askingAgain = Duration.seconds(10)

    /// Begins to watch for the end of the allocation, where it can have one.
    func watchAllocation(of context: RunContext) {
        guard context.plan.endQuery != nil, context.terms.margin != .zero else { return }
        context.times.nextAsk = now()
    }

    /// Does what the time asks for.
    func keepTimes(of context: RunContext) {
        if now() >= context.times.nextAsk, let query = context.plan.endQuery {
            context.times.nextAsk = .distantFuture
            run(query.words, for: .allocationEnd(context.id))
        }
        while now() >= context.times.nextStep,
            let step = AllocationTimes.Step(rawValue: context.times.done.rawValue + 1)
        {
            context.times.done = step
            take(step, in: context)
        }
    }

    private func take(_ step: AllocationTimes.Step, in context: RunContext) {
        // With others beside it, the run goes on.
        let name = contexts.count > 1 ? "the allocation of \(context.plan.label)" : "the allocation"
        let seconds = context.times.end.map { ($0 - now() + .milliseconds(500)).components.seconds } ?? 0
        switch step {
        case .none: break
        case .draining:
            say("\(name) ends in \(seconds) s: no new task starts in it")
            tell(.drainRequested(.context(context.id)))
        case .ending:
            say("\(name) ends in \(seconds) s: ending what runs, for a later run")
            tell(.contextEnding(context.id))
        case .endingAtOnce: tell(.contextEnding(context.id))
        }
    }

    private func say(_ text: String) {
        console.note(text)
        log.write(.warning, text)
    }

    // MARK: Commands

    /// Runs a command where the context is. What comes of it, ``take(_:for:)`` is given.
    func run(_ words: [String], for purpose: CommandPurpose) {
        switch contexts[purpose.context.rawValue].launching {
        case .own: commands.submit(words, for: purpose)
        case .relay(let relay):
            relay.run(words, for: purpose)
            markUnsent(relay)
        }
    }

    func takeCommandOutcomes() {
        for (purpose, outcome) in commands.takeOutcomes() { take(outcome, for: purpose) }
    }

    func take(_ outcome: CommandOutcome, for purpose: CommandPurpose) {
        let context = contexts[purpose.context.rawValue]
        switch purpose {
        case .allocationEnd: takeAllocationEnd(outcome, in: context)
        case .lostStep(_, let engine): takeStepAnswer(outcome, engine, in: context)
        case .retirement(_, let nodes): takeRetirement(outcome, nodes: nodes)
        }
    }

    private func takeAllocationEnd(_ outcome: CommandOutcome, in context: RunContext) {
        let plan = context.plan
        var times: AllocationTimes {
            get { context.times }
            set { context.times = newValue }
        }
        guard outcome.isGood, let answer = plan.endQuery?.end(in: outcome.text) else {
            times.nextAsk = now() + (times.hasFailed ? Self.askingInterval : Self.askingAgain)
            let words = plan.endQuery?.words.joined(separator: " ") ?? ""
            let text = outcome.text.split(whereSeparator: \.isNewline).last ?? ""
            log.write(.warning, "when the allocation ends is not known: \(words): \(text)")
            times.hasFailed = true
            return
        }
        times.nextAsk = now() + Self.askingInterval
        guard let end = instant(of: answer) else { return times.end = nil }
        if times.end == nil {
            // A short allocation would be over before it began.
            times.margin = context.terms.margin ?? min(.seconds(60), max(.zero, (end - now()) / 4))
            log.write(.info, "the allocation ends in \((end - now()).components.seconds) s (--margin)")
        }
        times.end = end
        // Asked once more just before it counts.
        let last = times.nextStep - .seconds(5)
        if times.done == .none, last > now() + .seconds(1) { times.nextAsk = min(times.nextAsk, last) }
    }

    private func instant(of end: AllocationEnd) -> Instant? {
        let seconds: Int? =
            switch end {
            case .never: nil
            case .utc(let time): secondsSince1970(time)
            case .seconds(let seconds): seconds
            }
        return seconds.map { now() + .microseconds(Int64($0) * 1_000_000 - wallNow().microseconds) }
    }

    private func secondsSince1970(_ time: CivilTime) -> Int? {
        var parts = tm()
        parts.tm_year = Int32(time.year - 1900)
        parts.tm_mon = Int32(time.month - 1)
        parts.tm_mday = Int32(time.day)
        parts.tm_hour = Int32(time.hour)
        parts.tm_min = Int32(time.minute)
        parts.tm_sec = Int32(time.second)
        let seconds = timegm(&parts)
        return seconds == -1 ? nil : seconds
    }
}
