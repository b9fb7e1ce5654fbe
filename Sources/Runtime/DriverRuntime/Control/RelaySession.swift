import DisbatchCore
import EngineHosting

/// The driver's end of the stream to one relay, whichever connection carries it.
final class RelaySession {
    let number: UInt64
    var stream = RelayStream()
    private var frames = FrameBuffer()
    /// Nil while there is no connection.
    var peer: LinkPeer?
    var peerNumber = -1
    /// When it is no longer waited for; nil while there is a connection.
    var givenUp: Instant?
    /// Nil before it has said what its context is.
    weak var context: RunContext?
    var hasUnsent = false
    private var commands: [Int: CommandPurpose] = [:]
    private var nextCommand = 0

    init(number: UInt64) { self.number = number }

    func order(_ order: RelayOrder) { order.encode(into: &stream.output) }

    /// Has a command run there.
    func run(_ words: [String], for purpose: CommandPurpose) {
        commands[nextCommand] = purpose
        order(.run(number: nextCommand, words: words))
        nextCommand += 1
    }

    func takePurpose(ofCommand number: Int) -> CommandPurpose? { commands.removeValue(forKey: number) }

    func take(_ bytes: [UInt8]) {
        stream.took(bytes.count)
        bytes.withUnsafeBytes { frames.append($0) }
    }

    func nextFrame() throws(WireError) -> RelayFrame? {
        try frames.next { (kind, reader) throws(WireError) in try RelayFrame.decode(kind: kind, &reader) }
    }
}

/// The way to one engine by a relay.
final class RelayedWay {
    private let relay: RelaySession
    /// What was sent for the engine and has not gone into its channel.
    private var outstanding = 0
    /// How it ended, once the relay has said so.
    var end: EngineEnd?

    /// The most that is on its way to an engine.
    private static let window = 4 << 20

    init(_ relay: RelaySession) { self.relay = relay }

    /// Whether nothing can be said to the relay now.
    var isCutOff: Bool { relay.peer == nil }

    /// Sends as much as may be on its way.
    func flush(_ writer: inout FrameWriter, to id: EngineID) {
        while !writer.isEmpty, outstanding < Self.window {
            let bytes = writer.withUnsafeBytes { Array($0.prefix(1 << 20)) }
            relay.order(.say(id, bytes))
            outstanding += bytes.count
            writer.drop(bytes.count)
        }
    }

    /// Takes in that so much has gone into the engine's channel.
    func passedOn(_ count: Int) { outstanding -= min(count, outstanding) }
}
