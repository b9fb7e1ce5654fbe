import DisbatchCore

/// Engines that are ready, and get no task yet.
struct HeldEngines {
    /// Whether engines are held back.
    enum Stage {
        case never
        case until(Instant)
        /// It was long enough: nobody is waited for twice.
        case over
    }

    var engines: [(link: EngineLink, slots: Int, roundTrip: Duration)] = []
    var stage = Stage.never
    /// When there is something to do for them.
    var due = Instant.distantFuture

    func contains(_ link: EngineLink) -> Bool { engines.contains { $0.link === link } }
}

/// What earlier runs left on other nodes ends before tasks begin.
extension Driver {
    /// Lets an engine join; but while one is coming that first has to end on its own node what an earlier run left, no
    /// engine does: what is left may be of the very task that it would be given. That is waited for no longer than
    /// ``RunConfiguration/leaseGrace`` in all.
    func join(_ link: EngineLink, slots: Int, roundTrip: Duration) {
        heldBack.engines.append((link, slots, roundTrip))
        let nodes = contexts.lazy.flatMap { $0.plan.engines.lazy.map(\.node) }
        guard lostGuards.haveEarlier(on: nodes) else { return letHeldEnginesJoin() }
        if case .never = heldBack.stage {
            let grace = configuration.leaseGrace
            heldBack.stage = .until(now() + grace)
            log.write(
                .info,
                "engines get tasks when what an earlier run left on other nodes is ended, "
                    + "or in \(grace.components.seconds) s")
        }
        serveHeldEngines()
    }

    /// Keeps engines alive that are held back, for which the scheduler does it from when they join; or lets them join.
    func serveHeldEngines() {
        guard case .until(let end) = heldBack.stage, now() < end else {
            heldBack.stage = .over
            return letHeldEnginesJoin()
        }
        for (link, _, _) in heldBack.engines {
            send(.lease(sentAt: now(), lease: scheduler.lease(of: link.id)), to: link.id)
        }
        AliveLock.touch(aliveDescriptor)
        heldBack.due = min(end, now() + configuration.lease / 5)
    }

    private func letHeldEnginesJoin() {
        heldBack.due = .distantFuture
        for (link, slots, roundTrip) in heldBack.engines
        where links[link.id.rawValue] === link && !link.channelEnded {
            // One that gets no task leaves nothing.
            if link.context.isLeased(link.plan) { lostGuards.keep(link.guardName, on: link.node) }
            tell(.engineJoined(link.id, slots: slots, roundTrip: roundTrip))
        }
        heldBack.engines.removeAll()
    }
}
