import CLinux
import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import RunRecord

/// What a driver is made of, ready to run.
struct DriverParts {
    let configuration: RunConfiguration
    let schedulerConfiguration: SchedulerConfiguration
    /// The run's own context; nil where it waits for others.
    let own: (plan: ContextPlan, starter: EngineStarter)?
    let files: RunFiles
    let feed: TaskFeed
    let writer: FileWriter
    let record: RunRecordWriter?
    let log: RunLog
    let signals: SignalSource
    let console: Console
    /// Of the run's ``AliveLock``.
    let aliveDescriptor: Int32
    let startTime: Timestamp
    let totalTasks: Int?
    /// Nil where nothing is asked for about tasks' files.
    let staging: Staging?
    /// Nil where the run is not to be reached.
    let link: RunLink?
    /// Nil where no helper program is asked for.
    let helpers: Helpers?
}

extension SchedulerConfiguration {
    /// What a run's user asked for.
    init(_ run: RunConfiguration) {
        self.init()
        retries = run.retries
        maxLost = run.maxLost
        failsFast = run.failsFast
        isStartStrict = run.isStartStrict
        lease = run.lease
        leaseGrace = run.leaseGrace
        quarantineAfter = run.quarantines ? 10 : nil
    }
}
