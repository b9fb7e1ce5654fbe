import DisbatchCore
import Glibc
import LinuxSystem
import Options

/// The driver's words to its user, on standard error: warnings, progress, the summary.
final class Console {
    private let showsProgress: Bool
    private let isTerminal: Bool
    private let usesColour: Bool
    private let started: Instant
    private var lineIsOpen = false
    private var pace: ProgressPace
    private var lastText = ""
    /// Finished tasks at two earlier moments, for the rate of late.
    private var rate = RateMeter()

    init(_ choice: ProgressMode, at now: Instant) {
        isTerminal = isatty(2) == 1
        switch choice {
        case .always, .auto: showsProgress = true
        case .never: showsProgress = false
        }
        let environment = OwnEnvironment.entries()
        let noColour = TaskEnvironment.value(of: "NO_COLOR", in: environment) ?? []
        let terminal = TaskEnvironment.value(of: "TERM", in: environment) ?? []
        usesColour = isTerminal && noColour.isEmpty && terminal != Array("dumb".utf8)
        started = now
        pace = ProgressPace(isRedrawn: choice == .always || isTerminal, at: now)
    }

    // MARK: Messages

    func error(_ text: String) { say("disbatch: \(text)", colour: 31) }
    func warn(_ text: String) { say("disbatch: warning: \(text)", colour: 33) }
    func note(_ text: String) { say("disbatch: \(text)", colour: nil) }

    /// Prints text as it is.
    func show(_ text: String) { say(text, colour: nil) }

    private func say(_ text: String, colour: Int?) {
        clearLine()
        guard usesColour, let colour else { return write("\(text)\n") }
        write("\u{1b}[\(colour)m\(text)\u{1b}[0m\n")
    }

    private func write(_ text: String) { StandardStream.error.write(text) }

    // MARK: Progress

    /// When ``update(at:scheduler:total:)`` has something new to show at the latest; nil for never.
    var nextUpdate: Instant? { showsProgress ? pace.nextLook : nil }

    /// Shows how far the run is, if it is time to.
    ///
    /// - Parameter running: how many tasks run, which is asked only then.
    func update(at now: Instant, totals: RunTotals, total: Int?, running: () -> Int) {
        guard showsProgress, pace.isDue(at: now, done: totals.finished + totals.skipped, total: total) else { return }
        rate.note(totals.finished, at: now)
        let text = ProgressLine.text(
            totals: totals, running: running(), total: total, rate: rate.perSecond,
            elapsed: now - started)
        guard pace.isRedrawn else { return write("disbatch: \(text)\n") }
        guard text != lastText || !lineIsOpen else { return }
        lastText = text
        write("\r\u{1b}[K\(text.prefix(Self.width() - 1))")
        lineIsOpen = true
    }

    /// Takes the progress line away, so that something else can stand there.
    func clearLine() {
        guard lineIsOpen else { return }
        write("\r\u{1b}[K")
        lineIsOpen = false
    }

    func finishProgress() { clearLine() }

    /// Whether the summary is of interest: somebody watches.
    var hasWatcher: Bool { isTerminal }

    private static func width() -> Int {
        let columns = getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? TerminalSize.columns(of: 2) ?? 80
        return max(20, columns)
    }
}

/// The rate at which tasks end, over the last ten seconds or so.
struct RateMeter {
    private var samples = RingBuffer<(count: Int, at: Instant)>()
    private(set) var perSecond = 0.0

    mutating func note(_ count: Int, at now: Instant) {
        samples.append((count, now))
        while let first = samples.first, samples.count > 2, first.at + .seconds(10) < now { _ = samples.popFirst() }
        guard let first = samples.first, first.at < now else { return }
        perSecond = Double(count - first.count) / (Double((now - first.at).wholeNanoseconds) / 1e9)
    }
}

/// The text of the progress line.
enum ProgressLine {
    static func text(
        totals: RunTotals, running: Int, total: Int?, rate: Double, elapsed: Duration
    ) -> String {
        let done = totals.finished + totals.skipped
        var parts: [String] = []
        if let total {
            parts.append("\(done)/\(total) done (\(total == 0 ? 100 : done * 100 / total) %)")
        } else {
            parts.append("\(done) done")
        }
        let failed = totals.failed + totals.skippedFailed
        if failed > 0 { parts.append("\(failed) failed") }
        parts.append("\(running) running")
        if let total { parts.append("\(max(0, total - done - running)) waiting") }
        if rate > 0 {
            parts.append(Quantity.rate(rate))
            if let total, total > done { parts.append("\(Quantity.time(Double(total - done) / rate)) left") }
        } else {
            parts.append(Quantity.time(Double(elapsed.wholeNanoseconds) / 1e9))
        }
        return parts.joined(separator: ", ")
    }
}
