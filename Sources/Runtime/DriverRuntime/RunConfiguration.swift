import DisbatchCore
import EngineHosting

/// Where tasks come from.
enum TaskOrigin: Equatable, Sendable {
    case file(String)
    case standardInput

    /// As errors name it.
    var name: String {
        switch self {
        case .file(let path): path
        case .standardInput: "standard input"
        }
    }

    /// `DISBATCH_NAMETASKS`, and the start of the default prefix: as disBatch has it.
    var shortName: String {
        switch self {
        case .file(let path): path.split(separator: "/").last.map(String.init) ?? path
        case .standardInput: "stdin"
        }
    }
}

/// When progress is shown on standard error.
enum ProgressChoice: Sendable {
    case always, auto, never
}

/// Everything that a run's user asked for.
struct RunConfiguration: Sendable {
    var origin: TaskOrigin
    var version: String
    /// The command line as it was typed, for logs, the run record and the hint that retries.
    var commandLine: [String]
    var enginePath: String
    /// The path of `dbutil`.
    var utilityPath: String

    var prefix = "."
    var writesHeader = false
    var keepsRecord = true
    var logFile: String?
    var logLevel = LogLevel.info
    var captureDirectory: String?

    var resumeFrom: [String] = []
    var retriesFailures = false
    var forcesResume = false
    var waitsForEngines = true

    var retries = 0
    var maxLost = 3
    var failuresCount = false
    var failsFast = false
    var isStartStrict = false
    var limit: Int?
    var taskTimeout: Duration?
    var killAfter = Duration.seconds(10)
    /// How long a new engine may take to say what it is (`DISBATCH_START_PATIENCE`).
    var greetingPatience = Duration.seconds(60)

    /// What is asked of the run's own context.
    var terms = ContextTerms()
    /// `-c` and `-t`, for contexts that are added with none of their own.
    var coresPerTask: Double?
    var tasksPerNode: Int?
    /// Whether the run waits for contexts that are added to it, and has none of its own (`-S`).
    var waitsForContexts = false
    /// Whether a helper brings a context.
    var helperBringsContext: Bool { helpers.contains(where: \.bringsContext) }
    /// `--env`: a name, and a value or nil for the driver's own.
    var extraEnvironment: [(name: String, value: String?)] = []
    var alwaysUsesShell = false
    /// How long tasks on another machine live without a word from the driver.
    var lease = Duration.seconds(300)
    /// How much longer than that is waited for what can't be heard, before it counts as over (`DISBATCH_LEASE_GRACE`).
    var leaseGrace = Duration.seconds(10)
    /// Whether an engine that fails everything at once is given no more tasks.
    var quarantines = true
    /// By what hosts are logged in to.
    var sshClient = SSHClientChoice.auto
    /// How often a lost host is tried again.
    var reconnects = 5
    /// `--workdir`: where tasks run, made where it is missing; nil for the driver's own.
    var workingDirectory: String?

    var staging = StagingRequest()
    /// Where the run listens; nil for nowhere.
    var listening: ListeningRequest? = ListeningRequest()

    /// Programs that watch the run for others.
    var helpers: [HelperRequest] = []

    var progress = ProgressChoice.auto

    init(origin: TaskOrigin, version: String, commandLine: [String], enginePath: String, utilityPath: String) {
        self.origin = origin
        self.version = version
        self.commandLine = commandLine
        self.enginePath = enginePath
        self.utilityPath = utilityPath
    }
}

/// Where a run is to be reached.
struct ListeningRequest: Equatable, Sendable {
    /// Ports to try, in order; 0 lets the system choose.
    var ports: ClosedRange<UInt16> = 0...0
    /// The host that others are to use, before all that this machine knows of itself.
    var host: String?

    init() {}
}
