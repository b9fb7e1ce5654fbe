import DisbatchCore
import EngineHosting
import LinuxSystem
import Options

/// The relays of a run, each with the context that it brings: takes what they say, sends what they are told.
final class RelayHub {
    unowned let driver: Driver
    /// By the numbers of their streams.
    private var sessions: [UInt64: RelaySession] = [:]
    private var ofContexts: [ContextID: RelaySession] = [:]
    private var unsent: [RelaySession] = []

    init(_ driver: Driver) { self.driver = driver }

    /// The relay that brought a context; nil for the run's own.
    subscript(context: ContextID) -> RelaySession? { ofContexts[context] }

    /// How often relays are told that there is a driver, and hear of it if nothing else is to be said.
    private var pulse: Duration { min(.seconds(10), driver.configuration.options.lease / 5) }
    /// How long a relay may say nothing before it has lost its connection.
    private var silence: Duration { pulse * 3 }

    // MARK: Coming and going

    /// Takes a connection of a relay: of a new one, or of one that lost the connection it had.
    func came(_ peer: ControlPeer, stream: UInt64, isNew: Bool, received: UInt64) throws(WireError) {
        guard peer.relay == nil else { return }
        let relay: RelaySession
        if let known = sessions[stream] {
            relay = known
        } else if let reason = reasonToRefuse(peer, isNew: isNew) {
            driver.reporter.log(.warning, "a relay is sent away: \(reason)")
            return peer.send(.answer(isDone: false, text: reason))
        } else {
            relay = RelaySession(number: stream)
        }
        try relay.stream.resume(from: received)
        if let before = relay.peer { driver.control?.drop(before) }
        sessions[stream] = relay
        peer.relay = relay
        peer.interval = nil
        peer.nextSnapshot = RunClock.now + pulse
        relay.peer = peer
        if let context = relay.context { driver.tell(.relayReturned(context)) }
        peer.send(.relay(.welcome(conditions, received: relay.stream.received)))
        markUnsent(relay)
    }

    private func reasonToRefuse(_ peer: ControlPeer, isNew: Bool) -> String? {
        if peer.version != driver.configuration.version {
            return "the run is of disbatch \(driver.configuration.version), this is \(peer.version): "
                + "use that version's dbutil, which PREFIX_dbUtil.sh does"
        }
        if !isNew { return "the run has given this context up, or was started anew" }
        return driver.machine.scheduler.isRunning ? nil : "the run is ending, and takes no more contexts"
    }

    private var conditions: RelayConditions {
        let options = driver.configuration.options
        var conditions = RelayConditions()
        conditions.coresPerTask = options.context.sizing.coresPerTask
        conditions.tasksPerNode = options.context.sizing.tasksPerNode
        conditions.sharedVariables = options.context.policy.sharedVariables
        conditions.contextCount = driver.machine.contexts.count
        conditions.lease = options.lease
        return conditions
    }

    /// Notes that a relay's connection is lost.
    func lost(_ relay: RelaySession) {
        relay.peer = nil
        guard let context = relay.context, !driver.machine.contexts[context.rawValue].isOver else {
            return forget(relay)
        }
        driver.tell(.relayLost(context))
    }

    private func forget(_ relay: RelaySession) { sessions[relay.number] = nil }

    /// Forgets a relay that did not come back: what comes later was given up.
    func forget(_ context: ContextID) {
        if let relay = self[context] { forget(relay) }
    }

    /// Tells a relay that there is a driver, unless it has not been heard for too long.
    func keepAlive(_ relay: RelaySession, _ peer: ControlPeer) {
        let now = RunClock.now
        guard now < peer.heard + silence else { return driver.control?.drop(peer) ?? () }
        peer.nextSnapshot = now + pulse
        if let count = relay.stream.acknowledgement(always: true) { peer.send(.relay(.acknowledged(count))) }
        markUnsent(relay)
    }

    // MARK: What they are told

    func markUnsent(_ relay: RelaySession) {
        guard !relay.hasUnsent else { return }
        relay.hasUnsent = true
        unsent.append(relay)
    }

    func flush() {
        guard !unsent.isEmpty else { return }
        // A flush that finds a relay gone may mark others.
        let relays = unsent
        unsent = []
        for relay in relays {
            relay.hasUnsent = false
            flush(relay)
        }
    }

    private func flush(_ relay: RelaySession) {
        guard let peer = relay.peer, let control = driver.control else { return }
        if let count = relay.stream.acknowledgement() { peer.send(.relay(.acknowledged(count))) }
        repeat {
            while peer.writer.count < 1 << 18, let piece = relay.stream.nextPiece() { peer.send(.relay(.bytes(piece))) }
            control.flush(peer)
        } while relay.peer === peer && peer.writer.isEmpty && relay.stream.unsentCount > 0
    }

    /// Has a command run where a context is. False where that is here.
    func run(_ words: [String], _ purpose: CommandPurpose) -> Bool {
        guard let relay = self[purpose.context] else { return false }
        relay.run(words, for: purpose)
        markUnsent(relay)
        return true
    }

