import DisbatchCore
import LinuxSystem
import SecureLink

/// Somebody who watches or controls a run, or would like to.
final class LinkPeer {
    let channel: SecureChannel
    /// When it is sent away if it has not said what it is.
    let helloDue: Instant
    var hasGreeted = false
    var writer = FrameWriter()
    var isWatchingWrites = false
    /// How often it wants to be told, and when next; nil where it does not.
    var interval: Duration?
    var nextSnapshot = Instant.distantFuture
    /// The engines as it was told of them, and how many failures there were then.
    var toldEngines: [EngineSnapshot] = []
    var toldFailures = 0
    private var frames = FrameBuffer()

    /// So much may wait for a peer that does not read.
    private static let outputLimit = 8 << 20

    init(_ channel: SecureChannel, helloDue: Instant) {
        self.channel = channel
        self.helloDue = helloDue
    }

    /// Whether it takes what it is sent.
    var hasRoom: Bool { writer.count < Self.outputLimit }

    func send(_ frame: ServerFrame) { frame.encode(into: &writer) }

    /// Reads what is there. False at the end, or where it is not one to speak to.
    func receive(_ buffer: inout [UInt8]) -> Bool {
        while true {
            switch buffer.withUnsafeMutableBytes({ channel.read(into: $0) }) {
            case .bytes(let count):
                buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                if frames.rest.count > LinkProtocol.maximumClientFrame { return false }
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
        }
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
