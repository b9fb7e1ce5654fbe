import DisbatchCore
import Glibc
import LinuxSystem
import Options
import RunRecord
import RunReports

/// The whole of `dbutil`, from its options to its exit status.
package enum DbutilProgram {
    /// The whole program: reads the command line, and does what it says.
    package static func main(version: String) -> Never {
        NameServices.useBuiltIn()
        Descriptor.fillStandardStreams()
        ProcessFiles.require(for: "dbutil")
        do {
            switch try DbutilOptions.read(Array(CommandLine.arguments.dropFirst())) {
            case .show(let text):
                print(text, terminator: "")
                exit(0)
            case .run(let options): exit(LiveCommands(version: version).run(options) ?? run(options))
            }
        } catch {
            StandardStream.error.write(error.report(program: "dbutil"))
            exit(2)
        }
    }

    /// Does what is done from a run's files.
    /// - Returns: the exit status: 0; 1 where files can't be read or written; 2 for a wrong filter or field.
    private static func run(_ options: DbutilOptions) -> Int32 {
        do throws(ReportError) {
            // Wrong words are told before any file is looked at.
            _ = try options.filter.map { text throws(ReportError) in try TaskFilter(text) }
            _ = try options.fields.map { text throws(ReportError) in try TaskField.list(text) }
        } catch {
            say("\(error)")
            return 2
        }
        do throws(ReportError) {
            try perform(options, of: try paths(options))
            return 0
        } catch {
            say("\(error)")
            return 1
        }
    }

    /// The absolute path that the names of all files of the run begin with; nil, with a word on standard error, where
    /// there is none.
    static func prefix(_ options: DbutilOptions) -> String? {
        do throws(ReportError) { return try paths(options).prefix } catch {
            say("\(error)")
            return nil
        }
    }

    private static func paths(_ options: DbutilOptions) throws(ReportError) -> RunPaths {
        if let name = options.run { return try RunPaths.named(name) }
        if case .rebuild(let files) = options.action, let first = files.first { return try RunPaths.named(first) }
        let paths = try RunPaths.newestHere()
        say("the newest run here: \(paths.jobID) (--run PREFIX for another)")
        return paths
    }

    private static func perform(_ options: DbutilOptions, of paths: RunPaths) throws(ReportError) {
        switch options.action {
        case .list: try list(options, paths)
        case .show(let id): try show(id, options, paths)
        case .stats, .report: try report(options, paths)
        case .rebuild(let files):
            for line in try RecordRebuild(paths).run(files.isEmpty ? [paths.status] : files) { say(line) }
        case .monitor, .status, .watch, .wait, .tail, .ask, .add, .addMachines, .googleCloud:
            break  // Not done from files.
        case .remaining(let file): try RemainingWriter(paths, options).run(taskFile: file)
        }
    }

    private static func open(_ paths: RunPaths) throws(ReportError) -> RecordSource {
        let source = try RecordSource(paths)
        for warning in source.warnings { say("warning: \(warning)") }
        if source.facts.dropped > 0 || source.facts.failure != nil {
            say("warning: \(paths.record) is incomplete; dbutil --rebuild makes it anew from the status file")
        }
        return source
    }

    // MARK: --list

    private static func list(_ options: DbutilOptions, _ paths: RunPaths) throws(ReportError) {
        let filter = try options.filter.map { text throws(ReportError) in try TaskFilter(text) } ?? TaskFilter()
        let fields = try options.fields.map { text throws(ReportError) in try TaskField.list(text) }
        let source = try open(paths)
        let output = try ResultOutput(options.output, sparing: paths.kept)
        let format = options.format ?? .table
        var renderer = ListRenderer(format, fields: fields, columns: output.columns, time: localTime)
        let stream = try TaskStream(source, includesWaiting: !filter.excludesWaiting)
        try output.write(renderer.begin(source.facts))
        while true {
            let rows = try stream.next()
            if rows.isEmpty { break }
            let wanted = rows.filter(filter.matches)
            if !wanted.isEmpty { try output.write(renderer.rows(wanted)) }
        }
        try output.write(renderer.end())
        try output.finish()
        for warning in stream.warnings { say("warning: \(warning)") }
        noteDeadDriver(source)
    }

    /// Warns that tasks recorded as running are not, where the driver was killed.
    private static func noteDeadDriver(_ source: RecordSource) {
        guard source.facts.state == "broken off" else { return }
        say("this run's driver ended without a word: what stands as running was not finished")
    }

    // MARK: --show

    private static func show(_ id: Int, _ options: DbutilOptions, _ paths: RunPaths) throws(ReportError) {
        let source = try open(paths)
        let stream = try TaskStream(source, from: id)
        guard let task = try stream.next().first, task.id == id else {
            throw ReportError(
                "run \(source.facts.name) has no task \(id), or none that is known (barriers take numbers, too); "
                    + "dbutil --list shows all")
        }
        var attempts = try source.attempts(of: task)
        if attempts.isEmpty, task.start != nil {
            attempts = [AttemptRow(run: task.run ?? 1, number: 1, isGivenUp: false, row: task)]
        }
        let captures = captured(task, attempts, source.facts)
        let output = try ResultOutput(options.output, sparing: paths.kept)
        if options.format == .json {
            try output.write(TaskDetailText.json(source.facts, task, attempts: attempts, captures: captures))
        } else {
            let detail = TaskDetailText(task, attempts: attempts, captures: captures, time: localTime)
            try output.write(detail.text)
        }
        try output.finish()
        noteDeadDriver(source)
    }

    /// The files that `--capture` made for a task, where the command line tells of any.
    private static func captured(_ task: TaskRow, _ attempts: [AttemptRow], _ facts: RunFacts) -> [CaptureFound] {
        let words = ShellWord.words(facts.commandLine ?? "")
        guard !words.isEmpty, case .run(let options)? = try? DriverOptions.read(Array(words.dropFirst())),
            let directory = options.captureDirectory
        else { return [] }
        let root = directory.hasPrefix("/") ? directory : (facts.workingDirectory ?? ".") + "/" + directory
        let last = max(task.attempts, attempts.map(\.number).max() ?? 1, 1)
        return (1...last).flatMap { attempt in
            TaskOutputStream.allCases.compactMap { stream in
                let path = AttemptPath.captured(stream, of: TaskID(task.id), attempt: attempt, root: root)
                return FileStatus.of(Array(path.utf8)).map { CaptureFound(path: path, size: $0.size) }
            }
        }
    }

    // MARK: --stats and --report

    private static func report(_ options: DbutilOptions, _ paths: RunPaths) throws(ReportError) {
        let source = try open(paths)
        let output = try ResultOutput(options.htmlFile ?? options.output, sparing: paths.kept)
        var builder = ReportBuilder(source.facts, now: secondsNow())
        for engine in try source.engines() { builder.add(engine) }
        let stream = try TaskStream(source)
        while true {
            let rows = try stream.next()
            if rows.isEmpty { break }
            for row in rows { builder.add(row) }
        }
        try source.forEachEarlierAttempt { builder.addEarlierAttempt(from: $0, to: $1) }
        let report = builder.finish()
        if options.htmlFile != nil {
            try output.write(ReportPage(report, time: localTime).text)
        } else if options.format == .json {
            try output.write(StatisticsText.json(report))
        } else if options.action == .stats {
            try output.write(StatisticsText(report).text)
        } else {
            try output.write(ReportText(report, time: localTime).text)
        }
        try output.finish()
        for warning in stream.warnings { say("warning: \(warning)") }
    }

    /// Writes to standard error.
    static func say(_ text: String) { StandardStream.error.line("dbutil: \(text)") }
}
