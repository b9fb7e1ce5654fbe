package import DisbatchCore
package import EngineHosting
import Glibc
package import LinuxSystem
import RunClient
import SSHTransport

/// A relay: launches engines as its driver says, and carries what they and the driver tell each other.
///
/// It decides nothing but when it has lost its driver. Then it tries to come back, as long as the leases of its engines
/// may last; what was said meanwhile is not lost (``RelayStream``).
package final class Relay {
    enum Token: UInt64 {
        case signals = 1
        case timer, commands, dialer, driver, supply, input
    }

    static let channelKind: UInt64 = 1 << 56
    static let childKind: UInt64 = 2 << 56

    let join: RelayJoin
    let starter: EngineStarter
    /// Grows where there is a supply.
    var plan: ContextPlan
    /// Where engines come from that are not in the plan from the beginning.
    let supply: (any EngineSupply)?
    /// Tells the user something.
    let say: (String) -> Void
    let signals: SignalSource
    let commands: CommandThread<Int>
    let poll: EventPoll
    private var timer: WakeTimer
    var stream = RelayStream()
    private var orders = FrameBuffer()
    var engines: [EngineID: RelayedEngine] = [:]
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var patience = Duration.seconds(60)
    /// How it ended, once it has.
    var exitStatus: Int32?
    /// The signal that is told of, until the driver has done something about it.
    private var lastSignal: Int32?
    // The driver.
    private var heard: Instant
    private var nextPulse: Instant
    private var nextTry = Instant.distantFuture
    private var isWatchingWrites = false

    /// - Parameters:
    ///   - supply: where engines come from that are not in the plan from the beginning.
    ///   - say: tells the user something, a line without an end.
    package init(
        _ join: RelayJoin, _ offer: ContextOffer, _ starter: EngineStarter, _ signals: SignalSource,
        supply: (any EngineSupply)? = nil, say: @escaping (String) -> Void
    ) throws(SystemError) {
        self.supply = supply
        self.say = say
        self.join = join
        self.starter = starter
        self.signals = signals
        plan = offer.plan
        heard = Self.now()
        nextPulse = heard
        poll = try EventPoll()
        timer = try WakeTimer()
        commands = try CommandThread()
        try poll.add(timer.raw, token: Token.timer.rawValue)
        try poll.add(signals.raw, token: Token.signals.rawValue)
        try poll.add(commands.attention.raw, token: Token.commands.rawValue)
        if let dialer = starter.dialer { try poll.add(dialer.attention.raw, token: Token.dialer.rawValue) }
        if let supply { try poll.add(supply.descriptor, token: Token.supply.rawValue) }
        tell(.offer(offer))
        supply?.relay = self
    }

    /// Takes the end of standard input for the driver's: of a relay that the driver started.
    package func endWithInput() throws(SystemError) { try poll.add(0, token: Token.input.rawValue) }

    /// The time that a supply's deadlines are in.
    package static func now() -> Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }
    func now() -> Instant { Self.now() }

    /// Relays until it is let go, or its driver is given up.
    ///
    /// - Returns: the exit status.
    package func run() throws(SystemError) -> Int32 {
        try watchDriver()
        while exitStatus == nil {
            flush()
            guard exitStatus == nil else { break }
            try turn(until: nextDeadline)
            keepTime()
        }
        endAll()
        guard let supply else { return exitStatus ?? 1 }
        supply.end()
        while !supply.isDone {
            try turn(until: supply.deadline)
            supply.keepTime()
        }
        return exitStatus ?? 1
    }

    private func turn(until deadline: Instant) throws(SystemError) {
        if deadline != .distantFuture { timer.ring(at: deadline.nanoseconds) }
        var ready: [ReadyEvent] = []
        try poll.wait(milliseconds: -1, into: &ready)
        for event in ready { dispatch(event) }
    }

    private func dispatch(_ event: ReadyEvent) {
        let id = EngineID(Int(event.token & 0xffff_ffff))
        switch event.token & ~0xffff_ffff {
        case Self.channelKind:
            guard let engine = engines[id] else { return }
            if event.isReadable || event.isHungUp { receive(from: engine) }
        case Self.childKind: if let engine = engines[id] { childMayHaveEnded(engine) }
        default:
            switch Token(rawValue: event.token) {
            case .signals: while let number = signals.next() { signalled(number) }
            case .timer: timer.rang()
            case .commands:
                for (number, outcome) in commands.takeOutcomes() { tell(.commandEnded(number: number, outcome)) }
            case .dialer: takeDialled()
            case .driver: receiveFromDriver()
            case .supply: supply?.takeNews()
            case .input: inputEnded()
            case nil: break
            }
        }
    }

    /// The driver that started this relay is gone.
    private func inputEnded() {
        poll.remove(0)
        guard exitStatus == nil else { return }
        receiveFromDriver()
        guard exitStatus == nil else { return }
        if join.summaryOfEndedRun != nil { exitStatus = 0 } else { driverIsGone("the driver is gone") }
    }

    func tell(_ frame: RelayFrame) { frame.encode(into: &stream.output) }

    // MARK: Time

    private var pulse: Duration { min(.seconds(10), join.conditions.lease / 5) }

    private var nextDeadline: Instant {
        var deadline = join.connection == nil ? min(nextTry, leaseEnd) : nextPulse
        if let supply { deadline = min(deadline, supply.deadline) }
        for engine in engines.values where !engine.hasSpoken && !engine.channelEnded {
            deadline = min(deadline, engine.speechDue)
        }
        return deadline
    }

    /// When no engine can have a lease any more.
    private var leaseEnd: Instant { heard + join.conditions.lease }

    private func keepTime() {
        let time = now()
        supply?.keepTime()
        for engine in engines.values where !engine.hasSpoken && !engine.channelEnded && time >= engine.speechDue {
            endSilent(engine)
        }
        if join.connection != nil {
            guard time >= nextPulse else { return }
            nextPulse = time + pulse
            guard time < heard + pulse * 3 else { return driverIsCutOff("it is silent") }
            if let count = stream.acknowledgement(always: true) { join.connection?.send(.relayAcknowledged(count)) }
        } else if time >= nextTry {
            lookForDriver()
        }
    }

    // MARK: The driver

    private func watchDriver() throws(SystemError) {
        guard let connection = join.connection else { return }
        isWatchingWrites = false
        try poll.add(connection.descriptor, token: Token.driver.rawValue)
        nextPulse = now() + pulse
        heard = now()
        // What came with the answer is told of by no descriptor.
        receiveFromDriver()
    }

    private func receiveFromDriver() {
        do throws(RunClientError) {
            while exitStatus == nil, let connection = join.connection, let frame = try connection.next() {
                heard = now()
                take(frame)
            }
        } catch {
            driverIsCutOff(error.description)
        }
    }

    private func take(_ frame: ServerFrame) {
        do throws(WireError) {
            switch frame {
            case .relay(.bytes(let bytes)):
                stream.took(bytes.count)
                bytes.withUnsafeBytes { orders.append($0) }
                while let order = try nextOrder() { perform(order) }
            case .relay(.acknowledged(let count)): try stream.acknowledged(upTo: count)
            // After it nothing more comes; if this context was let go, that was said before it.
            case .ended(let status, let summary):
                say("\(join.name): \(summary)")
                exitStatus = exitStatus ?? (status == 0 ? 0 : 1)
            case .welcome, .snapshot, .running, .answer, .relay(.welcome), .tail: break
            }
        } catch {
            say("\(join.name): its driver sent \(error)")
            exitStatus = 1
        }
    }

    private func nextOrder() throws(WireError) -> RelayOrder? {
        try orders.next { (kind, reader) throws(WireError) in try RelayOrder.decode(kind: kind, &reader) }
    }

    private func driverIsCutOff(_ reason: String) {
        guard let connection = join.connection else { return }
        poll.remove(connection.descriptor)
        join.disconnect()
        nextTry = now()
        if let summary = join.summaryOfEndedRun { return driverIsGone(summary) }
        say("\(join.name): the driver is cut off (\(reason)); looking for it")
    }

    private func driverIsGone(_ reason: String) {
        say("\(join.name): \(reason)")
        exitStatus = 1
    }

    /// Tries to come back to the driver, as long as that is of use.
    private func lookForDriver() {
        if let summary = join.summaryOfEndedRun { return driverIsGone("the run has ended: \(summary)") }
        guard now() < leaseEnd else {
            return driverIsGone("the driver did not come back within the lease; ending its tasks here")
        }
        do throws(RunClientError) {
            let received = try join.connectAgain(received: stream.received)
            try? stream.resume(from: received)
            do throws(SystemError) { try watchDriver() } catch { driverIsCutOff("\(error)") }
            say("\(join.name): the driver is back")
        } catch {
            if error.isFinal { return driverIsGone(error.description) }
            nextTry = now() + min(.seconds(5), pulse)
        }
    }

    // MARK: Sending

    private func flush() {
        for engine in engines.values where !engine.channelEnded {
            engine.flush()
            if let count = engine.takePassedOn() { tell(.passedOn(engine.id, count: count)) }
            watchWrites(of: engine)
        }
        guard let connection = join.connection else { return }
        if let count = stream.acknowledgement() { connection.send(.relayAcknowledged(count)) }
        repeat {
            while connection.unsentCount < 1 << 18, let piece = stream.nextPiece() { connection.send(.relayed(piece)) }
            connection.flush()
        } while connection.unsentCount == 0 && stream.unsentCount > 0
        let waits = connection.wantsToWrite
        guard waits != isWatchingWrites else { return }
        isWatchingWrites = waits
        try? poll.change(
            connection.descriptor, token: Token.driver.rawValue, waits ? [.reading, .writing] : .reading)
    }

    private func watchWrites(of engine: RelayedEngine) {
        let waits = engine.launched.isWriteBlocked
        guard engine.launched.descriptor >= 0, waits != engine.isWatchingWrites else { return }
        engine.isWatchingWrites = waits
        try? poll.change(
            engine.launched.descriptor, token: Self.channelKind | UInt64(engine.id.rawValue),
            waits ? [.reading, .writing] : .reading)
    }

    // MARK: Signals

    private func signalled(_ number: Int32) {
        if number == SIGCHLD { return engines.values.forEach(childMayHaveEnded) }
        let isEnding = SignalSource.endingNumbers.contains(number)
        guard isEnding, lastSignal == number || join.connection == nil || exitStatus != nil else {
            if isEnding { lastSignal = number }
            let consequence = isEnding ? "ending the tasks here (again: at once)" : "telling the driver"
            say("\(SignalName.of(number)): \(consequence)")
            return tell(.signal(number: number))
        }
        say("\(SignalName.of(number)): ending at once")
        supply?.hurry()
        exitStatus = exitStatus ?? 128 + number
    }
}

extension RelayFrame {
    fileprivate static func commandEnded(number: Int, _ outcome: CommandOutcome) -> RelayFrame {
        let status: Int32? =
            switch outcome.end {
            case .exited(let status): status
            case .signalled(let signal): 128 + signal
            case nil: nil
            }
        return .commandEnded(number: number, status: status, text: outcome.text)
    }
}
