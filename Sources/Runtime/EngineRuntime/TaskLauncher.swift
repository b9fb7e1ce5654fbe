import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The environment that bash would give to a program it runs, so that a direct start gives the same.
struct DirectEnvironment: Sendable {
    let strings: CStrings
}

/// Makes a process of an assignment: by bash, or directly where nothing can differ.
///
/// Used by the starter's thread alone, once it runs.
// Unchecked: the scratch memory below is touched by the starter's thread only.
final class TaskLauncher: @unchecked Sendable {
    /// The longest line that the kernel takes as one argument, less its end (MAX_ARG_STRLEN, 32 pages).
    static let longestArgument = 32 * 4096 - 1
    static let shell = "/bin/bash"

    private let environment: CStrings
    private let constants: CStrings
    /// Each cylinder's share of `-E` variables; nothing for per-engine commands, whose environment has them whole.
    private let shares: [CStrings]
    private let whole: CStrings
    private let simple: SimpleCommand
    private let processors: [CPUSet?]
    private let slots: Int
    private let table: GroupTable
    private let usesProcessDescriptors: Bool
    private let nullInput: Int32
    /// Where tasks get directories of their own; nil where they don't.
    private let directories: TaskDirectories?
    /// Where what tasks write is kept; nil without `--capture`.
    let captures: CapturePlace?
    private var staleCaptures = StaleCaptures()
    /// Pipes for the next tasks.
    private var sparePipes: [(first: Int32, second: Int32)] = []
    private var variables: [UInt8] = []
    private var offsets: [Int] = []
    private var pointers: [UnsafeMutablePointer<CChar>?] = []
    private let shellPath = CStrings([Array(TaskLauncher.shell.utf8)])
    private let shellStart = CStrings([Array(TaskLauncher.shell.utf8), Array("-c".utf8)])
    private let longLineShell = CStrings([
        Array(TaskLauncher.shell.utf8), Array("-c".utf8), Array("eval \"$(</dev/fd/3)\" 3<&-".utf8),
    ])

    init(
        _ setup: EngineSetup, _ captures: CapturePlace?, table: GroupTable, usesProcessDescriptors: Bool
    ) throws(SystemError) {
        self.captures = captures
        environment = CStrings(setup.environment)
        constants = CStrings(setup.constants)
        shares = setup.shares.map(CStrings.init)
        whole = CStrings(setup.wholeShares)
        // In a directory of its own, a task's PWD is not the one that the shell was asked for.
        let hasOwnDirectory = setup.configuration.staging.taskRoot != nil
        simple = SimpleCommand(
            environment: setup.environment, isOff: setup.configuration.tasks.alwaysUsesShell || hasOwnDirectory)
        directories = setup.configuration.staging.taskRoot.map {
            TaskDirectories(root: $0, workingDirectory: setup.configuration.workingDirectory)
        }
        processors = setup.processors
        slots = setup.slots
        self.table = table
        self.usesProcessDescriptors = usesProcessDescriptors
        nullInput = try Descriptor.open("/dev/null", O_RDONLY).release()
    }

    /// Whether any task or per-engine command runs.
    var hasRunning: Bool { !table.groups(upTo: slots + 1).isEmpty }

    /// Whether a line would be started directly, given the chance.
    func isSimple(_ command: [UInt8]) -> Bool { simple.words(of: command) != nil }

    /// To be called by the thread that launches, first.
    func prepareThread() { clinux_prefer_short_turns() }

    /// Starts the process of an assignment, with two new pipes.
    func launch(_ request: StartRequest, _ direct: DirectEnvironment?) -> StartResult {
        var result = StartResult(
            cylinder: request.cylinder, child: .failure(SystemError("make a pipe", code: EMFILE)),
            start: Timestamp(microseconds: SystemClock.wallMicroseconds()))
        if request.assignment.kind == .task {
            captures?.remove(
                &staleCaptures, of: request.assignment.spec.id, from: request.assignment.attempt)
        }
        do throws(SystemError) {
            let directory = request.assignment.kind == .task ? try directories?.make(request.assignment.spec.id) : nil
            result.directory = directory
            let out = try takePipe()
            let err = try takePipe()
            let streams = Streams(
                output: out.second.raw, error: err.second.raw, cylinder: request.cylinder, directory: directory)
            let child = try launch(request, direct, streams)
            table[request.cylinder] = child.pid
            result.child = .success(child)
            result.output = out.takeFirst().release()
            result.error = err.takeFirst().release()
        } catch {
            result.child = .failure(error)
        }
        return result
    }

    /// A pipe that was made while there was time for it, or a new one.
    private func takePipe() throws(SystemError) -> DescriptorPair {
        if let ends = sparePipes.popLast() { return DescriptorPair(owning: ends.first, ends.second) }
        return try DescriptorPair.pipe()
    }

    /// Makes the next task's pipes while nobody waits for them.
    func preparePipes() {
        while sparePipes.count < 2, let pipe = try? DescriptorPair.pipe() { sparePipes.append(pipe.release()) }
    }

