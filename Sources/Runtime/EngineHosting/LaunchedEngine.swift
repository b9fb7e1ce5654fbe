package import DisbatchCore
import Glibc
package import LinuxSystem

/// An engine that this process launched: what was started, the channel to it, and what came before it spoke.
package final class LaunchedEngine {
    package let id: EngineID
    package let plan: EnginePlan
    package var carrier: EngineCarrier { plan.carrier }
    /// The program that is sent to a host without an engine; nil for engines of this machine.
    package let image: EngineImage?
    /// The process that carries the engine's channel; nil where a channel came without one.
    package private(set) var child: ChildProcess?
    /// The variable that the engine sets in the environment of all its processes: names its guard, the launched
    /// process.
    package private(set) var mark: [UInt8] = []
    /// Nil before there is one, and once it is closed.
    package private(set) var channel: (any ByteChannel)?
    /// The file that its standard error goes to.
    let errors: Int32
    private let errorsStart: off_t
    /// Whether the line has come that is the first of every engine: what a login shell printed before it is skipped.
    package private(set) var hasSpoken = false
    private var chatter: [UInt8] = []
    /// The engine's program, where the host asked for it.
    private var program = FrameWriter()
    /// Whether the host asked for it, which takes its time.
    package private(set) var wasSent = false
    /// Why it is no longer of use, where its host said so.
    package private(set) var complaint: String?
    /// Why there is no channel to it, and whether there never will be one.
    package var failure: String?
    package var isHopeless = false

    /// - Parameters:
    ///   - image: what is sent where the host has no engine; nil on this machine.
    ///   - errors: a file that its standard error goes to the end of.
    init(id: EngineID, plan: EnginePlan, image: EngineImage?, errors: consuming Descriptor) {
        self.id = id
        self.plan = plan
        self.image = image
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
        mark = TaskVariables.guardMark("\(child.pid).\(ticks)")
        channel = try SocketChannel(sockets.takeFirst())
    }

    /// Takes a channel that was made elsewhere.
    package func connect(_ channel: any ByteChannel) { self.channel = channel }

    /// The channel's descriptor, to be watched; -1 without a channel.
    package var descriptor: Int32 { channel?.descriptor ?? -1 }

    // MARK: Both ways

    /// Sends as much as is taken now.
    package func flush(_ writer: inout FrameWriter) {
        if !program.isEmpty { send(&program) }
        if program.isEmpty { send(&writer) }
    }

    private func send(_ writer: inout FrameWriter) {
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

    /// Whether something of its own waits to be sent, or may, unknown to ``descriptor``.
    package var needsFlush: Bool { !program.isEmpty || channel?.hidesBytes == true }

    /// Whether room to write is waited for.
    package var isWriteBlocked: Bool { channel?.wantsToWrite ?? false }

    /// Reads what is there; what the engine says goes to `body`. False at the end of the channel.
    package func receive(_ buffer: inout [UInt8], _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        while let channel {
            switch buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
            case .bytes(let count):
                buffer.withUnsafeBytes { take(UnsafeRawBufferPointer(rebasing: $0[..<count]), body) }
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
            if !channel.hidesBytes { return true }
        }
        return false
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard !hasSpoken else { return body(bytes) }
        chatter += bytes
        let magic = EngineProtocol.magicLine
        answerBootstrap()
        guard let start = chatter.firstRange(of: magic) else {
            // A shell's greeting is short; more is no engine, and its beginning is enough to show.
            if chatter.count > 1 << 16 { chatter.removeSubrange(1024..<chatter.count - 1024) }
            return
        }
        hasSpoken = true
        let rest = Array(chatter[start.upperBound...])
        chatter.removeSubrange(start.lowerBound...)
        rest.withUnsafeBytes { body($0) }
    }

    /// Sends the engine's program where the host asks for it, and keeps what it complains of.
    private func answerBootstrap() {
        guard let image else { return }
        if let request = chatter.firstRange(of: SSHBootstrap.request) {
            chatter.removeSubrange(request)
            do { program.append(try image.bytes()) } catch { complaint = "\(error)" }
            wasSent = true
        }
        if let start = chatter.firstRange(of: SSHBootstrap.complaint),
            let end = chatter[start.upperBound...].firstIndex(of: UInt8(ascii: "\n"))
        {
            complaint = String(decoding: chatter[start.upperBound..<end], as: UTF8.self)
        }
    }

    // MARK: Its end

    /// Closes it: the engine sees the end of its input.
    package func closeChannel() {
        channel?.close()
        channel = nil
    }

    /// Why it ended, as far as is known here; nil where all that is known is how.
    package var reasonForEnd: String? {
        if let reason = complaint ?? failure { return reason }
        return carrier == .none ? nil : lastErrorLine
    }

    /// The last line on its standard error, less what the driver logged there; or nil.
    private var lastErrorLine: String? {
        let end = lseek(errors, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: Int(max(0, min(end - errorsStart, 4096))))
        let count = bytes.withUnsafeMutableBytes { pread(errors, $0.baseAddress, $0.count, end - off_t($0.count)) }
        let lines = bytes.prefix(max(0, count)).split(whereSeparator: { $0 == 10 || $0 == 13 })
        return lines.last { !LogLineForm.matches($0) && !LaunchFailure.saysOnlyThatItEnded($0) }.map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Output from before the engine's first frame, for an error message; empty once the engine has spoken.
    package var printedBefore: String {
        guard !hasSpoken else { return "" }
        return String(decoding: chatter.prefix(200), as: UTF8.self).split(separator: "\n").joined(separator: " | ")
    }
}

/// The form of the driver's log lines, which stand among what engines print.
package enum LogLineForm {
    /// Whether a line is, or goes on with, one of these.
    package static func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
        if bytes.starts(with: Array("    ".utf8)) { return true }
        let form = Array("0000-00-00 00:00:00,000 ".utf8)
        return bytes.count > form.count
            && zip(bytes, form).allSatisfy { byte, sign in
                sign == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == sign
            }
    }
}
