package import DisbatchCore
package import EngineHosting
import Glibc
package import LinuxSystem
import RunClient

/// A relay: launches engines as its driver says, and carries what they and the driver tell each other.
///
/// It decides nothing but when it has lost its driver. Then it tries to come back, as long as the leases of its engines
/// may last; what was said meanwhile is not lost (``RelayStream``).
package final class Relay {
    enum Token: UInt64 {
        case signals = 1
        case timer, commands, dialer, driver, backend, input
    }

    let join: RelayJoin
    /// Grows where there is a backend.
    var plan: ContextPlan
    /// The source of engines that are not in the plan from the beginning.
    let backend: (any ElasticBackend)?
    /// Tells the user something.
    let say: (String) -> Void
    let signals: SignalSource
    let commands: CommandThread<Int>
    let host: EngineHost
    private let poll: EventPoll
    private var timer: WakeTimer
    var stream = RelayStream()
    private var orders = FrameBuffer()
    var engines: [EngineID: RelayedEngine] = [:]
    /// Those that there may be something to send to.
    var unflushed: Set<EngineID> = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
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
    ///   - backend: the source of engines that are not in the plan from the beginning.
    ///   - say: tells the user something, a line without an end.
    package init(
        _ join: RelayJoin, _ offer: ContextOffer, _ starter: EngineStarter, _ signals: SignalSource,
        backend: (any ElasticBackend)? = nil, say: @escaping (String) -> Void
    ) throws(SystemError) {
        self.backend = backend
        self.say = say
        self.join = join
        self.signals = signals
        plan = offer.plan
        heard = Self.now()
        nextPulse = heard
        poll = try EventPoll()
        timer = try WakeTimer()
        commands = try CommandThread()
        // The driver says how long engines may take.
        host = try EngineHost(starter, poll, patience: .seconds(60), dialerToken: Token.dialer.rawValue)
        try poll.add(timer.raw, token: Token.timer.rawValue)
        try poll.add(signals.raw, token: Token.signals.rawValue)
        try poll.add(commands.wakeup.raw, token: Token.commands.rawValue)
        if let backend { try poll.add(backend.descriptor, token: Token.backend.rawValue) }
        host.delegate = self
        tell(.offer(offer))
        backend?.relay = self
    }

    /// Takes the end of standard input for the driver's: of a relay that the driver started.
    package func endWithInput() throws(SystemError) { try poll.add(0, token: Token.input.rawValue) }

    /// The time that a backend's deadlines are in.
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
        guard let backend else { return exitStatus ?? 1 }
        backend.end()
        while !backend.isDone {
            try turn(until: backend.deadline)
            backend.keepTime()
        }
        return exitStatus ?? 1
    }

    private func turn(until deadline: Instant) throws(SystemError) {
        if deadline != .distantFuture { timer.arm(at: deadline.nanoseconds) }
        var ready: [ReadyEvent] = []
        try poll.wait(milliseconds: -1, into: &ready)
        for event in ready { dispatch(event) }
    }

    private func dispatch(_ event: ReadyEvent) {
        switch Token(rawValue: event.token) {
        case .signals: while let number = signals.next() { signalled(number) }
        case .timer: timer.fired()
        case .commands:
            for (number, outcome) in commands.takeOutcomes() { tell(.commandEnded(number: number, outcome)) }
        case .dialer: host.takeDialled(&buffer)
        case .driver: receiveFromDriver()
        case .backend: backend?.takeEvents()
        case .input: inputEnded()
        case nil: host.handle(event, &buffer)
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
        if let backend { deadline = min(deadline, backend.deadline) }
        return min(deadline, host.nextDeadline)
    }

    /// When no engine can have a lease any more.
    private var leaseEnd: Instant { heard + join.conditions.lease }

    private func keepTime() {
        let time = now()
        backend?.keepTime()
        host.timePassed(at: time)
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
        flushEngines()
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

    // MARK: Signals

    private func signalled(_ number: Int32) {
        if number == SIGCHLD { return host.reapChildren() }
        let isEnding = SignalSource.endingNumbers.contains(number)
        guard isEnding, lastSignal == number || join.connection == nil || exitStatus != nil else {
            if isEnding { lastSignal = number }
            let consequence = isEnding ? "ending the tasks here (again: at once)" : "telling the driver"
            say("\(SignalName.of(number)): \(consequence)")
            return tell(.signal(number: number))
        }
        say("\(SignalName.of(number)): ending at once")
        backend?.endQuickly()
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
