import DisbatchCore
import LinuxSystem
import Options
import RunReports

/// `--remaining`: holds a task file against the status file, and writes what is not done.
struct RemainingWriter {
    private let paths: RunPaths
    private let options: DbutilOptions

    init(_ paths: RunPaths, _ options: DbutilOptions) {
        self.paths = paths
        self.options = options
    }

    /// Writes the file.
    /// - Parameter taskFile: what the run was given; nil where the run record says it.
    func run(taskFile: String?) throws(ReportError) {
        let path: String
        if let taskFile { path = taskFile } else { path = try recordedFile() }
        let isActive = paths.isActive
        let status = try StatusFile(paths.status)
        var builder = ResumeIndex.Builder()
        try status.forEachRow { row, offset throws(ReportError) in builder.add(row, file: 0, offset: offset) }
        let index = builder.build()
        let output = try ResultOutput(options.output, sparing: paths.kept + [path])
        let left = try write(path, index, status, to: output)
        try output.finish()
        for check in left.passedChecks {
            DbutilProgram.say(
                "warning: line \(check.line) is a CHECK, and \(check.failed) tasks before it failed: "
                    + "without --failed this file passes over them")
        }
        if isActive { DbutilProgram.say("this run goes on: what it runs now is among what remains") }
        DbutilProgram.say(
            left.taskCount == 0 ? "nothing remains" : "\(NumberText.count(left.taskCount, "task")) to run")
    }

    private func recordedFile() throws(ReportError) -> String {
        let advice = "Name the task file: dbutil --run \(ShellWord.quoted(paths.prefix)) --remaining TASKFILE"
        guard FileStatus.of(Array(paths.record.utf8)) != nil else {
            throw ReportError("there is no run record \(paths.record) to say where the tasks came from.\n\(advice)")
        }
        guard let path = try RecordSource(paths).facts.source else {
            throw ReportError("the run record \(paths.record) does not say where the tasks came from.\n\(advice)")
        }
        guard path != "-" else {
            throw ReportError("this run's tasks came from standard input, which can't be read again.\n\(advice)")
        }
        return path
    }

    private func write(
        _ path: String, _ index: ResumeIndex, _ status: StatusFile, to output: ResultOutput
    ) throws(ReportError) -> RemainingTasks {
        var left = RemainingTasks()
        let what = options.includesFailed ? "not done, or failed," : "not done"
        left.add(comment: "What is \(what) of \(path), by \(status.path), \(localTime(secondsNow()))")
        var cursor = ResumeIndex.Cursor(index)
        let file = try TaskFileCursor(path)
        while let item = try file.next() {
            switch item {
            case .task(let task):
                if let entry = cursor.entry(for: task.id), entry.isSkipped(retry: options.includesFailed) {
                    try check(entry, against: task, status, path)
                    left.pass(hasFailed: entry.returnCode != 0)
                } else {
                    left.add(task)
                }
            case .barrier(let barrier): left.add(barrier)
            case .perEngine(let command): left.add(command)
            case .skipped: break
            }
            if left.waitingBytes > 1 << 16 { try output.write(left.take()) }
        }
        try output.write(left.take())
        return left
    }

    /// Makes sure that a row is of this task, as a resume does.
    private func check(
        _ entry: ResumeEntry, against task: TaskSpec, _ status: StatusFile, _ path: String
    ) throws(ReportError) {
        guard !entry.matchesHash(of: task) else { return }
        let isSame = status.row(at: entry.offset, length: Int(entry.length)) { $0.isRow(of: task) }
        if isSame == true { return }
        throw ReportError(
            "\(path):\(task.streamIndex): task \(task.id.rawValue) is not the one that ran, by \(status.path).\n"
                + "Give the task file as it was for that run.")
    }
}
