import DisbatchCore
import Glibc
import LinuxSystem
import SecureChannels

/// Those who watch and control the run.
extension Driver {
    static let peerKind: UInt64 = 3 << 56
    private static let helloPatience = Duration.seconds(10)
    private static let mostRunningShown = 10_000

    /// When somebody who is connected is to be told something, or sent away.
    var nextLinkDeadline: Instant {
        guard let link, !link.peers.isEmpty || !link.relays.isEmpty else { return .distantFuture }
        let peers = link.peers.values.reduce(.distantFuture) {
            min($0, $1.hasGreeted ? $1.nextSnapshot : $1.helloDue)
        }
        return link.relays.values.reduce(peers) { min($0, $1.givenUp ?? .distantFuture) }
    }

    // MARK: Coming and going

    func acceptPeers() {
        guard let link else { return }
        do throws(SystemError) {
            while let socket = try link.listener.accept() { try addPeer(socket, to: link) }
        } catch {
            log.write(.warning, "somebody who connected is sent away: \(error)")
            // Until somebody leaves: else it would be told of again at once.
            poll.remove(link.listener.raw)
            link.isPaused = true
            dropOldestStranger(of: link)
        }
    }

    func addPeer(_ socket: consuming Descriptor, to link: RunLink) throws(SystemError) {
        if link.peers.count(where: { !$0.value.hasGreeted }) >= RunLink.strangers { dropOldestStranger(of: link) }
        guard link.peers.count < RunLink.strangers + RunLink.guests else { return }
        let channel = try SecureChannel(socket, secret: link.secret, role: .server)
        let number = link.nextPeer
        link.nextPeer += 1
        try poll.add(channel.descriptor, token: Self.peerKind | UInt64(number))
        link.peers[number] = LinkPeer(channel, number: number, helloDue: now() + Self.helloPatience)
    }

    private func dropOldestStranger(of link: RunLink) {
        if let oldest = link.peers.filter({ !$0.value.hasGreeted }).keys.min() { dropPeer(oldest) }
    }

    func dropPeer(_ number: Int) {
        guard let link, let peer = link.peers.removeValue(forKey: number) else { return }
        if let relay = peer.relay, relay.peer === peer { isCutOff(relay) }
        endFollowing(by: peer)
        poll.remove(peer.channel.descriptor)
        peer.channel.close()
        guard link.isPaused else { return }
        link.isPaused = false
        try? poll.add(link.listener.raw, token: Token.listener.rawValue)
    }

    // MARK: What they say

    func peerIsReady(_ number: Int, _ event: ReadyEvent, _ buffer: inout [UInt8]) {
        guard let peer = link?.peers[number] else { return }
        var isOpen = true
        if event.isReadable || event.isHungUp { isOpen = readAll(from: peer, &buffer) }
        isOpen ? flush(peer, number) : dropPeer(number)
    }

