package import DisbatchCore
package import EngineHosting

/// Where tasks come from.
package enum TaskOrigin: Equatable, Sendable {
    case file(String)
    case standardInput

    /// As errors name it.
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

/// When progress is shown on standard error.
package enum ProgressChoice: Sendable {
    case always, auto, never
}

/// Everything that a run's user asked for.
package struct RunConfiguration: Sendable {
    package var origin: TaskOrigin
    package var version: String
    /// The command line as it was typed, for logs, the run record and the hint that retries.
    package var commandLine: [String]
    package var enginePath: String
    /// The path of `dbutil`.
    package var utilityPath: String

    package var prefix = "."
    package var writesHeader = false
    package var keepsRecord = true
    package var logFile: String?
    package var logLevel = LogLevel.info
    package var captureDirectory: String?

    package var resumeFrom: [String] = []
    package var retriesFailures = false
    package var forcesResume = false
    package var waitsForEngines = true

    package var retries = 0
    package var maxLost = 3
    package var failuresCount = false
    package var failsFast = false
    package var isStartStrict = false
    package var limit: Int?
    package var taskTimeout: Duration?
    package var killAfter = Duration.seconds(10)
    /// How long a new engine may take to say what it is (`DISBATCH_START_PATIENCE`).
    package var greetingPatience = Duration.seconds(60)

    /// What is asked of the run's own context.
    package var terms = ContextTerms()
    /// `-c` and `-t`, for contexts that are added with none of their own.
    package var coresPerTask: Double?
    package var tasksPerNode: Int?
    /// Whether the run waits for contexts that are added to it, and has none of its own (`-S`).
    package var waitsForContexts = false
    /// Whether a helper brings a context.
    var helperBringsContext: Bool { helpers.contains(where: \.bringsContext) }
    /// `--env`: a name, and a value or nil for the driver's own.
    package var extraEnvironment: [(name: String, value: String?)] = []
    package var alwaysUsesShell = false
    /// How long tasks on another machine live without a word from the driver.
    package var lease = Duration.seconds(300)
    /// Whether an engine that fails everything at once is given no more tasks.
    package var quarantines = true
    /// By what hosts are logged in to.
    package var sshClient = SSHClientChoice.auto
    /// How often a lost host is tried again.
    package var reconnects = 5
    /// `--workdir`: where tasks run, made where it is missing; nil for the driver's own.
    package var workingDirectory: String?

    package var staging = StagingRequest()
    /// Where the run listens; nil for nowhere.
    package var listening: ListeningRequest? = ListeningRequest()

    /// Programs that watch the run for others.
    package var helpers: [HelperRequest] = []

    package var progress = ProgressChoice.auto

    package init(origin: TaskOrigin, version: String, commandLine: [String], enginePath: String, utilityPath: String) {
        self.origin = origin
        self.version = version
        self.commandLine = commandLine
        self.enginePath = enginePath
        self.utilityPath = utilityPath
    }
}

/// Where a run is to be reached.
package struct ListeningRequest: Equatable, Sendable {
    /// Ports to try, in order; 0 lets the system choose.
    package var ports: ClosedRange<UInt16> = 0...0
    /// The host that others are to use, before all that this machine knows of itself.
    package var host: String?

    package init() {}
}
