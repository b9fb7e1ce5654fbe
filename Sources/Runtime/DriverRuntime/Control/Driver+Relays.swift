import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import RunRecord

/// Contexts that relays bring.
extension Driver {
    /// How often relays are told that there is a driver, and hear of it if nothing else is to be said.
    private var pulse: Duration { min(.seconds(10), configuration.lease / 5) }
    /// A relay that says nothing for so long has lost its connection.
    private var silence: Duration { pulse * 3 }

    // MARK: Coming and going

    /// Takes a connection of a relay: of a new one, or of one that lost the connection it had.
    func relayCame(_ peer: LinkPeer, stream: UInt64, isNew: Bool, received: UInt64) throws(WireError) {
        guard let link, peer.relay == nil else { return }
        let relay: RelaySession
        if let known = link.relays[stream] {
            relay = known
        } else if let reason = reasonToRefuse(peer, isNew: isNew) {
            log.write(.warning, "a relay is sent away: \(reason)")
            return peer.send(.answer(isDone: false, text: reason))
        } else {
            relay = RelaySession(number: stream)
        }
        try relay.stream.resume(from: received)
        if relay.peer != nil { dropPeer(relay.peerNumber) }
        link.relays[stream] = relay
        peer.relay = relay
        peer.interval = nil
        peer.nextSnapshot = now() + pulse
        relay.peer = peer
        relay.peerNumber = peer.number
        relay.givenUp = nil
        if let context = relay.context { log.write(.info, "context \(context.plan.label): its relay is back") }
        peer.send(.relayWelcome(conditions, received: relay.stream.received))
        markUnsent(relay)
    }

    private func reasonToRefuse(_ peer: LinkPeer, isNew: Bool) -> String? {
        if peer.version != configuration.version {
            return "the run is of disbatch \(configuration.version), this is \(peer.version): "
                + "use that version's dbutil, which PREFIX_dbUtil.sh does"
        }
        if !isNew { return "the run has given this context up, or was started anew" }
        return scheduler.isRunning ? nil : "the run is ending, and takes no more contexts"
    }

    private var conditions: RelayConditions {
        var conditions = RelayConditions()
        conditions.coresPerTask = configuration.coresPerTask
        conditions.tasksPerNode = configuration.tasksPerNode
        conditions.sharedVariables = configuration.terms.sharedVariables
        conditions.contextCount = contexts.count
        conditions.lease = configuration.lease
        return conditions
    }

    /// Takes in that a relay's connection is lost.
    func isCutOff(_ relay: RelaySession) {
        relay.peer = nil
        guard let context = relay.context, !context.isOver else {
            link?.relays[relay.number] = nil
            return
        }
        relay.givenUp = now() + configuration.lease + configuration.leaseGrace
        log.write(.warning, "context \(context.plan.label): its relay is cut off; it may come back")
    }

    /// Tells a relay that there is a driver, unless it has not been heard for too long.
    func keepAlive(_ relay: RelaySession, _ peer: LinkPeer, _ number: Int) {
        guard now() < peer.heard + silence else { return dropPeer(number) }
        peer.nextSnapshot = now() + pulse
        if let count = relay.stream.acknowledgement(always: true) { peer.send(.relayAcknowledged(count)) }
        markUnsent(relay)
    }

    /// Ends the contexts of relays that did not come back: the leases of all of their engines are over.
    func giveUpLostRelays() {
        guard let link else { return }
        for (number, relay) in link.relays {
            guard let time = relay.givenUp, now() >= time else { continue }
            link.relays[number] = nil
            guard let context = relay.context else { continue }
            context.isOver = true
            console.warn("context \(context.plan.label): its relay did not come back; its tasks run elsewhere")
            log.write(.warning, "context \(context.plan.label): its relay did not come back")
            context.reasons.append("its relay did not come back")
            launches.reasons.append("context \(context.plan.label): its relay did not come back")
            for pending in launches.pending where pending.context === context { tell(.engineGone(pending.id)) }
            launches.pending.removeAll { $0.context === context }
            for case .some(let engine) in links where engine.context === context {
                links[engine.id.rawValue] = nil
                entries.append(.engineEnded(engine.id, time: wallNow(), reason: "its relay did not come back"))
                tell(.engineGone(engine.id))
            }
        }
    }

    // MARK: Both ways

    func markUnsent(_ relay: RelaySession) {
        guard !relay.hasUnsent else { return }
        relay.hasUnsent = true
        unsentRelays.append(relay)
    }

    func flushRelays() {
        // A flush that finds a relay gone may mark others.
        let relays = unsentRelays
        unsentRelays = []
        for relay in relays {
            relay.hasUnsent = false
            flush(relay)
        }
    }

