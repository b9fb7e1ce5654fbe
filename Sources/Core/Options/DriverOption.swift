/// The options of `disbatch`, by their long names.
enum DriverOption: String, CaseIterable {
    // Task source
    case taskCommand = "taskcommand"
    case taskServer = "taskserver"
    // Resume
    case resumeFrom = "resume-from"
    case retry
    case forceResume = "force-resume"
    case noWait = "no-wait"
    // Failures
    case exitCode = "exit-code"
    case failFast = "fail-fast"
    case retries
    case maxLost = "max-lost"
    case taskTimeout = "task-timeout"
    case killAfter = "kill-after"
    case strictStart = "strict-start"
    case limit
    // Contexts
    case context
    case sshNode = "ssh-node"
    case cpusPerTask
    case tasksPerNode
    case fill
    case bind
    case envResource = "env-resource"
    case gpu
    case env
    case shell
    case contextTaskLimit = "context-task-limit"
    case label
    case noRetire = "no-retire"
    case retireCommand = "retire-cmd"
    case lease
    case margin
    case sshClient = "ssh-client"
    case reconnect
    case noQuarantine = "no-quarantine"
    case workdir
    case startupOnly = "startup-only"
    // Google Compute Engine
    case gce
    case spot
    case spotAttempts = "spot-attempts"
    case linger
    case pool
    case gceSet = "gce-set"
    case gceDryRun = "gce-dry-run"
    // Tasks' files
    case stageIn = "stage-in"
    case taskDir = "task-dir"
    case stageOut = "stage-out"
    // Files and records
    case prefix
    case statusHeader = "status-header"
    case capture
    case noRecord = "no-record"
    case logFile = "logfile"
    case logLevel = "loglevel"
    // Watching
    case progress
    case web
    case webAddress = "web-address"
    case mailTo
    case mailFreq
    // Network
    case useAddress = "use-address"
    case listenPorts = "listen-ports"
    case noListen = "no-listen"
    case kvsServer = "kvsserver"
    // Other
    case dryRun = "dry-run"
    case completions
    case help
    case version
}
