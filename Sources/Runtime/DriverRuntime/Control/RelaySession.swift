import DisbatchCore
import EngineHosting

/// The driver's end of the stream to one relay, whichever connection carries it.
final class RelaySession {
    let number: UInt64
    var stream = RelayStream()
    private var frames = FrameBuffer()
    /// The connection; nil while there is none.
    var peer: ControlPeer?
    /// The context that it brought; nil before it has said what that is.
    var context: ContextID?
    var hasUnsent = false
    private var commands: [Int: CommandPurpose] = [:]
    private var nextCommand = 0

    init(number: UInt64) { self.number = number }

    /// Whether something can be told to the relay now.
    var isConnected: Bool { peer != nil }

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