    private func flush(_ relay: RelaySession) {
        guard let peer = relay.peer else { return }
        if let count = relay.stream.acknowledgement() { peer.send(.relayAcknowledged(count)) }
        repeat {
            while peer.writer.count < 1 << 18, let piece = relay.stream.nextPiece() { peer.send(.relayed(piece)) }
            flush(peer, relay.peerNumber)
        } while relay.peer === peer && peer.writer.isEmpty && relay.stream.unsentCount > 0
    }

    /// Takes the next bytes of a relay's stream.
    func take(_ bytes: [UInt8], from relay: RelaySession) throws(WireError) {
        relay.take(bytes)
        while let frame = try relay.nextFrame() { try take(frame, from: relay) }
        markUnsent(relay)
    }

    private func take(_ frame: RelayFrame, from relay: RelaySession) throws(WireError) {
        switch frame {
        case .offer(let offer): if relay.context == nil { take(offer, from: relay) }
        case .spoke(let id):
            guard let engine = engine(id, of: relay), engine.stage == .silent else { return }
            engine.stage = .greeting
            awaitGreeting(of: engine)
        case .said(let id, let bytes): if let engine = engine(id, of: relay) { said(bytes, by: engine) }
        case .passedOn(let id, let count):
            guard let engine = engine(id, of: relay) else { return }
            engine.relayed?.passedOn(count)
            markUnsent(engine)
        case .ended(let id, let end): if let engine = engine(id, of: relay) { ended(engine, end) }
        case .commandEnded(let number, let status, let text):
            guard let purpose = relay.takePurpose(ofCommand: number) else { return }
            take(CommandOutcome(end: status.map { .exited(status: $0) }, text: text), for: purpose)
        case .signal(let number): signalled(number, relay)
        case .log(let level, let text):
            log.write(level, "context \(relay.context?.plan.label ?? "?"): \(text)")
            if level >= .warning { console.warn("context \(relay.context?.plan.label ?? "?"): \(text)") }
        case .engineOffered(let plan):
            guard let context = relay.context, context.mayGrow, !context.isOver else { return }
            context.plan.engines.append(plan)
            schedule(context.plan.engines.count - 1, in: context, at: now())
            launchDue()
        case .engineLeaving(let id):
            guard engine(id, of: relay) != nil else { return }
            tell(.drainRequested(.engine(id)))
        case .complete: relay.context.map(endGrowth)
        case .gone(let id):
            if let engine = engine(id, of: relay) {
                ended(
                    engine,
                    EngineEnd(status: -SIGKILL, reason: "its machine is gone", printedBefore: "", isHopeless: true))
            }
            if relay.context?.silent.remove(id) != nil { tell(.engineGone(id)) }
        }
    }

    /// Lets an elastic context get no more engines.
    func endGrowth(of context: RunContext) {
        guard context.mayGrow else { return }
        context.mayGrow = false
        tell(.contextMayGrow(context.id, false))
        endContextIfOver(context)
    }

    /// An engine of a relay's context: no other may be spoken for.
    private func engine(_ id: EngineID, of relay: RelaySession) -> EngineLink? {
        guard links.indices.contains(id.rawValue), let link = links[id.rawValue], link.context === relay.context
        else { return nil }
        return link
    }

    private func said(_ bytes: [UInt8], by engine: EngineLink) {
        engine.heard = now()
        engine.take(bytes)
        do throws(WireError) { try takeFrames(from: engine) } catch {
            log.write(.error, "engine \(engine.id.rawValue) sent \(error)")
            engine.complaint = "it sent \(error)"
            channelEnded(engine)
        }
        markUnsent(engine)
    }

    private func ended(_ engine: EngineLink, _ end: EngineEnd) {
        engine.relayed?.end = end
        engine.channelEnded = true
        engine.childEnd = end.status < 0 ? .signalled(-end.status) : .exited(status: end.status)
        finishIfGone(engine)
    }

    private func signalled(_ number: Int32, _ relay: RelaySession) {
        guard let context = relay.context, !context.isOver else { return }
        let name = SignalName.of(number)
        let isSoft = number == SIGUSR1 || number == SIGUSR2 && context.plan.kind != "sge"
        let consequence = isSoft ? "it takes no more tasks" : "ending its tasks, for others to do"
        console.note("context \(context.plan.label) got \(name): \(consequence)")
        log.write(.warning, "context \(context.plan.label) got \(name): \(consequence)")
        guard !isSoft else { return tell(.drainRequested(.context(context.id))) }
        for case .some(let engine) in links where engine.context === context {
            engine.wasSignalled = true
            claimEnds(of: engine.id)
        }
        tell(.contextEnding(context.id))
        endGrowth(of: context)
    }

