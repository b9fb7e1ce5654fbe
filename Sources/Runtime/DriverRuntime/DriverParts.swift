import DisbatchCore
import EngineHosting
import LinuxSystem
import Options

/// The parts of a driver, ready to run.
struct DriverParts {
    let configuration: RunConfiguration
    let policy: DriverPolicy
    /// The run's own context; nil where it waits for others.
    let own: (plan: ContextPlan, starter: EngineStarter)?
    let files: RunPaths
    let feed: TaskFeed
    let ledger: RunLedger
    let reporter: Reporter
    let logs: LogWriter
    let signals: SignalSource
    let alive: GuardFile
    let startTime: Timestamp
    /// Nil where nothing is asked for about tasks' files.
    let staging: Staging?
    /// Nil where the run is not to be reached.
    let port: ControlPort?
    /// Nil where no helper program is asked for.
    let helpers: Helpers?
}

extension DriverPolicy {
    /// The policy that a run's user asked for.
    ///
    /// - Parameter totalTasks: those of a source that could be counted.
    init(_ run: RunConfiguration, totalTasks: Int?, earlierGuards: [String: String]) {
        self = run.options.policy
        version = run.version
        greetingTimeout = run.greetingPatience
        lease = run.options.lease
        helperBringsContext = run.helperBringsContext
        self.totalTasks = totalTasks
        stepPrefix = "disbatch-\(RunHost.pid)"
        self.earlierGuards = earlierGuards
    }
}
