import DisbatchCore
import EngineHosting

/// A relay's record of one engine that it launched.
final class RelayedEngine {
    let hosted: HostedEngine
    /// Bytes from the driver that are still to go into its channel.
    var writer = FrameWriter()
    /// Whether the driver has closed its channel.
    private(set) var wasGivenUp = false
    /// How many bytes have gone into its channel, and how many of them the driver was told of.
    private var forwarded = 0
    private var toldForwarded = 0

    /// The driver is told when this many more have gone on.
    private static let tellingInterval = 1 << 18

    init(_ hosted: HostedEngine) { self.hosted = hosted }

    /// Sends as much as is taken now.
    func flush() {
        let before = writer.count
        hosted.flush(&writer)
        forwarded += before - writer.count
    }

    /// How many bytes have gone into its channel that the driver is to be told of now.
    func takeForwarded() -> Int? {
        let count = forwarded - toldForwarded
        guard count >= Self.tellingInterval else { return nil }
        toldForwarded = forwarded
        return count
    }

    func giveUp() {
        wasGivenUp = true
        hosted.close(.endingCarrier)
    }
}
