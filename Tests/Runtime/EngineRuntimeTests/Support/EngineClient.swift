import DisbatchCore
import Foundation
import LinuxSystem
import Testing

/// How an engine waits for its processes: both ways are tested.
enum WaitWay: String, CaseIterable, Sendable {
    case descriptors, signals
}

/// What is wrong with an engine's answers.
struct ClientError: Error, CustomStringConvertible {
    var description: String
}

/// The driver's side of one real engine: starts `disbatch-engine`, and waits for its frames with a deadline.
final class EngineClient {
    let directory: TestDirectory
    /// The guard: what was started.
    let guardProcess: ChildProcess
    private(set) var hello: EngineHello?
    private(set) var frames: [EngineFrame] = []
    private var descriptor: Int32
    private var buffer = FrameBuffer()
    private var hasEnded = false
    private var guardEnd: ProcessEnd?
    private var nextID: UInt64 = 1

    /// How long anything may take, on a machine that is busy with other things.
    static let patience = Duration.seconds(60)

    /// Starts an engine and reads its greeting.
    ///
    /// - Parameter launcher: a command that executes the one behind it.
    init(
        _ way: WaitWay = .descriptors, environment: [String: String]? = nil, through launcher: [String] = [],
        directory: TestDirectory = TestDirectory()
    ) throws {
        self.directory = directory
        var own = environment ?? ProcessInfo.processInfo.environment
        own["DISBATCH_ENGINE_WAIT"] = way == .signals ? "sigchld" : nil
        let sockets = try DescriptorPair.sockets()
        guardProcess = try Self.start(launcher + [Self.program], own.map { "\($0)=\($1)" }, channel: sockets.second.raw)
        descriptor = sockets.takeFirst().release()
        try readMagicLine()
        guard case .hello(let hello) = try next(where: { _ in true }) else {
            throw ClientError(description: "the first frame is not hello: \(frames)")
        }
        self.hello = hello
    }

    deinit {
        closeChannel()
        guard guardEnd == nil else { return }
        // Without its guard an engine kills all that it has; but that is for the tests to show, not to rely on.
        if (try? waitForGuard()) == nil {
            kill(guardProcess.pid, SIGKILL)
            _ = guardProcess.waitForEnd()
        }
        guardProcess.close()
    }

