import CLinux
import DisbatchCore
import Glibc
import LinuxSystem

/// The driver's end of the way to one engine: a command that was started, and frames over its standard streams.
final class EngineLink {
    /// How far the engine has come.
    enum Stage: Equatable {
        /// What a login shell may print is skipped up to the magic line. Next: ``greeting``.
        case silent
        /// It is to say what it is. Next: ``configuring``.
        case greeting
        /// It was told what it is for. Next: ``working``.
        case configuring
        case working
    }

    let id: EngineID
    let context: ContextID
    let node: String
    let launched: Instant
    let child: ChildProcess
    /// What the engine puts into the environment of all that it starts: names its guard, the launched process.
    let mark: [UInt8]
    private(set) var descriptor: Int32
    var stage = Stage.silent
    /// Where the engine's log lines go.
    let log: Int
    var writer = FrameWriter()
    var pid: Int32 = -1
    private var frames = FrameBuffer()
    private var chatter: [UInt8] = []
    private(set) var isWriteBlocked = false
    var isWatchingWrites = false
    var hasUnsent = false
    /// Whether the launched process ended, and whether the channel did: both together prove that all is over.
    var childEnd: ProcessEnd?
    var channelEnded = false
    /// Whether it is to go because the run no longer needs it: its end is no failure then, however early.
    var isDismissed = false
    /// Why it is no longer of use, where it said so.
    var complaint: String?

    /// Starts an engine on this machine.
    ///
    /// - Parameters:
    ///   - alive: the lock that it shares, as its descriptor 3.
    ///   - errors: where its standard error goes.
    init(
        id: EngineID, context: ContextID, node: String, program: String, alive: Int32, errors: Int32, log: Int,
        usesProcessDescriptors: Bool
    ) throws(SystemError) {
        self.id = id
        self.context = context
        self.node = node
        self.log = log
        launched = Instant(nanoseconds: SystemClock.bootNanoseconds())
        let sockets = try DescriptorPair.sockets()
        child = try Self.start(
            program, channel: sockets.second.raw, alive: alive, errors: errors,
            usesProcessDescriptors: usesProcessDescriptors)
        let ticks = ProcessTree.entry(of: child.pid)?.startTicks ?? 0
        mark = Array("DISBATCH_GUARD=\(child.pid).\(ticks)".utf8)
        let own = sockets.takeFirst()
        try own.setNonBlocking()
        descriptor = own.release()
    }

    deinit { closeChannel() }

    private static func start(
        _ program: String, channel: Int32, alive: Int32, errors: Int32, usesProcessDescriptors: Bool
    ) throws(SystemError) -> ChildProcess {
        var failure: SystemError?
        let child: ChildProcess? = Array(program.utf8).withCString { path in
            var arguments: [UnsafeMutablePointer<CChar>?] = [UnsafeMutablePointer(mutating: path), nil]
            return arguments.withUnsafeMutableBufferPointer { arguments in
                var request = SpawnRequest(
                    path: path, arguments: UnsafePointer(arguments.baseAddress!),
                    environment: UnsafePointer(environ), input: channel, output: channel, error: errors)
                request.extra = alive
                do throws(SystemError) {
                    return try ChildProcess.start(request, wantsDescriptor: usesProcessDescriptors)
                } catch {
                    failure = error
                    return nil
                }
            }
        }
        if let child { return child }
        throw failure ?? SystemError("start \(program)", code: EINVAL)
    }

    func send(_ frame: DriverFrame) { frame.encode(into: &writer) }

    /// Sends as much as is taken now.
    func flush() {
        while !writer.isEmpty, descriptor >= 0 {
            let count = writer.bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                writer.drop(count)
            } else if errno == EAGAIN {
                isWriteBlocked = true
                return
            } else if errno != EINTR {
                // The end shows when reading, after what the engine still had to say.
                writer = FrameWriter()
            }
        }
        isWriteBlocked = false
    }

    /// Reads what is there. False at the end of the channel.
    func receive(_ buffer: inout [UInt8]) throws(WireError) -> Bool {
        guard descriptor >= 0 else { return false }
        let raw = descriptor
        switch buffer.withUnsafeMutableBytes({ read(raw, into: $0) }) {
        case .bytes(let count):
            buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            return true
        case .wouldBlock: return true
        case .ended, .failed: return false
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard stage == .silent else { return frames.append(bytes) }
        chatter += bytes
        let magic = EngineProtocol.magicLine
        guard let start = chatter.firstRange(of: magic) else {
            // A shell's greeting is short; more is no engine, and its beginning is enough to show.
            if chatter.count > 1 << 16 { chatter.removeSubrange(1024..<chatter.count - 1024) }
            return
        }
        stage = .greeting
        let rest = Array(chatter[start.upperBound...])
        chatter.removeSubrange(start.lowerBound...)
        rest.withUnsafeBytes { frames.append($0) }
    }

    func nextFrame() throws(WireError) -> EngineFrame? {
        try frames.next { (kind, reader) throws(WireError) in try EngineFrame.decode(kind: kind, &reader) }
    }

    /// Whether it has yet to say what it is.
    var isUnknown: Bool { stage == .silent || stage == .greeting }

    /// What was printed before the engine spoke, for an error; empty where nothing was.
    var printedBefore: String {
        String(decoding: chatter.prefix(200), as: UTF8.self).split(separator: "\n").joined(separator: " | ")
    }

    func closeChannel() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }
}