    func order(_ order: RelayOrder, _ context: ContextID) {
        guard let relay = self[context] else { return }
        relay.order(order)
        markUnsent(relay)
    }

    /// Lets all relays go at the run's end.
    func release() {
        driver.tell(.runEnded)
        driver.performAll()
    }

    // MARK: What they say

    /// Takes the next bytes of a relay's stream.
    func take(_ bytes: [UInt8], from relay: RelaySession) throws(WireError) {
        relay.take(bytes)
        while let frame = try relay.nextFrame() { take(frame, from: relay) }
        markUnsent(relay)
    }

    private func take(_ frame: RelayFrame, from relay: RelaySession) {
        switch frame {
        case .offer(let offer): if relay.context == nil { take(offer, from: relay) }
        case .commandEnded(let number, let status, let text):
            guard let purpose = relay.takePurpose(ofCommand: number) else { return }
            driver.tell(.commandEnded(purpose, ManagerAnswer(status: status, text: text), wallClock: RunClock.wall))
        case .log(let level, let text):
            let label = relay.context.map { driver.machine.contexts[$0.rawValue].plan.label } ?? "?"
            driver.reporter.log(level, "context \(label): \(text)")
            if level >= .warning { driver.reporter.show(.warning, "context \(label): \(text)") }
        case .signal(let number): if let context = relay.context { driver.tell(.relaySignalled(context, number)) }
        case .engineOffered(let plan): if let context = relay.context { driver.tell(.engineOffered(context, plan)) }
        case .complete: if let context = relay.context { driver.tell(.contextComplete(context)) }
        case .spoke(let id), .said(let id, _), .passedOn(let id, _), .ended(let id, _), .engineLeaving(let id),
            .gone(let id):
            // No engine of another context may be spoken for.
            guard isEngine(id, of: relay) else { return }
            take(frame, of: id)
        }
    }

    private func isEngine(_ id: EngineID, of relay: RelaySession) -> Bool {
        driver.machine.engines.indices.contains(id.rawValue)
            && driver.machine.engines[id.rawValue].context == relay.context
    }

    private func take(_ frame: RelayFrame, of id: EngineID) {
        let engine = driver.engines[id]
        let transport = engine?.transport as? RelayedTransport
        switch frame {
        case .spoke: if engine != nil { driver.tell(.engineSpoke(id)) }
        case .said(_, let bytes):
            guard let engine else { return }
            bytes.withUnsafeBytes { driver.engines.received($0, from: engine) }
            driver.engines.markUnsent(engine)
        case .passedOn(_, let count):
            transport?.forwarded(count)
            if let engine { driver.engines.markUnsent(engine) }
        case .ended(_, let end):
            transport?.ended()
            driver.engines.ended(id, end)
        case .engineLeaving: if engine != nil { driver.tell(.tasks(.drainRequested(.engine(id)))) }
        case .gone:
            transport?.ended()
            driver.tell(.engineConfirmedGone(id))
        default: break
        }
    }

    // MARK: Contexts

    private func take(_ offer: ContextOffer, from relay: RelaySession) {
        let labels = Set(driver.machine.contexts.map(\.plan.label))
        if let reason = reasonToRefuse(offer, labels) {
            driver.reporter.log(.warning, "a context from \(offer.origin) is not taken: \(reason)")
            relay.order(.refused(reason: reason))
            return markUnsent(relay)
        }
        var new = NewContext(plan: offer.plan, policy: offer.policy)
        new.isRelayed = true
        new.isElastic = offer.isElastic
        var number = 2
        while labels.contains(new.plan.label) {
            new.plan.label = "\(offer.plan.label).\(number)"
            number += 1
        }
        let id = ContextID(driver.machine.contexts.count)
        relay.context = id
        ofContexts[id] = relay
        driver.logStart(of: new.plan)
        driver.reporter.show(.info, "context \(new.plan.label) from \(offer.origin): \(size(of: offer))")
        relay.order(.accepted(id, label: new.plan.label, patience: driver.configuration.greetingPatience))
        markUnsent(relay)
        driver.tell(.contextAdded(new))
    }

    private func size(of offer: ContextOffer) -> String {
        guard !offer.isElastic else { return "engines as needed" }
        let engines = offer.plan.engines
        let slots = engines.reduce(0) { $0 + $1.slots }
        return "\(engines.count) engine\(engines.count == 1 ? "" : "s"), \(slots) slot\(slots == 1 ? "" : "s")"
    }

    private func reasonToRefuse(_ offer: ContextOffer, _ labels: Set<String>) -> String? {
        if !driver.machine.scheduler.isRunning { return "the run is ending, and takes no more contexts" }
        if offer.hasOwnLabel, labels.contains(offer.plan.label) {
            return "the run has a context \(offer.plan.label) already; choose another label with -l"
        }
        return nil
    }
}