    /// The program, beside the test bundle.
    static let program: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? own
        return [own, bundle].map { URL(filePath: $0).deletingLastPathComponent().path + "/disbatch-engine" }
            .first { FileManager.default.isExecutableFile(atPath: $0) } ?? ".build/debug/disbatch-engine"
    }()

    private static func start(
        _ words: [String], _ environment: [String], channel: Int32
    ) throws -> ChildProcess {
        var arguments = words.map { strdup($0) } + [nil]
        var strings = environment.map { strdup($0) } + [nil]
        defer { for string in arguments + strings { free(string) } }
        let errors = try Descriptor.open("/dev/null", O_WRONLY)
        return try arguments.withUnsafeMutableBufferPointer { arguments in
            try strings.withUnsafeMutableBufferPointer { strings in
                try ChildProcess.start(
                    SpawnRequest(
                        path: UnsafePointer(arguments[0]!), arguments: UnsafePointer(arguments.baseAddress!),
                        environment: UnsafePointer(strings.baseAddress!), input: channel, output: channel,
                        error: errors.raw))
            }
        }
    }

    // MARK: Speaking

    func send(_ frame: DriverFrame) throws {
        var writer = FrameWriter()
        frame.encode(into: &writer)
        try send(bytes: writer.take())
    }

    func send(bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw ClientError(description: "the engine reads no more") }
            rest = rest.dropFirst(count)
        }
    }

    /// Configures the engine, and waits until it is ready.
    func configure(slots: Int = 1, _ change: (inout EngineConfiguration) -> Void = { _ in }) throws {
        var configuration = EngineConfiguration(
            rank: EngineID(0), slots: slots, workingDirectory: Array(directory.path.utf8))
        configuration.environment = ["PATH=/usr/bin:/bin", "LANG=C"].map { Array($0.utf8) }
        change(&configuration)
        try send(.configure(configuration))
        _ = try next { if case .ready = $0 { true } else { false } }
    }

    /// Assigns a task, whose id and assignment id are the number returned.
    @discardableResult
    func assign(_ command: String, limit: Duration? = nil, kind: AssignmentKind = .task) throws -> UInt64 {
        try assign(Array(command.utf8), limit: limit, kind: kind)
    }

    @discardableResult
    func assign(_ command: [UInt8], limit: Duration? = nil, kind: AssignmentKind = .task) throws -> UInt64 {
        let id = nextID
        nextID += 1
        let spec = TaskSpec(id: TaskID(Int(id)), streamIndex: Int(id), command: command)
        try send(.run(Assignment(id: AssignmentID(id), kind: kind, spec: spec, attempt: 1, timeLimit: limit)))
        return id
    }

    /// Runs a task to its end.
    func run(_ command: String, limit: Duration? = nil) throws -> TaskOutcome {
        try outcome(of: assign(command, limit: limit))
    }

    // MARK: Hearing

    /// Waits for a task's end.
    func outcome(of id: UInt64) throws -> TaskOutcome {
        let frame = try next { if case .finished(AssignmentID(id), _, _) = $0 { true } else { false } }
        guard case .finished(_, _, let outcome) = frame else { throw ClientError(description: "impossible") }
        return outcome
    }

    /// Waits until a task has started; its process.
    @discardableResult
    func waitForStart(of id: UInt64) throws -> Int32 {
        let frame = try next { if case .started(AssignmentID(id), _, _, _) = $0 { true } else { false } }
        guard case .started(_, _, let pid, _) = frame else { throw ClientError(description: "impossible") }
        return pid
    }

    /// The first frame, of those that came and those that will, that is wanted.
    func next(where isWanted: (EngineFrame) -> Bool) throws -> EngineFrame {
        var seen = 0
        let deadline = MonotonicTime.now + Self.patience
        while true {
            while seen < frames.count {
                if isWanted(frames[seen]) { return frames[seen] }
                seen += 1
            }
            guard try receive(until: deadline) else {
                throw ClientError(description: "the channel ended; so far came \(frames.suffix(5))")
            }
        }
    }

    /// Waits for the end of the channel.
    func waitForEnd() throws {
        let deadline = MonotonicTime.now + Self.patience
        while try receive(until: deadline) {}
    }

    /// Reads more frames. False at the end of the channel.
    private func receive(until deadline: MonotonicTime) throws -> Bool {
        guard !hasEnded else { return false }
        guard let bytes = try read(until: deadline) else { return false }
        bytes.withUnsafeBytes { buffer.append($0) }
        while let frame = try buffer.next({ (kind, reader) throws(WireError) in
            try EngineFrame.decode(kind: kind, &reader)
        }) {
            frames.append(frame)
        }
        return true
    }

    private func read(until deadline: MonotonicTime) throws -> [UInt8]? {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let left = max(0, (deadline.nanoseconds - MonotonicTime.now.nanoseconds) / 1_000_000)
        guard poll(&wait, 1, Int32(left)) > 0 else {
            throw ClientError(description: "nothing for \(Self.patience); so far came \(frames.suffix(5))")
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = Foundation.read(descriptor, &chunk, chunk.count)
        guard count > 0 else {
            hasEnded = true
            return nil
        }
        return Array(chunk[..<count])
    }

    private func readMagicLine() throws {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            var byte: UInt8 = 0
            guard Foundation.read(descriptor, &byte, 1) == 1 else { throw ClientError(description: "no magic line") }
            line.append(byte)
        }
        guard line == EngineProtocol.magicLine else {
            throw ClientError(description: "not the magic line: \(String(decoding: line, as: UTF8.self))")
        }
    }

    // MARK: Ending

    /// Asks the engine to leave, and gives the guard's exit status.
    func shutDown() throws -> ProcessEnd {
        try send(.shutDown)
        return try waitForGuard()
    }

    /// Hears nothing any more: what the engine writes from now on fails, and it reads no end.
    func hearNothing() { shutdown(descriptor, Int32(SHUT_RD)) }

    func closeChannel() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        hasEnded = true
    }

    /// Waits for the guard's end: then nothing of the engine runs any more.
    @discardableResult
    func waitForGuard() throws -> ProcessEnd {
        if let guardEnd { return guardEnd }
        var wait = pollfd(fd: guardProcess.pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(Self.patience.components.seconds * 1000)) > 0 else {
            throw ClientError(description: "the guard does not end")
        }
        let end = guardProcess.waitForEnd().end
        guardEnd = end
        return end
    }
}

/// Whether a process is there and not yet dead.
func isAlive(_ pid: Int32) -> Bool {
    guard let entry = ProcessTree.entry(of: pid) else { return false }
    return !entry.isZombie
}
