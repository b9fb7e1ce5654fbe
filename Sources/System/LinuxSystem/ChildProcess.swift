import CLinux
import Glibc

/// How to start a process. Strings are C strings that the caller keeps alive during the call.
package struct SpawnRequest {
    package var path: UnsafePointer<CChar>
    /// Arguments and environment, each ending with nil.
    package var arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>
    package var environment: UnsafePointer<UnsafeMutablePointer<CChar>?>
    /// Descriptors that become its 0, 1 and 2.
    package var input: Int32
    package var output: Int32
    package var error: Int32
    /// A further descriptor that it gets, under a number of its own; -1 for none.
    package var extra: Int32 = -1
    package var extraTarget: Int32 = 3
    package var processors: CPUSet?
    /// The signal it gets when the thread that starts it ends; 0 for none.
    package var deathSignal: Int32 = 0
    /// The directory it starts in; nil for ours.
    package var directory: UnsafePointer<CChar>?

    package init(
        path: UnsafePointer<CChar>, arguments: UnsafePointer<UnsafeMutablePointer<CChar>?>,
        environment: UnsafePointer<UnsafeMutablePointer<CChar>?>, input: Int32, output: Int32, error: Int32
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.input = input
        self.output = output
        self.error = error
    }
}

/// The resources that a process used.
package struct ProcessUsage: Equatable, Sendable {
    package var userMicroseconds: Int64 = 0
    package var systemMicroseconds: Int64 = 0
    package var peakResidentKiB: Int64 = 0

    package init() {}
}

/// How a process ended.
package enum ProcessEnd: Equatable, Sendable {
    case exited(status: Int32)
    case signalled(Int32)
}

/// A process that was started here and is not yet reaped.
package struct ChildProcess: Sendable {
    package let pid: Int32
    /// A descriptor that is readable once it ended; -1 where the kernel has none. Closed by ``close()``.
    package let pidfd: Int32

    /// Starts a process in a session of its own, with default signals and none of our descriptors.
    ///
    /// - Parameter wantsDescriptor: whether a pidfd is of use.
    package static func start(
        _ request: SpawnRequest, wantsDescriptor: Bool = true
    ) throws(SystemError) -> ChildProcess {
        var raw = clinux_spawn_request()
        raw.path = request.path
        raw.arguments = request.arguments
        raw.environment = request.environment
        raw.directory = request.directory
        raw.input = request.input
        raw.output = request.output
        raw.error = request.error
        raw.extra = request.extra
        raw.extra_target = request.extraTarget
        raw.death_signal = request.deathSignal
        var pidfd: Int32 = -1
        let pid = withProcessors(request.processors) { bytes in
            raw.processors = bytes.baseAddress
            raw.processors_size = bytes.count
            return clinux_spawn(&raw, wantsDescriptor ? 1 : 0, &pidfd)
        }
        guard pid > 0 else { throw SystemError("start \(String(cString: request.path))", code: -pid) }
        if wantsDescriptor, pidfd < 0 { pidfd = clinux_pidfd_open(pid) }
        return ChildProcess(pid: pid, pidfd: pidfd)
    }

    private static func withProcessors(
        _ set: CPUSet?, _ body: (UnsafeRawBufferPointer) -> Int32
    ) -> Int32 {
        guard let set else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return set.words.withUnsafeBytes(body)
    }

    /// Becomes another program; returns only where that fails.
    ///
    /// - Parameter words: a path, and arguments.
    package static func replace(with words: [String]) -> SystemError {
        var arguments = words.map { strdup($0) } + [nil]
        execv(words[0], &arguments)
        return SystemError("start \(words[0])")
    }

    /// Whether this kernel tells of a process's end by a descriptor (Linux 5.3).
    package static var kernelHasProcessDescriptors: Bool {
        let raw = clinux_pidfd_open(getpid())
        if raw >= 0 { Glibc.close(raw) }
        return raw >= 0
    }

    /// Reaps the process if it ended; nil while it runs.
    package func reap() -> (end: ProcessEnd, usage: ProcessUsage)? {
        reap(options: WNOHANG)
    }

    /// Waits for the process to end, and reaps it.
    package func waitForEnd() -> (end: ProcessEnd, usage: ProcessUsage) {
        // Without WNOHANG nil can only mean that it was reaped elsewhere, which nobody else may do.
        reap(options: 0) ?? (.exited(status: 0), ProcessUsage())
    }

    private func reap(options: Int32) -> (end: ProcessEnd, usage: ProcessUsage)? {
        var status: Int32 = 0
        var used = rusage()
        guard retrying({ wait4(pid, &status, options, &used) }) == pid else { return nil }
        var usage = ProcessUsage()
        usage.userMicroseconds = Int64(used.ru_utime.tv_sec) * 1_000_000 + Int64(used.ru_utime.tv_usec)
        usage.systemMicroseconds = Int64(used.ru_stime.tv_sec) * 1_000_000 + Int64(used.ru_stime.tv_usec)
        usage.peakResidentKiB = Int64(used.ru_maxrss)
        return (ProcessEnd(waitStatus: status), usage)
    }

    /// Closes the process's descriptor.
    package func close() {
        if pidfd >= 0 { Glibc.close(pidfd) }
    }
}

extension ProcessEnd {
    /// Whether what wait(2) tells is no end: the process was stopped.
    package static func isStop(waitStatus status: Int32) -> Bool { status & 0xff == 0x7f }

    /// Reads what wait(2) tells, as its macros do.
    package init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited(status: (status >> 8) & 0xff) : .signalled(signal)
    }
}
