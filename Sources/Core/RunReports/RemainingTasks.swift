package import DisbatchCore

/// Makes a task file of those tasks of another that are left, fit to be run on its own.
///
/// PREFIX and SUFFIX are applied, and each task of a REPEAT is a REPEAT of its own, so that its index stays. Barriers
/// stay where tasks that are left stand before them.
package struct RemainingTasks: Sendable {
    /// Tasks that are left so far.
    package private(set) var taskCount = 0
    /// Lines not taken yet.
    private var text: [UInt8] = []
    /// Failed tasks before the next barrier that are left out.
    private var failedBefore = 0
    /// Of each CHECK that would have stopped the run for such: its line, and how many they are.
    package private(set) var passedChecks: [(line: Int, failed: Int)] = []

    package init() {}

    /// Takes away what was written.
    package mutating func take() -> [UInt8] {
        defer { text.removeAll(keepingCapacity: true) }
        return text
    }

    /// How many bytes wait to be taken.
    package var waitingBytes: Int { text.count }

    /// Writes a comment.
    package mutating func add(comment: String) { append(Array("# \(Displayable.line(comment))".utf8)) }

    /// Writes a task that is left.
    package mutating func add(_ task: TaskSpec) {
        taskCount += 1
        append(Self.line(of: task))
    }

    /// Writes a PERENGINE command.
    package mutating func add(_ command: PerEngineCommand) {
        let phase = command.phase == .start ? "START" : "STOP"
        append(Array("#DISBATCH PERENGINE \(phase) ".utf8) + command.spec.command)
    }

    /// Passes over a task that is done.
    package mutating func pass(hasFailed: Bool) {
        if hasFailed { failedBefore += 1 }
    }

    /// Writes a barrier, if there is something before it.
    package mutating func add(_ barrier: Barrier) {
        if barrier.checks, failedBefore > 0 { passedChecks.append((barrier.streamIndex, failedBefore)) }
        failedBefore = 0
        if taskCount > 0 { append(barrier.line) }
    }

    private mutating func append(_ line: [UInt8]) {
        text += line
        // The reader takes one CR before an LF as part of the line's end.
        if line.last == UInt8(ascii: "\r") { text.append(UInt8(ascii: "\r")) }
        text.append(UInt8(ascii: "\n"))
    }

    /// The line of a task file that stands for one task.
    static func line(of task: TaskSpec) -> [UInt8] {
        let first = task.command.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        guard task.repeatIndex >= 0 else {
            // A task that a PREFIX made a comment stays a task: one that does nothing.
            return first == nil || first == UInt8(ascii: "#") ? Array(": ".utf8) + task.command : task.command
        }
        let head = Array("#DISBATCH REPEAT 1 start \(task.repeatIndex)".utf8)
        guard !task.command.isEmpty else { return head }
        // A command that begins with "step 5" would be taken for that option.
        let isLikeStep = first == UInt8(ascii: "s") || first == UInt8(ascii: "S")
        return head + Array((isLikeStep ? " step 1 " : " ").utf8) + task.command
    }
}