    private func launch(
        _ request: StartRequest, _ direct: DirectEnvironment?, _ streams: Streams
    ) throws(SystemError) -> ChildProcess {
        let rank = request.cylinder < slots ? request.cylinder : -1
        variables.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        TaskVariables.append(request.assignment.spec, cylinder: rank, to: &variables, offsets: &offsets)
        if let directory = streams.directory, let directories {
            directories.appendVariable(of: directory, to: &variables, offsets: &offsets)
        }
        let command = request.assignment.spec.command
        if let direct, let words = simple.words(of: command),
            let child = launchDirectly(command, words, direct, streams)
        {
            return child
        }
        return try launchShell(command, streams)
    }

    private struct Streams {
        var output: Int32
        var error: Int32
        var cylinder: Int
        var directory: PathBytes?
    }

    // MARK: Direct

    /// Starts a simple line's program; nil where bash has to say what is wrong with it.
    private func launchDirectly(
        _ command: [UInt8], _ words: [Range<Int>], _ direct: DirectEnvironment, _ streams: Streams
    ) -> ChildProcess? {
        guard let path = program(command[words[0]]) else { return nil }
        // One block holds `_=PATH`, whose tail is the path, and the arguments.
        var block: [UInt8] = [UInt8(ascii: "_"), UInt8(ascii: "=")] + path + [0]
        var places: [Int] = []
        for word in words {
            places.append(block.count)
            block += command[word]
            block.append(0)
        }
        return block.withUnsafeMutableBytes { bytes in
            let base = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
            var arguments: [UnsafeMutablePointer<CChar>?] = places.map { base + $0 }
            arguments.append(nil)
            return withEnvironment(direct.strings, also: base, cylinder: streams.cylinder) { environment in
                try? start(UnsafePointer(base + 2), &arguments, environment, streams)
            }
        }
    }

    /// The file that bash would execute for a name, or nil where there is none.
    private func program(_ name: ArraySlice<UInt8>) -> [UInt8]? {
        for candidate in simple.candidates(for: name) {
            var status = stat()
            let path = candidate + [0]
            let isProgram = path.withUnsafeBytes { bytes in
                let path = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
                return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
            }
            if isProgram { return candidate }
        }
        return nil
    }

    // MARK: Shell

    private func launchShell(_ command: [UInt8], _ streams: Streams) throws(SystemError) -> ChildProcess {
        if command.count > Self.longestArgument { return try launchLongLine(command, streams) }
        let line = CStrings([command])
        var arguments = [shellStart[0], shellStart[1], line[0], nil]
        do {
            return try withEnvironment(environment, also: nil, cylinder: streams.cylinder) { environment in
                Result { () throws(SystemError) in
                    try self.start(UnsafePointer(self.shellPath[0]!), &arguments, environment, streams)
                }
            }.get()
        } catch  where error.code == E2BIG {
            return try launchLongLine(command, streams)
        }
    }

    /// Lets bash read a line from a file in memory, which the line itself does not see.
    private func launchLongLine(_ command: [UInt8], _ streams: Streams) throws(SystemError) -> ChildProcess {
        let raw = clinux_memfd("task")
        guard raw >= 0 else { throw SystemError("make a file in memory") }
        let file = Descriptor(owning: raw)
        try file.writeAll(command)
        lseek(file.raw, 0, SEEK_SET)
        var arguments = [longLineShell[0], longLineShell[1], longLineShell[2], nil]
        return try withEnvironment(environment, also: nil, cylinder: streams.cylinder) { environment in
            Result { () throws(SystemError) in
                try self.start(
                    UnsafePointer(self.shellPath[0]!), &arguments, environment, streams, extra: file.raw)
            }
        }.get()
    }

    // MARK: Both

    /// Gives `body` the whole environment of the process whose variables were made last.
    private func withEnvironment<Result>(
        _ base: CStrings, also: UnsafeMutablePointer<CChar>?, cylinder: Int,
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        pointers.removeAll(keepingCapacity: true)
        append(base)
        append(constants)
        if !shares.isEmpty || whole.count > 0 { append(cylinder < slots ? shares[cylinder] : whole) }
        if let also { pointers.append(also) }
        return variables.withUnsafeMutableBytes { bytes in
            let start = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
            for offset in offsets { pointers.append(start + offset) }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
        }
    }

    private func append(_ strings: CStrings) {
        for index in 0..<strings.count { pointers.append(strings[index]) }
    }

    private func start(
        _ path: UnsafePointer<CChar>, _ arguments: inout [UnsafeMutablePointer<CChar>?],
        _ environment: UnsafePointer<UnsafeMutablePointer<CChar>?>, _ streams: Streams, extra: Int32 = -1
    ) throws(SystemError) -> ChildProcess {
        var failure: SystemError?
        let directory = streams.directory.map { CStrings([$0]) }
        let child: ChildProcess? = arguments.withUnsafeBufferPointer { arguments in
            var request = SpawnRequest(
                path: path, arguments: arguments.baseAddress!, environment: environment, input: nullInput,
                output: streams.output, error: streams.error)
            request.extra = extra
            request.processors = processors[streams.cylinder]
            // Should the engine die, its tasks do not outlive it by the moment that the guard needs.
            request.deathSignal = SIGKILL
            if let path = directory?[0] { request.directory = UnsafePointer(path) }
            do throws(SystemError) {
                return try ChildProcess.start(request, wantsDescriptor: usesProcessDescriptors)
            } catch {
                failure = error
                return nil
            }
        }
        if let child { return child }
        throw failure ?? SystemError("start a process", code: EINVAL)
    }
}
