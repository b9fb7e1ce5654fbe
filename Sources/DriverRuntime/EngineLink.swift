import DisbatchContexts
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
    /// Its place in the context's plan.
    let planIndex: Int
    let context: ContextID
    let node: String
    let launched: Instant
    /// When it is given up if it has not said what it is. While a way to it is looked for, whoever looks knows when to
    /// end.
    var answerDue = Instant.distantFuture
    /// When something last came from it.
    var heard: Instant
    /// When it was told what it is for.
    var configured = Instant(nanoseconds: 0)
    /// What is sent where a host has no engine; nil for engines of this machine.
    let image: EngineImage?
    let carrier: EngineCarrier
    /// What was started to have the engine; nil where a channel came without a process.
    private(set) var child: ChildProcess?
    /// What the engine puts into the environment of all that it starts: names its guard, the launched process.
    private(set) var mark: [UInt8] = []
    /// Nil before there is one, and once it is closed.
    private(set) var channel: (any ByteChannel)?
    /// The file that its standard error goes to.
    let errors: Int32
    private let errorsStart: off_t
    var stage = Stage.silent
    /// Where the engine's log lines go.
    let log: Int
    var writer = FrameWriter()
    var pid: Int32 = -1
    private var frames = FrameBuffer()
    private var chatter: [UInt8] = []
    var isWatchingWrites = false
    var hasUnsent = false
    /// Whether the launched process ended, and whether the channel did: both together prove that all is over.
    var childEnd: ProcessEnd?
    var channelEnded = false
    /// Whether it is to go because the run no longer needs it: its end is no failure then, however early.
    var isDismissed = false
    /// Whether somebody wants it to go, who may have signalled its tasks too.
    var wasSignalled = false
    var files = EngineFiles()
    /// Why it is no longer of use, where it said so.
    var complaint: String?
    /// Why there is no channel to it, and whether there never will be one.
    var failure: String?
    var isHopeless = false

    /// - Parameters:
    ///   - image: what is sent where the host has no engine; nil on this machine.
    ///   - errors: a file that its standard error goes to the end of.
    init(
        id: EngineID, planIndex: Int, context: ContextID, node: String, carrier: EngineCarrier, image: EngineImage?,
        errors: consuming Descriptor, log: Int
    ) {
        self.id = id
        self.planIndex = planIndex
        self.context = context
        self.node = node
        self.carrier = carrier
        self.image = image
        self.log = log
        launched = Instant(nanoseconds: SystemClock.bootNanoseconds())
        heard = launched
        errorsStart = lseek(errors.raw, 0, SEEK_END)
        self.errors = errors.release()
    }

    deinit {
        closeChannel()
        close(errors)
    }

    /// Starts a command whose standard input and output are the channel.
    func start(_ command: EngineCommand, usesProcessDescriptors: Bool) throws(SystemError) {
        let sockets = try DescriptorPair.sockets()
        let child = try ChildProcess.start(
            command.words, input: sockets.second.raw, output: sockets.second.raw, error: errors, extra: command.lock,
            wantsDescriptor: usesProcessDescriptors)
        self.child = child
        let ticks = ProcessTree.entry(of: child.pid)?.startTicks ?? 0
        mark = Array("DISBATCH_GUARD=\(child.pid).\(ticks)".utf8)
        channel = try SocketChannel(sockets.takeFirst())
    }

    /// Takes a channel that was made elsewhere.
    func connect(_ channel: any ByteChannel) { self.channel = channel }

    /// What to watch; -1 where there is nothing.
    var descriptor: Int32 { channel?.descriptor ?? -1 }

    func send(_ frame: DriverFrame) { frame.encode(into: &writer) }

    /// Sends as much as is taken now.
    func flush() {
        guard let channel else { return }
        while !writer.isEmpty {
            switch writer.withUnsafeBytes({ channel.write($0) }) {
            case .bytes(let count): writer.drop(count)
            case .wouldBlock: return
            // The end shows when reading, after what the engine still had to say.
            case .ended, .failed: writer = FrameWriter()
            }
        }
    }

    /// Whether room to write is waited for.
    var isWriteBlocked: Bool { channel?.wantsToWrite ?? false }

    /// Reads what is there. False at the end of the channel.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        while let channel {
            switch buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
            case .bytes(let count): buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
            if !channel.hidesBytes { return true }
        }
        return false
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard stage == .silent else { return frames.append(bytes) }
        chatter += bytes
        let magic = EngineProtocol.magicLine
        answerBootstrap()
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

    /// Sends the engine's program where the host asks for it, and keeps what it complains of.
    private func answerBootstrap() {
        guard let image else { return }
        if let request = chatter.firstRange(of: SSHBootstrap.request) {
            chatter.removeSubrange(request)
            do { writer.append(try image.bytes()) } catch { complaint = "\(error)" }
            answerDue = answerDue + .seconds(600)
        }
        if let start = chatter.firstRange(of: SSHBootstrap.complaint),
            let end = chatter[start.upperBound...].firstIndex(of: UInt8(ascii: "\n"))
        {
            complaint = String(decoding: chatter[start.upperBound..<end], as: UTF8.self)
        }
    }

    func nextFrame() throws(WireError) -> EngineFrame? {
        try frames.next { (kind, reader) throws(WireError) in try EngineFrame.decode(kind: kind, &reader) }
    }

    /// The last line on its standard error, less what the driver logged there; or nil.
    var lastErrorLine: String? {
        let end = lseek(errors, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: Int(max(0, min(end - errorsStart, 4096))))
        let count = bytes.withUnsafeMutableBytes { pread(errors, $0.baseAddress, $0.count, end - off_t($0.count)) }
        let lines = bytes.prefix(max(0, count)).split(whereSeparator: { $0 == 10 || $0 == 13 })
        // The engine's own log lines are in the same file.
        return lines.last { !RunLog.isLine($0) && !LauncherFailure.saysOnlyThatItEnded($0) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Whether the end of its process proves that nothing of the engine is left. Of an engine on another machine, it is
    /// the end of who carries its channel.
    func isProvedGone(by end: ProcessEnd) -> Bool {
        guard isRemote, stage == .working, !isDismissed else { return true }
        return carrier.proves(end)
    }

    /// Whether it runs on another machine: then the end of its channel is no proof of its own.
    var isRemote: Bool { carrier != .none }

    /// Whether it has yet to say what it is.
    var isUnknown: Bool { stage == .silent || stage == .greeting }

    /// What was printed before the engine spoke, for an error; empty where nothing was.
    var printedBefore: String {
        String(decoding: chatter.prefix(200), as: UTF8.self).split(separator: "\n").joined(separator: " | ")
    }

    func closeChannel() {
        channel?.close()
        channel = nil
    }
}
