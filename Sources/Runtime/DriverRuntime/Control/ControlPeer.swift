import DisbatchCore
import Glibc
import LinuxSystem
import SecureChannels

/// One connection to a run's port: of a client that watches or controls the run, of a relay, or of a stranger.
final class ControlPeer {
    let channel: SecureChannel
    /// Its key among the run's peers.
    let number: Int
    /// When it is sent away if it has not said what it is.
    let helloDue: Instant
    var hasGreeted = false
    /// The version of disbatch that it said to be of.
    var version = ""
    /// When something last came.
    var heard: Instant
    /// Nil unless it is a relay.
    var relay: RelaySession?
    var writer = FrameWriter()
    var isWatchingWrites = false
    /// How often it wants to be told, and when next; nil where it does not.
    var interval: Duration?
    var nextSnapshot = Instant.distantFuture
    /// The engines as it was told of them, and how many failures there were then.
    var toldEngines: [EngineSnapshot] = []
    var toldFailures = 0
    /// The task whose output it follows, and whether it was told from where on.
    var followed: TaskID?
    var isFollowing = false
    private var frames = FrameBuffer()

    /// Bytes that may wait for a peer that does not read.
    private static let outputLimit = 8 << 20
    /// Bytes of a task's output that may be part of them; the rest is left out.
    private static let followedLimit = 1 << 20

    init(_ channel: SecureChannel, number: Int, helloDue: Instant) {
        self.channel = channel
        self.number = number
        self.helloDue = helloDue
        heard = helloDue
    }

    /// Whether it takes what it is sent.
    var hasRoom: Bool { writer.count < Self.outputLimit }

    /// Whether it takes more of a task's output.
    var hasRoomForOutput: Bool { writer.count < Self.followedLimit }

    /// Whether something waits to be sent for want of room.
    var wantsToWrite: Bool { !writer.isEmpty && channel.takesBytes || channel.wantsToWrite }

    func send(_ frame: ServerFrame) { frame.encode(into: &writer) }

    /// Reads some of what is there; the result tells whether there may be more.
    func receive(_ buffer: inout [UInt8]) -> TransferResult {
        // What came before has been taken: the rest is no whole frame.
        guard frames.rest.count <= LinkProtocol.maximumClientFrame else { return .failed(code: EMSGSIZE) }
        let result = buffer.withUnsafeMutableBytes { channel.read(into: $0) }
        if case .bytes(let count) = result {
            buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
        return result
    }

    func nextFrame() throws(WireError) -> ClientFrame? {
        try frames.next { (kind, reader) throws(WireError) in try ClientFrame.decode(kind: kind, &reader) }
    }

    /// Sends as much as is taken now. False where nothing more can be sent.
    func flush() -> Bool {
        while !writer.isEmpty {
            switch writer.withUnsafeBytes({ channel.write($0) }) {
            case .bytes(let count): writer.drop(count)
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
        }
        return true
    }
}
