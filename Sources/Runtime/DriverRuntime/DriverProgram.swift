import CLinux
import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import Options
import RunRecord

/// The whole of a `disbatch` run, from its configuration to its exit status.
package enum DriverProgram {
    /// Runs the tasks.
    ///
    /// - Returns: the exit status, see ``ExitStatus``.
    /// - Throws: ``StartError`` where nothing was run.
    static func run(_ configuration: RunConfiguration, plan: ContextPlan?) throws(StartError) -> Int32 {
        SignalSource.ignore([SIGPIPE, SIGXFSZ])
        let console = Console(configuration.options.progress, at: Instant(nanoseconds: SystemClock.bootNanoseconds()))
        let signals = try takeSignals()
        var configuration = configuration
        if configuration.options.resumeFrom.isEmpty, let plan,
            let files = try RestartedJob.earlierFiles(plan, configuration)
        {
            console.note("the job was started again: going on with \(files.status)")
            configuration.options.resumeFrom = [files.status]
            configuration.options.prefix = files.prefix
        }
        if configuration.options.waitsForEarlierEngines {
            for path in configuration.options.resumeFrom where try !waitForRun(of: path, signals, console) {
                return 128 + (signals.next() ?? SIGINT)
            }
        }
        let continued = try OpenStatusFile.continued(configuration.options)
        let resume = try ResumeFiles(
            configuration.options.resumeFrom, isLocking: configuration.options.waitsForEarlierEngines,
            claimed: continued?.status)
        for warning in resume.warnings { console.warn(warning) }
        let feed = try TaskFeed(configuration, resume: resume)
        let survey = feed.isRegular ? try feed.survey() : nil
        if let survey { warn(of: survey, resume, configuration, console) }
        let preparation = RunPreparation(configuration: configuration, resume: resume, survey: survey)
        if survey?.ids == 0 {
            if continued == nil { try leaveEmptyStatus(preparation) }
            return noTasks()
        }
        return try run(preparation, continued, feed, plan, signals, console)
    }

    private static func run(
        _ preparation: RunPreparation, _ continued: OpenStatusFile?, _ feed: TaskFeed, _ plan: ContextPlan?,
        _ signals: SignalSource, _ console: Console
    ) throws(StartError) -> Int32 {
        let configuration = preparation.configuration
        let startTime = Timestamp(microseconds: SystemClock.wallMicroseconds())
        let needs = try RunNeeds(configuration, plan)
        if let warning = needs.staging?.warning { console.warn(warning) }
        if let continued { try preparation.mend(continued) }
        let status = if let continued { continued } else { try openStatus(preparation, startTime) }
        let (files, lock, isContinued) = (status.files, status.lock, status.isContinued)
        warn(of: lock, files, console)
        var made: RunRecordWriter?
        do {
            let writer = try StatusWriter(status: status.takeDescriptor(), path: files.status)
            let writing = try writer.run()
            // Whatever is thrown, threads that nobody told to end would be waited for.
            defer { writer.close() }
            let logs = LogWriter()
            var logging: WorkerThread? = try logs.run()
            defer { logs.close() }
            let log = RunLog(
                configuration.options.logFile ?? files.driverLog, level: configuration.options.logLevel, writer: logs)
            let record = makeRecord(configuration, files, startTime, isContinued: isContinued)
            made = record
            let staging = try needs.staging.map { plan throws(SystemError) in try Staging(plan, files) }
            var stagingThread = try staging?.thread.run()
            defer { staging?.close() }
            let port = try openPort(configuration, files, startTime)
            try ControlPort.writeScript(
                files.utilityScript, program: configuration.utilityPath, prefix: files.prefix)
            let starter = try EngineStarter(
                engine: configuration.enginePath, remote: needs.remote, launchers: needs.launchers, lock: lock.file.raw)
            let helpers = try startHelpers(configuration, files)
            let reporter = Reporter(console: console, log: log)
            let alive = GuardFile(
                lock.file.raw, path: files.alive,
                others: configuration.options.resumeFrom.compactMap { RunPaths(.status, at: $0)?.alive })
            let driver = try Driver(
                DriverParts(
                    configuration: configuration,
                    policy: DriverPolicy(
                        configuration, totalTasks: preparation.survey?.tasks, earlierGuards: alive.earlier),
                    own: plan.map { ($0, starter) }, files: files, feed: feed,
                    ledger: RunLedger(
                        writer: writer, record: record, reporter: reporter, patience: configuration.diskPatience),
                    reporter: reporter,
                    logs: logs, signals: signals, alive: alive, startTime: startTime, staging: staging, port: port,
                    helpers: helpers))
            logStart(driver)
            if configuration.options.policy.waitsForContexts { sayHowToAdd(files, console) }
            status.begin()
            try driver.run()
            let exitStatus = finish(driver)
            staging?.close()
            stagingThread.take()?.join()
            writer.end(writing)
            if let thread = logging.take() { logs.end(thread) }
            if driver.hadNothingToDo, !isContinued { removeFiles(of: driver) }
            if !leavesGuards(driver, exitStatus) { lock.remove() }
            return exitStatus
        } catch {
            if !status.hasBegun {
                made?.close()
                undo(files, isContinued: isContinued, ownLog: configuration.options.logFile == nil)
            }
            throw StartError("\(error)")
        }
    }

    /// Takes away what was made for a run that did not begin: it must not be in the way of the same command.
    private static func undo(_ files: RunPaths, isContinued: Bool, ownLog: Bool) {
        unlink(files.runFile)
        unlink(files.utilityScript)
        guard !isContinued else { return }
        unlink(files.record)
        if ownLog { unlink(files.driverLog) }
    }

    /// Whether a later run has something to end that this one leaves, of which the file of its lock tells.
    private static func leavesGuards(_ driver: Driver, _ exitStatus: Int32) -> Bool {
        // A run that is done, and of which nothing failed, is not resumed.
        let totals = driver.machine.scheduler.totals
        guard exitStatus != ExitStatus.success || totals.failed + totals.skippedFailed > 0 else { return false }
        let lease = driver.machine.wasSignalled ? driver.configuration.options.lease : nil
        return driver.alive.writeRest(of: driver.machine.guards, lease: lease)
    }

    private static func openStatus(
        _ preparation: RunPreparation, _ time: Timestamp
    ) throws(StartError) -> OpenStatusFile {
        let configuration = preparation.configuration
        var number = Int(time.microseconds / 1000 % 1000)
        // Two runs of one task file may begin in the same millisecond: the later one takes another number.
        for _ in 0..<1000 {
            let files = try RunFiles.choose(
                configuration.options.prefix, taskName: configuration.options.taskSource.shortName,
                time: Int(time.microseconds / 1_000_000), number: number)
            let isOwnChoice = RunFiles.absolute(configuration.options.prefix).map(RunFiles.isDirectory) ?? false
            if let status = try preparation.openStatus(files) { return status }
            guard isOwnChoice else {
                throw StartError(
                    """
                    \(files.status) is there already, and it is not overwritten.
                    Continue that run:  -r \(ShellWord.quoted(files.status)), or choose another prefix with -p
                    """)
            }
            number += 1
        }
        throw StartError("\(configuration.options.prefix): no free name for this run's files; choose one with -p")
    }

    // MARK: Before

    /// Opens the port at which the run is reached, and tells of it in the run file.
    private static func openPort(
        _ configuration: RunConfiguration, _ files: RunPaths, _ start: Timestamp
    ) throws(SystemError) -> ControlPort? {
        let text = RunFileText(
            name: files.jobID, version: configuration.version, host: RunHost.name, pid: RunHost.pid, start: start,
            workingDirectory: WorkingDirectory.path)
        guard let request = configuration.listening else {
            try ControlPort.write(text, to: files.runFile)
            return nil
        }
        return try ControlPort(path: files.runFile, text: text, ports: request.ports, announced: request.host)
    }

    private static func makeRecord(
        _ configuration: RunConfiguration, _ files: RunPaths, _ start: Timestamp, isContinued: Bool
    ) -> RunRecordWriter? {
        guard configuration.options.keepsRecord else { return nil }
        return RunRecordWriter(
            path: files.record, appending: isContinued, run: description(configuration, files, start),
            status: files.status)
    }

    private static func startHelpers(
        _ configuration: RunConfiguration, _ files: RunPaths
    ) throws(SystemError) -> Helpers? {
        guard !configuration.helpers.isEmpty else { return nil }
        return try Helpers(configuration.helpers, beside: configuration.enginePath, runFile: files.runFile)
    }

    private static func takeSignals() throws(StartError) -> SignalSource {
        do { return try SignalSource(SignalSource.endingNumbers + [SIGUSR1, SIGUSR2, SIGCHLD]) } catch {
            throw StartError("\(error)")
        }
    }

    /// Waits until neither the driver nor an engine of the run of a status file can be alive any more. False where a
    /// signal came first.
    private static func waitForRun(
        of path: String, _ signals: SignalSource, _ console: Console
    ) throws(StartError) -> Bool {
        let alive = RunPaths(.status, at: path)?.alive
        var isSaid = false
        while true {
            let life = alive.map(AliveLock.life) ?? .ended
            if case .unknown(let driver, let code) = life {
                throw StartError.unknown(driver, alive ?? path, code: code)
            }
            // The driver's own lock of the file tells of it even where the other was removed.
            if case .ended = life, !AliveLock.isWritten(path) { break }
            if !isSaid {
                console.note(
                    "\(path): that run, or an engine of it, is still alive; waiting for its end (--no-wait doesn't)")
            }
            isSaid = true
            if let alive { AliveLock.awaken(alive) }
            // A lock gives no descriptor to wait for; whoever holds it is about to end.
            if signals.wait(milliseconds: 50) { return false }
        }
        guard let alive else { return true }
        AliveLock.killRemains(alive)
        let seconds = AliveLock.secondsLeft(alive)
        guard seconds > 0 else { return true }
        console.note(
            "\(path): its engines on other machines may live for \(seconds) s more; waiting (--no-wait doesn't)")
        return !signals.wait(seconds: seconds)
    }

    /// Tells that no lock keeps other runs off.
    private static func warn(of lock: AliveLock, _ files: RunPaths, _ console: Console) {
        guard let missing = lock.missing else { return }
        console.warn(
            "\(files.alive): this file system has no locks (\(missing.reason)): another run at this prefix is known by "
                + "its host and pid alone")
    }

    private static func warn(
        of survey: TaskFeed.Survey, _ resume: ResumeFiles, _ configuration: RunConfiguration, _ console: Console
    ) {
        if survey.hasCarriageReturns {
            console.warn(
                "\(configuration.options.taskSource.name): lines end in CR LF; the CR is not taken as part of the line")
        }
        if survey.firstKeyLine > 0 {
            console.warn(
                "\(configuration.options.taskSource.name):\(survey.firstKeyLine): no key-value server is there to put "
                    + "a BARRIER's key into; the barrier holds, and its key is ignored")
        }
        let unknown = resume.index.entries.count { $0.id.rawValue >= survey.ids }
        if unknown > 0 {
            console.warn(
                "-r: \(unknown) finished tasks are not in \(configuration.options.taskSource.name), which has "
                    + "\(survey.ids); ignored")
        }
    }

    /// Makes the status file of a run without tasks: whoever looks for it finds it.
    private static func leaveEmptyStatus(_ preparation: RunPreparation) throws(StartError) {
        let status = try openStatus(preparation, Timestamp(microseconds: SystemClock.wallMicroseconds()))
        status.begin()
        status.lock.remove()
    }

    private static func noTasks() -> Int32 {
        StandardStream.error.line("No tasks to run.")
        return ExitStatus.success
    }

    private static func description(
        _ configuration: RunConfiguration, _ files: RunPaths, _ start: Timestamp
    ) -> RunDescription {
        let source: String =
            switch configuration.options.taskSource {
            case .file(let path): RunFiles.absolute(path) ?? path
            case .standardInput: "-"
            }
        return RunDescription(
            source: source, commandLine: ShellWord.line(configuration.commandLine), host: RunHost.name,
            user: RunHost.user, pid: RunHost.pid, version: configuration.version,
            workingDirectory: WorkingDirectory.path,
            options: ShellWord.line(Array(configuration.commandLine.dropFirst())), start: start)
    }

    private static func logStart(_ driver: Driver) {
        let configuration = driver.configuration
        driver.reporter.log(
            .info,
            "disbatch \(configuration.version), pid \(RunHost.pid) on \(RunHost.name) in \(WorkingDirectory.path)")
        driver.reporter.log(.info, "command: \(ShellWord.line(configuration.commandLine))")
        driver.reporter.log(
            .info, "tasks from \(configuration.options.taskSource.name), status file \(driver.files.status)")
        guard let (plan, _) = driver.parts.own else { return }
        driver.logStart(of: plan, notes: RestartedJob.note(plan, configuration).map { [$0] } ?? [])
    }

    /// Tells the user of a run without engines where they come from.
    private static func sayHowToAdd(_ files: RunPaths, _ console: Console) {
        console.note("Run this script to add compute contexts:\n   \(files.utilityScript)")
    }

    // MARK: After

    private static func finish(_ driver: Driver) -> Int32 {
        let configuration = driver.configuration
        let ending = driver.ending ?? .completed
        let totals = driver.machine.scheduler.totals
        if driver.hadNothingToDo { _ = noTasks() }
        var status = ExitStatus.of(
            ending, totals: totals, sourceBroke: driver.sourceBroke, tasksLeft: driver.machine.scheduler.hasTasksLeft,
            failsOnTaskFailure: configuration.options.failsOnTaskFailure)
        if driver.ledger.wasTouched, status < 128 { status = ExitStatus.runBroke }
        let end = RunClock.wall
        let summary = RunSummary(
            totals: totals, ending: ending,
            hasTasksLeft: driver.machine.scheduler.hasTasksLeft || driver.sourceBroke && driver.parts.feed.isRegular,
            elapsed: .microseconds(end.microseconds - driver.startTime.microseconds),
            statusPath: driver.ledger.writer.path,
            retryCommand: retryCommand(driver, totals, ending), engineFailures: driver.machine.engineFailures,
            statusWasTouched: driver.ledger.wasTouched, quarantined: driver.ledger.quarantined)
        driver.reporter.log(.info, summary.text)
        driver.reporter.log(.info, "exit status \(status)")
        driver.waitForHelpers()
        driver.control?.end(exitStatus: status, summary: summary.text)
        driver.ledger.close(at: end, exitStatus: status, summary: summary.text)
        if driver.reporter.console.hasWatcher || status != 0 || summary.needsRetry || totals.perEngineFailed > 0 {
            driver.reporter.console.show(summary.text)
        }
        if let helpers = driver.parts.helpers {
            helpers.end(driver.parts.signals) { $0.forEach(helpers.report(to: driver.reporter)) }
        }
        return status
    }

    /// Takes away what a run made that had nothing to record, but for its status file.
    private static func removeFiles(of driver: Driver) {
        unlink(driver.files.record)
        unlink(driver.files.runFile)
        for context in driver.machine.contexts { unlink(driver.files.contextLog(label: context.plan.label)) }
        unlink(driver.files.utilityScript)
        if driver.configuration.options.logFile == nil { unlink(driver.files.driverLog) }
    }

    /// The command line again, with this run's status file, and `-R` where it is to retry.
    private static func retryCommand(_ driver: Driver, _ totals: RunTotals, _ ending: RunEnding) -> String {
        let isForTheRest = totals.failed + totals.skippedFailed == 0 || ending == .drained
        let (path, kept) = (driver.files.status, driver.ledger.writer.path)
        let command = RetryCommand.line(
            driver.configuration.commandLine, status: path, retriesFailures: !isForTheRest)
        return kept == path ? command : "mv \(ShellWord.quoted(kept)) \(ShellWord.quoted(path)) && \(command)"
    }
}
