import DisbatchCore
import EngineHosting
import LinuxSystem

/// What a relay keeps of one engine that it launched.
final class RelayedEngine {
    let launched: LaunchedEngine
    /// What the driver has for it.
    var writer = FrameWriter()
    /// How much has gone into its channel, and how much of that the driver was told.
    var passedOn = 0
    var toldPassedOn = 0
    /// When it is ended if it has not spoken.
    var speechDue: Instant
    var hasSpoken = false
    /// Whether the driver has closed its channel.
    var wasGivenUp = false
    var isWatchingWrites = false
    var childEnd: ProcessEnd?
    var channelEnded = false

    /// The driver is told when so much has gone on.
    private static let tellingInterval = 1 << 18

    init(_ launched: LaunchedEngine, speechDue: Instant) {
        self.launched = launched
        self.speechDue = speechDue
    }

    var id: EngineID { launched.id }

    /// Sends as much as is taken now.
    func flush() {
        let before = writer.count
        launched.flush(&writer)
        passedOn += before - writer.count
    }

    /// How much has gone into its channel that the driver is to be told of now.
    func takePassedOn() -> Int? {
        let count = passedOn - toldPassedOn
        guard count >= Self.tellingInterval else { return nil }
        toldPassedOn = passedOn
        return count
    }
}
