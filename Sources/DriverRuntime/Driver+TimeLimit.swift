import DisbatchContexts
import DisbatchCore
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
    func watchAllocation() {
        guard plan.endQuery != nil, configuration.margin != .zero else { return }
        times.nextAsk = now()
    }

    /// Does what the time asks for.
    func keepTimes() {
        if now() >= times.nextAsk, let query = plan.endQuery {
            times.nextAsk = .distantFuture
            commands.submit(query.words, for: .allocationEnd)
        }
        while now() >= times.nextStep, let step = AllocationTimes.Step(rawValue: times.done.rawValue + 1) {
            times.done = step
            take(step)
        }
    }

    private func take(_ step: AllocationTimes.Step) {
        let context = ContextID(0)
        switch step {
        case .none: break
        case .draining:
            say("the allocation ends in \(secondsLeft) s: no new task starts in it")
            tell(.drainRequested(.context(context)))
        case .ending:
            say("the allocation ends in \(secondsLeft) s: ending what runs, for a later run")
            tell(.contextEnding(context))
        case .endingAtOnce: tell(.contextEnding(context))
        }
    }

    private func say(_ text: String) {
        console.note(text)
        log.write(.warning, text)
    }

    private var secondsLeft: Int64 {
        times.end.map { ($0 - now() + .milliseconds(500)).components.seconds } ?? 0
    }

    func takeCommandOutcomes() {
        for outcome in commands.takeOutcomes() {
            switch outcome.purpose {
            case .allocationEnd: takeAllocationEnd(outcome)
            case .lostStep(let engine): takeStepAnswer(outcome, engine)
            case .retirement(let nodes): takeRetirement(outcome, nodes: nodes)
            }
        }
    }

    private func takeAllocationEnd(_ outcome: CommandThread.Outcome) {
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
            times.margin = configuration.margin ?? min(.seconds(60), max(.zero, (end - now()) / 4))
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
            case .local(let time): secondsSince1970(time)
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
        parts.tm_isdst = -1
        let seconds = mktime(&parts)
        return seconds == -1 ? nil : seconds
    }
}
