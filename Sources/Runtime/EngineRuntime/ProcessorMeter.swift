import Glibc
import LinuxSystem

/// The CPU time that an engine's tasks have used. Nothing is counted task by task: the kernel adds what a process used
/// to its parent's count when it is waited for, so that of those that ended is in ours and in the guard's, to which
/// orphans come; a look at /proc, as often as it is asked for, adds those that live.
struct ProcessorMeter {
    /// Whether the driver is to be told.
    var isDue = false
    private var last: Int64 = 0

    /// Microseconds of CPU time since the engine began; never less than the last time. A process that ends while it is
    /// looked for may be missing, or counted twice, until the next time.
    ///
    /// - Parameter looksForRunning: whether there may be processes that have not ended.
    mutating func microseconds(guardPid: Int32, looksForRunning: Bool) -> Int64 {
        var ended = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &ended)
        var sum = Self.microseconds(ended.ru_utime) + Self.microseconds(ended.ru_stime)
        sum += ProcessTree.processorTime(of: guardPid, ofChildrenAlone: true)
        if looksForRunning {
            let own = getpid()
            for process in ProcessTree().descendants(of: [guardPid]) where process.pid != own {
                sum += ProcessTree.processorTime(of: process.pid)
            }
        }
        last = max(last, sum)
        return last
    }

    private static func microseconds(_ time: timeval) -> Int64 { Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_usec) }
}
