import DisbatchContexts
import DisbatchCore

/// Engines that are ready, and get no task yet.
struct HeldEngines {
    var engines: [(link: EngineLink, slots: Int, roundTrip: Duration)] = []
    /// Until when they are held back.
    var deadline = Instant.distantFuture
    /// Whether that time has passed: nobody is waited for twice.
    var isOver = false
}

/// What earlier runs left on other nodes ends before tasks begin.
extension Driver {
    private static let holdLimit = Duration.seconds(10)

    /// Lets an engine join; but while one is coming that first has to end on its own node what an earlier run left, no
    /// engine does: what is left may be of the very task that it would be given. That is waited for no longer than
    /// ``holdLimit``.
    func join(_ link: EngineLink, slots: Int, roundTrip: Duration) {
        heldBack.engines.append((link, slots, roundTrip))
        let nodes = contexts.lazy.flatMap { $0.plan.engines.lazy.map(\.node) }
        guard !heldBack.isOver, lostGuards.haveEarlier(on: nodes) else { return letHeldEnginesJoin() }
        guard heldBack.deadline == .distantFuture else { return }
        heldBack.deadline = now() + Self.holdLimit
        log.write(.info, "engines get tasks when what an earlier run left on other nodes is ended, or in 10 s")
    }

    /// Lets engines join that were held back.
    func letHeldEnginesJoin() {
        if now() >= heldBack.deadline { heldBack.isOver = true }
        heldBack.deadline = .distantFuture
        for (link, slots, roundTrip) in heldBack.engines where links[link.id.rawValue] === link {
            tell(.engineJoined(link.id, slots: slots, roundTrip: roundTrip))
        }
        heldBack.engines.removeAll()
    }
}
