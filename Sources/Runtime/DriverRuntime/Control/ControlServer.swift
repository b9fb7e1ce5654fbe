import DisbatchCore
import Glibc
import LinuxSystem
import SecureChannels

/// The port at which a run is reached while it goes on: clients that watch and control it, and connections of relays.
final class ControlServer {
    static let peerKind: UInt64 = 3 << 56
    private static let helloTimeout = Duration.seconds(10)

    unowned let driver: Driver
    private let port: ControlPort
    private(set) var peers: [Int: ControlPeer] = [:]
    private var nextPeer = 0
    /// Whether the port is not watched for want of descriptors.
    private var isPaused = false
    /// Clients that follow a task's output.
    var followers: [TaskID: [ControlPeer]] = [:]
    var failures = FailureLog()
    var rate = RateMeter()

    /// Peers that have not shown that they may be here, and those that have.
    private static let strangers = 64
    private static let guests = 256

    init(_ driver: Driver, _ port: ControlPort) {
        self.driver = driver
        self.port = port
    }

    /// When a peer is to be told something, or sent away.
    var nextDeadline: Instant {
        peers.values.reduce(.distantFuture) { min($0, $1.hasGreeted ? $1.nextSnapshot : $1.helloDue) }
    }

    /// Clients that are told of the run again and again.
    var watcherCount: Int { peers.values.count { $0.hasGreeted && $0.interval != nil } }

    // MARK: Coming and going

    func accept() {
        do throws(SystemError) {
            while let socket = try port.listener.accept() { try add(socket) }
        } catch {
            driver.reporter.log(.warning, "a connection is sent away: \(error)")
            // Until one goes: else it would be told of again at once.
            driver.poll.remove(port.listener.raw)
            isPaused = true
            dropOldestStranger()
        }
    }

    /// Takes a connection.
    func add(_ socket: consuming Descriptor) throws(SystemError) {
        if peers.count(where: { !$0.value.hasGreeted }) >= Self.strangers { dropOldestStranger() }
        guard peers.count < Self.strangers + Self.guests else { return }
        let channel = try SecureChannel(socket, secret: port.secret, role: .server)
        let number = nextPeer
        nextPeer += 1
        try driver.poll.add(channel.descriptor, token: Self.peerKind | UInt64(number))
        peers[number] = ControlPeer(channel, number: number, helloDue: RunClock.now + Self.helloTimeout)
    }

    private func dropOldestStranger() {
        if let oldest = peers.filter({ !$0.value.hasGreeted }).keys.min(), let peer = peers[oldest] { drop(peer) }
    }

    func drop(_ peer: ControlPeer) {
        guard peers.removeValue(forKey: peer.number) != nil else { return }
        if let relay = peer.relay, relay.peer === peer { driver.relays.lost(relay) }
        endFollowing(by: peer)
        driver.poll.remove(peer.channel.descriptor)
        peer.channel.close()
        guard isPaused else { return }
        isPaused = false
        try? driver.poll.add(port.listener.raw, token: Driver.Token.listener.rawValue)
    }

    // MARK: What they say

    func handle(_ event: ReadyEvent, _ buffer: inout [UInt8]) {
        guard let peer = peers[Int(event.token & 0xffff_ffff)] else { return }
        var isOpen = true
        if event.isReadable || event.isHungUp { isOpen = readAll(from: peer, &buffer) }
        isOpen ? flush(peer) : drop(peer)
    }

    /// Takes all that has come. False at the end, or where it is not one to speak to.
    private func readAll(from peer: ControlPeer, _ buffer: inout [UInt8]) -> Bool {
        peer.heard = RunClock.now
        while true {
            let result = peer.receive(&buffer)
            do throws(WireError) {
                while let frame = try peer.nextFrame() { try take(frame, from: peer) }
            } catch {
                driver.reporter.log(.warning, "\(peer.relay == nil ? "a client" : "a relay") sent \(error)")
                return false
            }
            switch result {
            case .bytes: continue
            case .wouldBlock: return true
            case .ended, .failed: return false
            }
        }
    }

    func flush(_ peer: ControlPeer) {
        guard peer.flush() else { return drop(peer) }
        let waits = peer.wantsToWrite
        guard waits != peer.isWatchingWrites else { return }
        peer.isWatchingWrites = waits
        try? driver.poll.change(
            peer.channel.descriptor, token: Self.peerKind | UInt64(peer.number),
            waits ? [.reading, .writing] : .reading)
    }

    private func take(_ frame: ClientFrame, from peer: ControlPeer) throws(WireError) {
        switch frame {
        case .hello(let version, let protocolVersion):
            // Other versions learn what this one is, and leave by themselves.
            peer.version = version
            peer.hasGreeted = protocolVersion == LinkProtocol.version
            if !peer.hasGreeted { driver.reporter.log(.warning, "a client of version \(version) is not understood") }
            peer.send(
                .welcome(
                    version: driver.configuration.version, protocolVersion: LinkProtocol.version,
                    name: driver.files.jobID))
        case _ where !peer.hasGreeted: break
        case .watch(let every):
            peer.interval = every > .zero ? max(every, .milliseconds(100)) : nil
            sendSnapshot(to: peer)
        case .listRunning:
            peer.send(.running(driver.machine.scheduler.shownRunning(at: RunClock.now, most: Self.mostRunningShown)))
        case .control(let control):
            let (isDone, text) = obey(control)
            driver.reporter.log(.warning, "asked from outside: \(text)")
            peer.send(.answer(isDone: isDone, text: text))
        case .relay(let stream, let isNew, let received):
            try driver.relays.came(peer, stream: stream, isNew: isNew, received: received)
        case .relayed(let bytes):
            if let relay = peer.relay { try driver.relays.take(bytes, from: relay) }
        case .relayAcknowledged(let count): try peer.relay?.stream.acknowledged(upTo: count)
        case .tail(let task): follow(task, by: peer)
        }
    }

    private static let mostRunningShown = 10_000

    // MARK: Time and end

    /// Tells those who watch, and sends those away who said nothing.
    func keepTime(at now: Instant) {
        for peer in Array(peers.values) {
            if !peer.hasGreeted, now >= peer.helloDue {
                drop(peer)
            } else if let relay = peer.relay, now >= peer.nextSnapshot {
                driver.relays.keepAlive(relay, peer)
            } else if peer.hasGreeted, now >= peer.nextSnapshot {
                sendSnapshot(to: peer)
                flush(peer)
            }
        }
    }

    /// Tells all how the run ended, after a last picture of it, waiting up to a second for those who don't read.
    func end(exitStatus: Int32, summary: String) {
        driver.relays.release()
        let greeted = peers.values.filter(\.hasGreeted)
        for peer in greeted where peer.interval != nil { sendSnapshot(to: peer) }
        // The file first: who comes too late finds the end there.
        port.writeEnd(exitStatus: exitStatus, summary: summary)
        for peer in greeted { peer.send(.ended(exitStatus: exitStatus, summary: summary)) }
        let limit = MonotonicTime.now + .seconds(1)
        var waiting = greeted
        while !waiting.isEmpty, MonotonicTime.now < limit {
            waiting = waiting.filter { $0.flush() && $0.wantsToWrite }
            var sockets = waiting.map { pollfd(fd: $0.channel.descriptor, events: Int16(POLLOUT), revents: 0) }
            if !sockets.isEmpty { poll(&sockets, nfds_t(sockets.count), 50) }
        }
        for peer in peers.values { peer.channel.close() }
        peers = [:]
    }
}
