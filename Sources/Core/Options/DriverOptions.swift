/// What the arguments of `disbatch` ask for, checked as far as they tell without a look at the machine.
package struct DriverOptions: Equatable, Sendable {
    /// Where tasks come from.
    package enum TaskSource: Equatable, Sendable {
        case file(String)
        /// `-`
        case standardInput
    }

    package var taskSource: TaskSource

    // Resume
    /// `-r`, in their order.
    package var resumeFrom: [String] = []
    /// `-R`
    package var runsFailedAgain = false
    /// `--force-resume`
    package var forcesResume = false
    /// Not `--no-wait`: wait for engines of the earlier run that may still be alive.
    package var waitsForEarlierEngines = true

    // Failures
    /// `-e`
    package var exitsWithTaskFailure = false
    /// `-f`
    package var failsFast = false
    /// `--retries`: how often a failed task is run again.
    package var retries = 0
    /// `--max-lost`: how often a task whose engine was lost is run again.
    package var maxLost = 3
    /// `--task-timeout`: above 0.
    package var taskTimeout: Duration?
    /// `--kill-after`: 0 sends SIGKILL at once.
    package var killAfter = Duration.seconds(10)
    /// `--strict-start`
    package var needsSuccessfulStart = false
    /// `--limit`: how many tasks to start, at least 1.
    package var taskLimit: Int?

    package var context = ContextOptions()
    package var googleCloud = GoogleCloudOptions()
    /// `-S`: the run has no context of its own.
    package var startsUpOnly = false
    package var staging = StagingOptions()

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

    /// What the user should be told before the run, without the program's name.
    package var warnings: [String] = []

    package init(taskSource: TaskSource) { self.taskSource = taskSource }
}

/// `--mailTo`, `--mailFreq`
package struct MailOptions: Equatable, Sendable {
    package var address: String
    /// After how many ended tasks there is a mail; 0 at the run's end alone.
    package var frequency = 1

    package init(address: String) { self.address = address }
}

/// `--loglevel`, the most severe first.
package enum LogLevel: String, CaseIterable, Sendable {
    case critical = "CRITICAL"
    case error = "ERROR"
    case warning = "WARNING"
    case info = "INFO"
    case debug = "DEBUG"
}

/// `--progress`: when progress is shown as one redrawn line.
package enum ProgressMode: String, CaseIterable, Sendable {
    case always
    case auto
    case never
}
