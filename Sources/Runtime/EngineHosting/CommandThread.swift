import Glibc
package import LinuxSystem

/// What came of a command.
package struct CommandOutcome: Sendable {
    /// Nil where it could not be started.
    package let end: ProcessEnd?
    /// What it printed on its standard output and error, or why it could not be started.
    package let text: String

    package init(end: ProcessEnd?, text: String) {
        self.end = end
        self.text = text
    }

    package var isGood: Bool { end == .exited(status: 0) }
}

/// Runs a resource manager's commands one after the other, away from the loop: they may take long, or hang.
///
/// `Purpose` is what a command is for, by which its outcome is known.
package final class CommandThread<Purpose: Sendable>: Sendable {

    private struct State {
        var waiting: [(purpose: Purpose, words: [String])] = []
        var outcomes: [(purpose: Purpose, outcome: CommandOutcome)] = []
        /// The process group that runs now; 0 for none.
        var running: Int32 = 0
        /// Whether there is a thread, which there is from the first command on.
        var hasThread = false
        var isClosed = false
    }

    /// Raised when there is something to take.
    package let attention: EventFlag
    private let state = Guarded(State())
    /// A command that takes longer is killed.
    private static var patience: Duration { .seconds(60) }

    package init() throws(SystemError) { attention = try EventFlag() }

    /// Runs a command when those before it have ended. Its first word is a path, or a program on PATH.
    package func submit(_ words: [String], for purpose: Purpose) {
        let needsThread = state.withLock { state in
            state.waiting.append((purpose, words))
            defer { state.hasThread = true }
            return !state.hasThread
        }
        needsThread ? startThread() : state.signal()
    }

    private func startThread() {
        do throws(WorkerThread.StartError) {
            try WorkerThread(name: "commands") { [self] in work() }.detach()
        } catch {
            state.withLock { state in
                state.outcomes += state.waiting.map { ($0.purpose, CommandOutcome(end: nil, text: "\(error)")) }
                state.waiting = []
                state.hasThread = false
            }
            attention.raise()
        }
    }

    /// What has ended; each is given once.
    package func takeOutcomes() -> [(purpose: Purpose, outcome: CommandOutcome)] {
        attention.lower()
        return state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Ends the thread, and waits for it: what runs is killed, what waits is left undone.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
            if state.running > 0 { kill(-state.running, SIGKILL) }
        }
        state.signal()
        let _: Bool? = state.wait { $0.hasThread ? nil : true }
    }

    private func work() {
        while let next = state.wait(for: { state -> (Purpose, [String])?? in
            if state.isClosed { return .some(nil) }
            return state.waiting.isEmpty ? nil : .some(state.waiting.removeFirst())
        }), let (purpose, words) = next {
            let outcome = perform(words)
            state.withLock { $0.outcomes.append((purpose, outcome)) }
            attention.raise()
        }
        state.withLock { $0.hasThread = false }
        state.signal()
    }

    private func perform(_ words: [String]) -> CommandOutcome {
        guard let path = words[0].hasPrefix("/") ? words[0] : ChildProcess.find(words[0]) else {
            return CommandOutcome(end: nil, text: "\(words[0]) is not on PATH")
        }
        do throws(SystemError) {
            let pipe = try DescriptorPair.pipe()
            let null = try Descriptor.open("/dev/null", O_RDONLY)
            let child = try ChildProcess.start(
                [path] + words.dropFirst(), input: null.raw, output: pipe.second.raw, error: pipe.second.raw)
            let reading = pipe.takeFirst()
            let isClosed = state.withLock { state in
                state.running = child.pid
                return state.isClosed
            }
            if isClosed { kill(-child.pid, SIGKILL) }
            let text = Self.read(reading, from: child.pid)
            state.withLock { $0.running = 0 }
            return CommandOutcome(end: child.waitForEnd().end, text: text)
        } catch {
            return CommandOutcome(end: nil, text: "\(error)")
        }
    }

    /// Reads to the end, which comes at the latest when patience does.
    private static func read(_ reading: borrowing Descriptor, from pid: Int32) -> String {
        let deadline = SystemClock.bootNanoseconds() + Int64(patience.components.seconds) * 1_000_000_000
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 12)
        while true {
            var watched = pollfd(fd: reading.raw, events: Int16(POLLIN), revents: 0)
            let left = max(0, deadline - SystemClock.bootNanoseconds()) / 1_000_000
            if poll(&watched, 1, Int32(left)) == 0 {
                kill(-pid, SIGKILL)
                return "no answer within \(patience.components.seconds) s"
            }
            guard case .bytes(let count) = chunk.withUnsafeMutableBytes({ reading.read(into: $0) }) else { break }
            if bytes.count < 1 << 16 { bytes += chunk[..<count] }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