    /// Takes all that has come. False at the end, or where it is not one to speak to.
    private func readAll(from peer: LinkPeer, _ buffer: inout [UInt8]) -> Bool {
        peer.heard = now()
        while true {
            let result = peer.receive(&buffer)
            do throws(WireError) {
                while let frame = try peer.nextFrame() { try take(frame, from: peer) }
            } catch {
                log.write(.warning, "\(peer.relay == nil ? "who watches the run" : "a relay") sent \(error)")
                return false
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
        }
    }

    func flush(_ peer: LinkPeer, _ number: Int) {
        guard peer.flush() else { return dropPeer(number) }
        let waits = peer.wantsToWrite
        guard waits != peer.isWatchingWrites else { return }
        peer.isWatchingWrites = waits
        try? poll.change(
            peer.channel.descriptor, token: Self.peerKind | UInt64(number), waits ? [.reading, .writing] : .reading)
    }

    private func take(_ frame: ClientFrame, from peer: LinkPeer) throws(WireError) {
        switch frame {
        case .hello(let version, let protocolVersion):
            // Other versions learn what this one is, and leave by themselves.
            peer.version = version
            peer.hasGreeted = protocolVersion == LinkProtocol.version
            if !peer.hasGreeted { log.write(.warning, "a client of version \(version) is not understood") }
            peer.send(
                .welcome(
                    version: configuration.version, protocolVersion: LinkProtocol.version, name: files.jobID))
        case _ where !peer.hasGreeted: break
        case .watch(let every):
            peer.interval = every > .zero ? max(every, .milliseconds(100)) : nil
            sendSnapshot(to: peer)
        case .listRunning: peer.send(.running(scheduler.shownRunning(at: now(), most: Self.mostRunningShown)))
        case .control(let control):
            let (isDone, text) = obey(control)
            log.write(.warning, "asked from outside: \(text)")
            peer.send(.answer(isDone: isDone, text: text))
        case .relay(let stream, let isNew, let received):
            try relayCame(peer, stream: stream, isNew: isNew, received: received)
        case .relayed(let bytes): try peer.relay.map { relay throws(WireError) in try take(bytes, from: relay) }
        case .relayAcknowledged(let count): try peer.relay?.stream.acknowledged(upTo: count)
        case .tail(let task): follow(task, by: peer)
        }
    }

    private func obey(_ control: RunControl) -> (isDone: Bool, text: String) {
        switch control {
        case .drain:
            console.note("dbutil: no new task starts; the run ends when the running ones have")
            tell(.drainRequested(.run))
            return (true, "no new task starts; the run ends when the running ones have")
        case .stop:
            console.note("dbutil: ending the running tasks")
            tell(.stopRequested(.interrupted(signal: SIGTERM)))
            return (true, "the running tasks are ended, and the run with them")
        case .stopEngine(let engine):
            guard scheduler.isLive(engine) else {
                return (false, "there is no engine \(engine.rawValue) to be stopped")
            }
            tell(.drainRequested(.engine(engine)))
            return (true, "engine \(engine.rawValue) takes no more tasks, and goes when its running ones have ended")
        case .kill(let task): return endTask(task)
        case .stopContext(let label):
            let open = contexts.filter { !$0.isOver }
            guard let context = open.first(where: { $0.plan.label == label }) else {
                let labels = open.map(\.plan.label).joined(separator: ", ")
                return (false, "there is no context \(label); there is \(labels.isEmpty ? "none" : labels)")
            }
            tell(.drainRequested(.context(context.id)))
            endGrowth(of: context)
            return (true, "context \(label) takes no more tasks, and goes when its running ones have ended")
        }
    }

    // MARK: What they are told

    /// Tells those who watch, and sends those away who said nothing.
    func serveLink() {
        guard let link else { return }
        let now = now()
        for (number, peer) in link.peers {
            if !peer.hasGreeted, now >= peer.helloDue {
                dropPeer(number)
            } else if let relay = peer.relay, now >= peer.nextSnapshot {
                keepAlive(relay, peer, number)
            } else if peer.hasGreeted, now >= peer.nextSnapshot {
                sendSnapshot(to: peer)
                flush(peer, number)
            }
        }
        giveUpLostRelays()
    }

    private func sendSnapshot(to peer: LinkPeer) {
        guard let link else { return }
        peer.nextSnapshot = peer.interval.map { now() + $0 } ?? .distantFuture
        // Who does not read is told less often.
        guard peer.hasRoom else { return }
        var snapshot = RunSnapshot()
        snapshot.phase = scheduler.shownPhase
        snapshot.time = wallNow()
        snapshot.start = startTime
        snapshot.totals = scheduler.totals
        snapshot.totalTasks = totalTasks
        snapshot.running = scheduler.runningCount
        link.rate.note(scheduler.totals.finished, at: now())
        let seconds = Double(snapshot.time.microseconds - startTime.microseconds) / 1e6
        let average = seconds > 0 ? Double(scheduler.totals.finished) / seconds : 0
        snapshot.rate = link.rate.perSecond > 0 ? link.rate.perSecond : average
        snapshot.engines = changedEngines(for: peer)
        snapshot.failures = link.failures(since: peer.toldFailures)
        peer.toldFailures = link.failureCount
        peer.send(.snapshot(snapshot))
    }

    /// Tells all how the run ended, after a last picture of it.
    func endLink(exitStatus: Int32, summary: String) {
        guard let link else { return }
        releaseRelays()
        flushRelays()
        for peer in link.peers.values where peer.hasGreeted && peer.interval != nil { sendSnapshot(to: peer) }
        // The file first: who comes too late finds the end there.
        link.writeEnd(exitStatus: exitStatus, summary: summary)
        link.end(exitStatus: exitStatus, summary: summary)
        // Each keeps the other.
        for relay in link.relays.values { relay.peer = nil }
    }

    private func changedEngines(for peer: LinkPeer) -> [EngineSnapshot] {
        var changed: [EngineSnapshot] = []
        for index in 0..<scheduler.engineCount {
            var engine = scheduler.shownEngine(index)
            engine.label = contexts[engine.context.rawValue].plan.label
            if let link = links[engine.id.rawValue] {
                engine.heard = wall(link.heard)
                engine.cpuShare = link.processors.share
            } else if index < peer.toldEngines.count {
                engine.heard = peer.toldEngines[index].heard
            }
            if index == peer.toldEngines.count {
                peer.toldEngines.append(engine)
            } else if peer.toldEngines[index] != engine {
                peer.toldEngines[index] = engine
            } else {
                continue
            }
            changed.append(engine)
        }
        return changed
    }

    /// Keeps a failed task for those who watch.
    func noteFailure(_ task: RecordedTask) {
        guard let link else { return }
        let outcome = task.outcome
        link.note(
            FailureSnapshot(
                task: task.spec.id, line: task.spec.streamIndex, node: task.node, returnCode: outcome.returnCode,
                finish: outcome.finish,
                elapsed: Double(outcome.finish.microseconds - outcome.start.microseconds) / 1e6,
                error: outcome.err.edges, command: Array(task.spec.command.prefix(RunningTask.commandLength))))
    }
}
