import DisbatchCore
import RunClient

/// When there is a mail, and what is in it: what the driver tells and what became of mails go in, mails come out.
///
/// There is one mail on its way at most. What happens meanwhile is in the next one, so nothing piles up.
struct MailModel: Sendable {
    private var state: RunState
    private let file: RunFileText
    private let paths: RunPaths
    /// After how many ended tasks there is a mail; 0 at the run's end alone.
    private let frequency: Int
    /// How often so many tasks had ended when the last mail was written.
    private var roundsTold = 0
    /// Failures that no mail has told of, the latest; how many of them are in the mail on its way.
    private var failures: [FailureSnapshot] = []
    private var failuresOnTheirWay = 0
    private var notBefore = Instant(nanoseconds: 0)
    private var lastTrouble: String?
    /// Why the driver will say no more, where the run did not end.
    private var trouble: String?
    private var stage = Stage.running

    private enum Stage {
        case running
        /// Nothing more happens, and a mail must say so.
        case over
        case lastMail
        case done
    }

    private static let shownFailures = 20
    private static let pause = Duration.seconds(1)
    private static let pauseAfterFailure = Duration.seconds(60)

    /// - Parameter path: the run file's.
    init(_ file: RunFileText, path: String, frequency: Int) {
        self.file = file
        self.frequency = frequency
        paths = RunPaths(runFile: path)
        state = RunState(name: file.name)
    }

    /// Whether the driver will say no more.
    var isOver: Bool { stage != .running }
    /// Whether the last mail was sent, or can't be.
    var isDone: Bool { stage == .done }

    // MARK: What happens

    /// Handles a message from the driver.
    mutating func take(_ frame: ServerFrame) {
        switch frame {
        case .snapshot(let snapshot):
            state.apply(snapshot)
            for failure in snapshot.failures { keep(failure) }
        case .ended(let exitStatus, let summary):
            state.exitStatus = exitStatus
            state.summary = summary
            stage = .over
        case .welcome, .running, .answer, .tail, .relay: break
        }
    }

    /// The driver will say no more, and did not say how the run ended.
    mutating func driverWent(_ reason: String) {
        guard stage == .running else { return }
        trouble = reason
        stage = .over
    }

    private mutating func keep(_ failure: FailureSnapshot) {
        failures.append(failure)
        guard failures.count > Self.shownFailures else { return }
        failures.removeFirst()
        failuresOnTheirWay = max(0, failuresOnTheirWay - 1)
    }

    /// The mail that is due, while none is on its way. The caller sends it.
    mutating func next(at now: Instant) -> MailMessage? {
        switch stage {
        case .lastMail, .done: return nil
        case .over: stage = .lastMail
        case .running:
            guard frequency > 0, state.snapshot.totals.finished / frequency > roundsTold, now >= notBefore else {
                return nil
            }
        }
        if frequency > 0 { roundsTold = state.snapshot.totals.finished / frequency }
        failuresOnTheirWay = failures.count
        notBefore = now + Self.pause
        return MailMessage(subject: subject, body: body)
    }

    /// When ``next(at:)`` may have something, if nothing else happens.
    var nextDeadline: Instant { notBefore }

    /// The mail that was on its way has arrived.
    mutating func sent() {
        failures.removeFirst(failuresOnTheirWay)
        failuresOnTheirWay = 0
        lastTrouble = nil
        if stage == .lastMail { stage = .done }
    }

    /// The mail that was on its way did not arrive. Returns what is to be said of it, where that is new.
    mutating func failed(_ reason: String, at now: Instant) -> String? {
        failuresOnTheirWay = 0
        notBefore = now + Self.pauseAfterFailure
        defer { lastTrouble = reason }
        if stage == .lastMail {
            stage = .done
            return "the last mail was not sent: \(reason)"
        }
        guard reason != lastTrouble else { return nil }
        return "a mail was not sent: \(reason); its news will be in the next one"
    }

    // MARK: What is written

    private var snapshot: RunSnapshot { state.snapshot }

    private var subject: String {
        let failed = snapshot.failed > 0 ? " (\(snapshot.failed) failed)" : ""
        // Where all went too fast its driver told nothing.
        let after = snapshot.start.microseconds == 0 ? "" : ", after \(count)\(failed)"
        if let exitStatus = state.exitStatus {
            return "\(state.name) has ended with exit status \(exitStatus)\(after)"
        }
        return trouble == nil
            ? "\(state.name) has completed \(count)\(failed)"
            : "\(state.name) is cut off\(after)"
    }

    private var count: String {
        let done = snapshot.totals.finished + snapshot.totals.skipped
        if let total = snapshot.totalTasks, total != done { return "\(done) of \(total) tasks" }
        return NumberText.count(done, "task")
    }

    private var body: String {
        let time = snapshot.start.microseconds == 0 ? "" : ", for \(Quantity.time(state.elapsed))"
        var parts = [headline, "On \(file.host), in \(file.workingDirectory)\(time)."]
        // The last mail is to be enough without the others.
        let shown = stage == .running ? failures : Array(state.failures.suffix(Self.shownFailures))
        if !shown.isEmpty { parts.append(text(of: shown)) }
        if state.exitStatus == nil {
            parts.append("Status file: \(paths.status)\n\(advice)")
        }
        return parts.map(Self.clean).joined(separator: "\n\n")
    }

    private var headline: String {
        if state.exitStatus != nil { return state.summary ?? subject }
        if let trouble { return "\(subject): \(trouble)" }
        return "\(state.name): \(StatusText.line(state))."
    }

    private var advice: String {
        trouble == nil
            ? "How it is now: dbutil --run \(ShellWord.quoted(paths.prefix)) --status"
            : "Continue the run with the same command, and: -r \(ShellWord.quoted(paths.status))"
    }

    private func text(of failures: [FailureSnapshot]) -> String {
        let rest = snapshot.failed > failures.count ? " (of \(snapshot.failed) in all)" : ""
        let list = failures.map { failure in
            StatusText.failure(failure) + "\n  " + Displayable.words(failure.command)
        }
        return "Latest failures\(rest):\n\n" + list.joined(separator: "\n")
    }

    /// Without what does something to a terminal.
    private static func clean(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let indent = String(line.prefix { $0 == " " })
            return indent + Displayable.words(Array(line.utf8))
        }.joined(separator: "\n")
    }
}