    // MARK: Contexts

    private func take(_ offer: ContextOffer, from relay: RelaySession) {
        var plan = offer.plan
        let labels = Set(contexts.map(\.plan.label))
        if let reason = reasonToRefuse(offer, labels) {
            log.write(.warning, "a context from \(offer.origin) is not taken: \(reason)")
            relay.order(.refused(reason: reason))
            return markUnsent(relay)
        }
        var number = 2
        while labels.contains(plan.label) {
            plan.label = "\(offer.plan.label).\(number)"
            number += 1
        }
        let context = RunContext(
            id: ContextID(contexts.count), plan: plan, terms: offer.terms, launching: .relay(relay),
            isElastic: offer.isElastic)
        contexts.append(context)
        relay.context = context
        logStart(of: context)
        let slots = plan.engines.reduce(0) { $0 + $1.slots }
        let size =
            "\(plan.engines.count) engine\(plan.engines.count == 1 ? "" : "s"), \(slots) slot\(slots == 1 ? "" : "s")"
        console.note("context \(plan.label) from \(offer.origin): \(offer.isElastic ? "engines as needed" : size)")
        relay.order(.accepted(context.id, label: plan.label, patience: configuration.greetingPatience))
        markUnsent(relay)
        tell(.contextOpened(context.id, taskLimit: offer.terms.taskLimit))
        if offer.isElastic {
            tell(.contextMayGrow(context.id, true))
            context.nextDemand = now()
        }
        if configuration.helperBringsContext, !configuration.waitsForContexts { tell(.contextsExpected(false)) }
        watchAllocation(of: context)
        open(context)
    }

    private func reasonToRefuse(_ offer: ContextOffer, _ labels: Set<String>) -> String? {
        if !scheduler.isRunning { return "the run is ending, and takes no more contexts" }
        if offer.hasOwnLabel, labels.contains(offer.plan.label) {
            return "the run has a context \(offer.plan.label) already; choose another label with -l"
        }
        return nil
    }

    /// Lets a relay go whose context has no engine, and gets none.
    func endContextIfOver(_ context: RunContext) {
        guard let relay = context.relay, !context.isOver, !context.mayGrow,
            !links.contains(where: { $0?.context === context }),
            !launches.pending.contains(where: { $0.context === context })
        else { return }
        context.isOver = true
        let text = context.reasons.isEmpty ? "its engines have gone" : context.reasons.joined(separator: "; ")
        log.write(.info, "context \(context.plan.label) is over: \(text)")
        relay.order(.released(text: text, isGood: context.reasons.isEmpty))
        markUnsent(relay)
    }

    /// Tells an elastic context how much there is to do, where that has changed.
    func tellDemand(to context: RunContext) {
        guard let relay = context.relay, context.mayGrow || links.contains(where: { $0?.context === context }) else {
            return context.nextDemand = .distantFuture
        }
        context.nextDemand = now() + .milliseconds(500)
        let own = links.compactMap { $0 }.filter { $0.context === context }
        let held = own.map { scheduler.heldCount(of: $0.id) }
        let idle = zip(own, held).filter { $0.stage == .working && $1 == 0 }.map(\.0.id)
        let totals = scheduler.totals
        let inFile = totalTasks.map { max(0, $0 - totals.finished - totals.skipped - scheduler.assignedCount) }
        let waiting = scheduler.startableCount ?? inFile
        let demand = RelayDemand(waiting: waiting, outstanding: held.reduce(0, +), idle: idle)
        guard demand != context.toldDemand else { return }
        context.toldDemand = demand
        relay.order(.demand(demand))
        markUnsent(relay)
    }

    /// Lets all relays go at the run's end.
    func releaseRelays() {
        for context in contexts where !context.isOver {
            guard let relay = context.relay else { continue }
            context.isOver = true
            relay.order(.released(text: "the run is over", isGood: true))
            markUnsent(relay)
        }
    }

    /// Writes what a context is to be into the logs.
    func logStart(of context: RunContext, notes: [String] = []) {
        let plan = context.plan
        log.write(.info, "context \(plan.label) (\(plan.kind)): \(plan.reason)")
        let file = writer.addLog(files.contextLog(label: plan.label))
        let engines = plan.engines.map { "\($0.node): \($0.slots) slots of \($0.coresPerTask) cores" }
        for note in plan.notes + notes + engines { writer.log(RunLog.line(.info, note, at: wallNow()), to: file) }
    }
}
