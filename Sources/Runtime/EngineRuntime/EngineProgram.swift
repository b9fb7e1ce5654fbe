import CLinux
import DisbatchCore
import Glibc
import LinuxSystem
import Options

/// The things that the engine proper is started with.
struct EngineParts {
    let signals: SignalSource
    let table: GroupTable
    let guardPid: Int32
    /// Names the guard on this node for ever: its pid and the time it started.
    let guardName: String
    /// Hangs up when the guard dies.
    let guardPipe: Int32
    let usesProcessDescriptors: Bool
    let version: String
}

/// The whole of `disbatch-engine`: splits into guard and engine, which speaks the protocol on standard input and
/// output until it is told to leave.
package enum EngineProgram {
    /// The whole program: `disbatch` starts it without arguments.
    package static func main(version: String) -> Never {
        ProcessFiles.require(for: "disbatch-engine")
        NameServices.useBuiltIn()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments == [printEnvironmentArgument] { exit(printEnvironment()) }
        do {
            switch try EngineOptions.read(arguments) {
            case .show(let text):
                print(text, terminator: "")
                exit(0)
            case .run: exit(run(version: version))
            }
        } catch {
            StandardStream.error.write(error.report(program: "disbatch-engine"))
            exit(2)
        }
    }

    /// Splits into guard and engine, which speaks the protocol.
    ///
    /// - Parameters:
    ///   - version: of this build; the driver refuses another.
    ///   - usesProcessDescriptors: false to wait for processes by SIGCHLD, as on kernels before 5.3.
    /// - Returns: the exit status.
    package static func run(version: String, usesProcessDescriptors: Bool? = nil) -> Int32 {
        // Tasks start with default signals, none blocked.
        SignalSource.restoreDefaults()
        SignalSource.block([SIGINT, SIGHUP, SIGPIPE, SIGXFSZ, SIGQUIT, SIGTTOU, SIGTTIN, SIGTSTP])
        _ = setsid()
        keepDescriptorsFromTasks()
        // Each running task takes three.
        clinux_raise_file_limit()
        let descriptors = usesProcessDescriptors ?? waitsByDescriptor()
        do throws(SystemError) {
            // Blocked before the fork, so that none is lost between it and its waiting.
            let signals = try SignalSource([SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD])
            let pipe = try DescriptorPair.pipe()
            Guard.becomeReaper()
            let guardPid = getpid()
            let guardName = "\(guardPid).\(ProcessTree.entry(of: guardPid)?.startTicks ?? 0)"
            guard let table = GroupTable(guardName: guardName) else { throw SystemError("share memory") }
            let parts = EngineParts(
                signals: descriptors ? try SignalSource([SIGTERM, SIGUSR1, SIGUSR2]) : signals, table: table,
                guardPid: guardPid, guardName: guardName, guardPipe: pipe.first.raw,
                usesProcessDescriptors: descriptors, version: version)
            switch clinux_fork() {
            case -1: throw SystemError("fork")
            case 0:
                // This end's hanging up is how we learn of the guard's death: it stays open as long as we live.
                _ = pipe.takeFirst().release()
                return runInOwnThread(parts)
            case let engine:
                leaveStreams()
                return Guard(table: table, engine: engine).watch()
            }
        } catch {
            printError("\(error)")
            return 1
        }
    }

    /// Whether to wait for processes by descriptor: where the kernel can, unless `DISBATCH_ENGINE_WAIT` is `sigchld`.
    private static func waitsByDescriptor() -> Bool {
        let choice = getenv("DISBATCH_ENGINE_WAIT").map { String(cString: $0) }
        return choice != "sigchld" && ChildProcess.kernelHasProcessDescriptors
    }

    /// Runs the engine in a thread that began after the fork, which ends the process with its status.
    ///
    /// Swift's runtime has locks that go by the kernel's number of a thread, which it asks for once for each thread.
    /// The one that was forked has a copy of its parent's: where it and another waited for such a lock, both waited
    /// for ever. It runs no Swift any more.
    private static func runInOwnThread(_ parts: EngineParts) -> Int32 {
        do throws(WorkerThread.StartError) {
            let thread = try WorkerThread(name: "engine") { exit(runEngine(parts)) }
            thread.detach()
        } catch {
            printError("\(error)")
            return 1
        }
        while true { pause() }
    }

    private static func runEngine(_ parts: EngineParts) -> Int32 {
        do throws(SystemError) {
            // Tasks must not find the channel at 0 and 1, nor may a stray print reach it.
            let input = Descriptor(owning: fcntl(0, F_DUPFD_CLOEXEC, 10))
            let output = Descriptor(owning: fcntl(1, F_DUPFD_CLOEXEC, 10))
            guard input.raw >= 0, output.raw >= 0 else { throw SystemError("move standard input and output") }
            leaveStreams()
            try output.writeAll(EngineProtocol.magicLine)
            let loop = try EngineLoop(parts, channel: EngineChannel(input: input, output: output))
            return try loop.run()
        } catch {
            printError("\(error)")
            return 1
        }
    }

    /// Puts /dev/null in the place of standard input, and standard error in that of standard output.
    private static func leaveStreams() {
        let null = clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        if null >= 0 {
            dup2(null, 0)
            close(null)
        }
        dup2(2, 1)
    }

    /// Keeps from tasks whatever else we were started with (a lock that our life holds, for one).
    private static func keepDescriptorsFromTasks() {
        guard let directory = opendir("/proc/self/fd") else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let raw = withUnsafePointer(to: &item.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { atoi($0) }
            }
            if raw > 2 { _ = fcntl(raw, F_SETFD, FD_CLOEXEC) }
        }
    }

    private static func printError(_ text: String) { StandardStream.error.line("disbatch-engine: \(text)") }

    /// Prints the environment, each entry ended by a NUL: what ``ShellProbe`` asks for.
    package static func printEnvironment() -> Int32 {
        var block: [UInt8] = []
        for entry in OwnEnvironment.entries() { block += entry + [0] }
        let output = Descriptor(owning: 1)
        do {
            try output.writeAll(block)
            return 0
        } catch {
            return 1
        }
    }

    /// The argument that asks for ``printEnvironment()``.
    package static var printEnvironmentArgument: String { ShellProbe.argument }
}
