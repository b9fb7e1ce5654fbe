import Glibc
package import LinuxSystem

/// The outcome of a command.
package struct CommandOutcome: Sendable {
    /// Nil where it could not be started.
    package let end: ProcessEnd?
    /// The command's standard output and error, or the reason why it could not be started.
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
    private let pool: WorkerPool<(purpose: Purpose, outcome: CommandOutcome)>
    /// Raised at the end, for the command that runs.
    private let abort: EventFlag
    /// A command that takes longer is killed.
    private static var patience: Duration { .seconds(60) }
    /// More is no answer of a command that is asked here.
    private static var outputLimit: Int { 1 << 16 }

    package init() throws(SystemError) {
        pool = try WorkerPool(name: "commands", limit: 1)
        abort = try EventFlag()
    }

    /// Signalled when there is something to take.
    package var wakeup: EventFlag { pool.wakeup }

    /// Runs a command when those before it have ended. Its first word is a path, or a program on PATH.
    package func submit(_ words: [String], for purpose: Purpose) {
        let (pool, abort) = (self.pool, self.abort)
        let refused: @Sendable (WorkerThread.StartError) -> Void = { error in
            pool.deliver((purpose, CommandOutcome(end: nil, text: "\(error)")))
        }
        pool.submit(refused: refused) {
            pool.deliver((purpose, Self.outcome(of: words, abort: abort.raw)))
        }
    }

    /// The outcomes of commands that have ended since the last call.
    package func takeOutcomes() -> [(purpose: Purpose, outcome: CommandOutcome)] { pool.takeOutcomes() }

    /// Ends the thread, and waits for it: what runs is killed, what waits is left undone.
    package func close() {
        pool.close()
        abort.signal()
        pool.awaitEnd()
    }

    private static func outcome(of words: [String], abort: Int32) -> CommandOutcome {
        guard let path = words[0].hasPrefix("/") ? words[0] : ChildProcess.find(words[0]) else {
            return CommandOutcome(end: nil, text: "\(words[0]) is not on PATH")
        }
        do throws(SystemError) {
            let output = try ChildProcess.output(
                of: [path] + words.dropFirst(), streams: .both, within: patience, size: outputLimit, abort: abort)
            guard let end = output.end else {
                return CommandOutcome(
                    end: .signalled(SIGKILL), text: "no answer within \(patience.components.seconds) s")
            }
            return CommandOutcome(end: end, text: output.text)
        } catch {
            return CommandOutcome(end: nil, text: "\(error)")
        }
    }
}
