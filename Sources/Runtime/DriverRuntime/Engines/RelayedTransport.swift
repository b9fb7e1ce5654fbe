import DisbatchCore
import EngineHosting

/// The way to one engine by a relay.
final class RelayedTransport: EngineTransport {
    private let id: EngineID
    private unowned let relay: RelaySession
    private(set) var isOpen = true
    /// Bytes that were sent for the engine and have not gone into its channel.
    private var outstanding = 0

    /// The most bytes that are on their way to an engine.
    private static let window = 4 << 20

    init(_ id: EngineID, _ relay: RelaySession) {
        self.id = id
        self.relay = relay
    }

    func flush(_ writer: inout FrameWriter) {
        while isOpen, !writer.isEmpty, outstanding < Self.window {
            let bytes = writer.withUnsafeBytes { Array($0.prefix(1 << 20)) }
            relay.order(.say(id, bytes))
            outstanding += bytes.count
            writer.drop(bytes.count)
        }
    }

    func close(_ closing: ChannelClosing) {
        guard isOpen else { return }
        isOpen = false
        relay.order(.close(id))
    }

    /// Notes that bytes have gone into the engine's channel.
    func forwarded(_ count: Int) { outstanding -= min(count, outstanding) }

    /// Notes that the engine has ended there.
    func ended() { isOpen = false }
}
