import DisbatchContexts
import DisbatchCore

/// Engines that are ready, and get no task yet.
struct HeldEngines {
    var engines: [(link: EngineLink, slots: Int, roundTrip: Duration)] = []
    /// Until when they are held back; nil where none ever was.
    var end: Instant?
    /// When there is something to do for them.
    var due = Instant.distantFuture
}

/// What earlier runs left on other nodes ends before tasks begin.
extension Driver {
    private static let holdLimit = Duration.seconds(10)

    /// Lets an engine join; but while one is coming that first has to end on its own node what an earlier run left, no
    /// engine does: what is left may be of the very task that it would be given. That is waited for once, and no longer
    /// than ``holdLimit``.
    func join(_ link: EngineLink, slots: Int, roundTrip: Duration) {
        heldBack.engines.append((link, slots, roundTrip))
        let nodes = contexts.lazy.flatMap { $0.plan.engines.lazy.map(\.node) }
        guard lostGuards.haveEarlier(on: nodes), heldBack.end.map({ now() < $0 }) != false else {
            return letHeldEnginesJoin()
        }
        guard heldBack.end == nil else { return }
        heldBack.end = now() + Self.holdLimit
        log.write(.info, "engines get tasks when what an earlier run left on other nodes is ended, or in 10 s")
        serveHeldEngines()
    }

    /// Keeps engines alive that are held back, for which the scheduler does it from when they join; or lets them join.
    func serveHeldEngines() {
        guard let end = heldBack.end, now() < end, !heldBack.engines.isEmpty else { return letHeldEnginesJoin() }
        for (link, _, _) in heldBack.engines {
            send(.lease(sentAt: now(), lease: scheduler.lease(of: link.id)), to: link.id)
        }
        AliveLock.touch(aliveDescriptor)
        heldBack.due = min(end, now() + configuration.lease / 5)
    }

    private func letHeldEnginesJoin() {
        heldBack.due = .distantFuture
        for (link, slots, roundTrip) in heldBack.engines where links[link.id.rawValue] === link {
            // One that gets no task leaves nothing.
            if link.context.isLeased(link.plan) { lostGuards.keep(link.guardName, on: link.node) }
            tell(.engineJoined(link.id, slots: slots, roundTrip: roundTrip))
        }
        heldBack.engines.removeAll()
    }
}
