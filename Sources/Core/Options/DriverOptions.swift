package import DisbatchCore

/// The options of `disbatch`, checked as far as that can be done without a look at the machine.
package struct DriverOptions: Equatable, Sendable {
    package var taskSource: TaskSource

    // Resume
    /// `-r`, in their order.
    package var resumeFrom: [String] = []
    /// `-R`
    package var retriesFailures = false
    /// `--force-resume`
    package var forcesResume = false
    /// Not `--no-wait`: wait for engines of the earlier run that may still be alive.
    package var waitsForEarlierEngines = true

    // Failures
    /// `-e`: whether the exit status is 1 if a task failed.
    package var failsOnTaskFailure = false
    /// `--limit`: how many tasks to start, at least 1.
    package var runTaskLimit: Int?
    /// The scheduler's options: `-f`, `--retries`, `--max-lost`, `--strict-start`, `--lease`, `--no-quarantine`.
    package var scheduler = SchedulerConfiguration()
    /// The options of the driver's machine: `--reconnect`, and `-S`, with which a run has no context of its own.
    package var policy = DriverPolicy()
    /// `--task-timeout`, `--kill-after`, `--shell`
    package var tasks = TaskSettings()

    // Contexts
    package var context = ContextOptions()
    /// `--env`, in their order.
    package var environment: [EnvironmentSetting] = []
    /// `--workdir`, absolute; nil for the driver's own directory.
    package var workingDirectory: String?
    package var googleCloud = GoogleCloudOptions()
    package var staging = StagingRequest()

    // Files and records
    /// `-p`: a directory or the beginning of names, never empty.
    package var prefix = "."
    /// `--status-header`
    package var writesStatusHeader = false
    /// `--capture`
    package var captureDirectory: String?
    /// Not `--no-record`: keep `<prefix>_run.db`.
    package var keepsRecord = true
    /// `--logfile`; nil for `<prefix>_driver.log`.
    package var logFile: String?
    /// `--loglevel`
    package var logLevel = LogLevel.info

    // Watching, network
    /// `--progress`
    package var progress = ProgressMode.auto
    /// `--web`, `--web-address`: where the page is served; nil for no page.
    package var web: HostPort?
    /// `--mailTo`, `--mailFreq`
    package var mail: MailOptions?
    /// `--use-address`
    package var useAddress: HostPort?
    /// `--listen-ports`
    package var listenPorts: ClosedRange<UInt16>?
    /// Not `--no-listen`
    package var listens = true
    /// `--dry-run`
    package var isDryRun = false

    /// Warnings for the user before the run, without the program's name.
    package var warnings: [String] = []

    package init(taskSource: TaskSource) {
        self.taskSource = taskSource
        scheduler.lease = .seconds(300)
        scheduler.quarantineAfter = 10
    }

    /// `--lease`: how long tasks on another machine live without a word from the driver, above 0.
    package var lease: Duration { scheduler.lease ?? .zero }
}

/// The source of a run's tasks.
package enum TaskSource: Equatable, Sendable {
    case file(String)
    /// `-`
    case standardInput

    /// The source's name in errors.
    package var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "standard input"
        }
    }

    /// `DISBATCH_NAMETASKS`, and the start of the default prefix: as disBatch has it.
    package var shortName: String {
        switch self {
        case .file(let path): path.split(separator: "/").last.map(String.init) ?? path
        case .standardInput: "stdin"
        }
    }
}

/// `--mailTo`, `--mailFreq`
package struct MailOptions: Equatable, Sendable {
    package var address: String
    /// After how many ended tasks there is a mail; 0 at the run's end alone.
    package var frequency = 1

    package init(address: String) { self.address = address }
}

/// `--progress`: when progress is shown as one redrawn line.
package enum ProgressMode: String, CaseIterable, Sendable {
    case always
    case auto
    case never
}

/// `--shell`: whether every task is started by bash, or simple lines directly.
enum ShellUse: String, CaseIterable {
    case auto
    case always
}
