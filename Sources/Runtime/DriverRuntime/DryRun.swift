import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options

/// `--dry-run`: prints what would run, and starts and writes nothing.
enum DryRun {
    /// A line each on standard output: id, line, repeat index and command, with tabs between them, the command last.
    /// Barriers stand in their places; a per-engine command has `START` or `STOP` before its id.
    static func run(_ configuration: RunConfiguration) throws(StartError) -> Int32 {
        let resume = try ResumeFiles(configuration.options.resumeFrom)
        let feed = try TaskFeed(configuration, resume: resume)
        if feed.isRegular { _ = try feed.survey() }
        _ = try StagingPlan(configuration.options.staging, makesDirectories: false)
        try Helpers.check(configuration.helpers, beside: configuration.enginePath)
        let output = Descriptor(owning: dup(1))
        while true {
            let batch = feed.next(4096)
            var text: [UInt8] = []
            for item in batch.items { append(item, to: &text) }
            do { try output.writeAll(text) } catch {
                // Who reads may have seen enough (head).
                return error.code == EPIPE ? ExitStatus.success : ExitStatus.runBroke
            }
            if let error = batch.error { throw StartError(error) }
            if batch.end != nil { return ExitStatus.success }
            if batch.items.isEmpty { feed.wait(milliseconds: -1) }
        }
    }

    /// How many tasks there are to be done; nil where that is not known before they have been read.
    static func count(_ configuration: RunConfiguration) throws(StartError) -> Int? {
        let feed = try TaskFeed(configuration, resume: try ResumeFiles(configuration.options.resumeFrom))
        return feed.isRegular ? try feed.survey().tasks : nil
    }

    private static func append(_ item: TaskItem, to text: inout [UInt8]) {
        switch item {
        case .task(let task): append("", task, to: &text)
        case .perEngine(let command): append(command.phase == .start ? "START " : "STOP ", command.spec, to: &text)
        case .barrier(let barrier):
            text += "\(barrier.id.rawValue)\t\(barrier.streamIndex)\t-1\t".utf8
            text += barrier.line + [UInt8(ascii: "\n")]
        case .skipped: break
        }
    }

    private static func append(_ prefix: String, _ task: TaskSpec, to text: inout [UInt8]) {
        text += "\(prefix)\(task.id.rawValue)\t\(task.streamIndex)\t\(task.repeatIndex)\t".utf8
        text += task.command + [UInt8(ascii: "\n")]
    }
}
