/// Why a process that was started for a task is no more.
package enum Ending: UInt8, Sendable {
    /// An end of its own, by exit or by a signal that was not ours.
    case exited
    /// Its time was up (`--task-timeout`).
    case timedOut
    /// The run's own stop ended it (interrupt, fail-fast, drain, time limit).
    case stopped
    /// Its user ended it (`dbutil --kill`).
    case killed
    /// No process at all: the engine could not start one.
    case spawnFailed
    /// Its engine was lost.
    case engineLost
}

/// A task's output to one of its two streams: how much it was, and its edges.
package struct OutputSummary: Equatable, Sendable {
    /// The longest ``edges`` of one end.
    package static let edgeLength = 40

    /// Bytes written up to the end of the stream.
    package var count: UInt64
    /// All of it up to 80 bytes; of more, the first 40 and the last 40.
    package var edges: [UInt8]

    package init(count: UInt64 = 0, edges: [UInt8] = []) {
        self.count = count
        self.edges = edges
    }
}

/// An engine's report of one process: a task's, or a per-engine command's.
package struct TaskOutcome: Equatable, Sendable {
    /// The process, or -1 where there was none.
    package var pid: Int32
    /// The exit status, or minus the signal's number; 124 after a timeout; -15 or -9 after
    /// `dbutil --kill`; -100 where the engine was lost.
    package var returnCode: Int32
    package var ending: Ending
    package var start: Timestamp
    package var finish: Timestamp
    package var out: OutputSummary
    package var err: OutputSummary
    /// CPU time in user and in kernel mode, in microseconds, its waited-for children included.
    package var userMicroseconds: Int64
    package var systemMicroseconds: Int64
    /// The largest resident set of it or of one of its waited-for children, in KiB.
    package var peakResidentKiB: Int64

    package init(
        pid: Int32, returnCode: Int32, ending: Ending = .exited, start: Timestamp, finish: Timestamp,
        out: OutputSummary = OutputSummary(), err: OutputSummary = OutputSummary(),
        userMicroseconds: Int64 = 0, systemMicroseconds: Int64 = 0, peakResidentKiB: Int64 = 0
    ) {
        self.pid = pid
        self.returnCode = returnCode
        self.ending = ending
        self.start = start
        self.finish = finish
        self.out = out
        self.err = err
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.peakResidentKiB = peakResidentKiB
    }

    /// The return code of a task whose engine was lost, as disBatch writes it.
    package static let lostReturnCode: Int32 = -100
    /// The return code of a task that ran into `--task-timeout`, as timeout(1) has it.
    package static let timeoutReturnCode: Int32 = 124
    /// The return codes of a task that its user ended: by SIGTERM, whatever it made of it, or by SIGKILL.
    package static let terminatedReturnCode: Int32 = -15
    package static let killedReturnCode: Int32 = -9
    /// The return code of a task that ended with 0 and whose files can't be brought home (`--stage-out`).
    package static let stageOutReturnCode: Int32 = 125

    package var failed: Bool { returnCode != 0 }
}
