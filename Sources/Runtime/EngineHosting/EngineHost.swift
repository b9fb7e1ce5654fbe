package import DisbatchCore
import Glibc
package import LinuxSystem
import SSHTransport

/// The engines that this process launches, on this machine and elsewhere: it launches and dials, carries bytes both
/// ways, watches channels and carriers, and tells of an engine's end when both have ended.
///
/// Its owner has the loop: it gives the host what the poll reports, and the time. What an engine says, and whether it
/// is to be replaced, is the owner's concern.
package final class EngineHost {
    /// The kinds of the poll's tokens that are the host's. An engine's number stands behind them.
    package static let channelKind: UInt64 = 1 << 56
    package static let childKind: UInt64 = 2 << 56

    package weak var delegate: (any EngineHostDelegate)?
    /// How long a channel may be there before its engine has spoken.
    package var patience: Duration
    /// How long a carrier may take to end once it was told to.
    var carrierPatience = Duration.seconds(10)

    private let starter: EngineStarter
    let poll: EventPoll
    private var engines: [EngineID: HostedEngine] = [:]
    /// Those that are over, which was not told yet.
    private var ended: [HostedEngine] = []
    /// The earliest time at which an engine may be due; none is due before.
    private var deadline = Instant.distantFuture

    /// - Parameters:
    ///   - poll: the loop's, in which the host watches its engines.
    ///   - dialerToken: what the poll reports when ``takeDialled(_:)`` has something to do.
    package init(
        _ starter: EngineStarter, _ poll: EventPoll, patience: Duration, dialerToken: UInt64
    ) throws(SystemError) {
        self.starter = starter
        self.poll = poll
        self.patience = patience
        if let dialer = starter.dialer { try poll.add(dialer.wakeup.raw, token: dialerToken) }
    }

    private func now() -> Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }

    // MARK: Launching

    /// Starts what leads to an engine, or begins to log in to its host.
    ///
    /// - Parameters:
    ///   - id: a number that no other engine had.
    ///   - errors: a file that its standard error goes to the end of.
    ///   - step: what a step of an allocation is to be called, where it can be given a name.
    package func launch(
        _ plan: EnginePlan, id: EngineID, errors: consuming Descriptor, step: String
    ) throws(SystemError) -> HostedEngine {
        let launched = try starter.launch(plan, id: id, errors: errors, step: step)
        let engine = HostedEngine(launched, of: self)
        engines[id] = engine
        if engine.pid == nil { note(engine, "dialled by libssh2") } else { carrierStarted(engine) }
        return engine
    }

    private func carrierStarted(_ engine: HostedEngine) {
        engine.carrierStarted()
        if let pid = engine.pid { note(engine, "launched, pid \(pid)") }
        channelOpened(engine)
    }

    private func channelOpened(_ engine: HostedEngine) {
        let due = now() + patience
        wake(at: due)
        do throws(SystemError) { try engine.channelOpened(speechDue: due) } catch {
            giveUp(engine, "\(error)")
        }
    }

    /// Takes what has come of dialling.
    package func takeDialled(_ buffer: inout [UInt8]) {
        for outcome in starter.dialer?.takeResults() ?? [] {
            guard let engine = engines[EngineID(outcome.token)] else { continue }
            switch outcome.result {
            case .success(let channel): dialled(engine, channel, &buffer)
            case .failure(let error): notDialled(engine, error)
            }
        }
        tellEnds()
    }

    private func dialled(_ engine: HostedEngine, _ channel: LibSSH2Channel, _ buffer: inout [UInt8]) {
        // Closed meanwhile: what was begun there sees the end of its input.
        guard engine.stage == .dialling else {
            channel.close()
            return engine.dialEnded()
        }
        note(engine, "connected")
        engine.launched.connect(channel)
        channelOpened(engine)
        guard engine.isOpen else { return }
        delegate?.engineNeedsFlush(engine.id)
        // What came with the answer is told of by no descriptor.
        receive(from: engine, &buffer)
    }

    private func notDialled(_ engine: HostedEngine, _ error: SSHError) {
        let launched = engine.launched
        guard engine.stage == .dialling, starter.mayUseOpenSSH(after: error) else {
            launched.failure = "\(error)"
            launched.isHopeless = error.kind != .network
            return engine.dialEnded()
        }
        note(engine, "by OpenSSH's client, because libssh2: \(error)")
        do throws(SystemError) {
            try starter.launchByOpenSSH(launched)
            carrierStarted(engine)
            delegate?.engineNeedsFlush(engine.id)
        } catch {
            launched.failure = "\(error)"
            engine.dialEnded()
        }
    }

    private func note(_ engine: HostedEngine, _ text: String) { delegate?.engineNoted(engine, text) }

    // MARK: What happens

    /// Takes an event of the poll whose token is of one of the host's kinds.
    package func handle(_ event: ReadyEvent, _ buffer: inout [UInt8]) {
        // An engine that is over may have events that were gathered before.
        guard let engine = engines[EngineID(Int(event.token & 0xffff_ffff))] else { return }
        switch event.token & ~0xffff_ffff {
        case Self.childKind: engine.reap()
        case Self.channelKind where engine.isOpen:
            if event.isReadable || event.isHungUp { receive(from: engine, &buffer) }
            if event.isWritable, engine.isOpen { delegate?.engineNeedsFlush(engine.id) }
        default: break
        }
        tellEnds()
    }

    private func receive(from engine: HostedEngine, _ buffer: inout [UInt8]) {
        let isOpen = engine.launched.receive(&buffer) { bytes in
            if engine.spoke() { delegate?.engineSpoke(engine.id) }
            if !bytes.isEmpty { delegate?.engineSaid(engine.id, bytes) }
        }
        if !isOpen {
            engine.close(.keepingCarrier)
        } else if engine.launched.complaint != nil {
            engine.close(.endingCarrier)
        } else if engine.launched.needsFlush {
            // The host asked for the engine's program, or reading has made room for what waits.
            delegate?.engineNeedsFlush(engine.id)
        }
    }

    /// Takes SIGCHLD, which alone tells of the ends of carriers that no descriptor tells of.
    package func reapChildren() {
        for engine in engines.values where !engine.isCarrierWatched { engine.reap() }
        tellEnds()
    }

    // MARK: Time

    /// When ``timePassed(at:)`` has something to do.
    package var nextDeadline: Instant { ended.isEmpty ? deadline : Instant(nanoseconds: 0) }

    /// Ends what was launched as an engine and does not speak as one in time, and carriers that do not end; tells of
    /// those that are over since they were closed.
    package func timePassed(at now: Instant) {
        if now >= deadline {
            deadline = .distantFuture
            for engine in engines.values {
                if now >= engine.speechDue { endSilent(engine) }
                if now >= engine.killDue { engine.killCarrier() }
                wake(at: min(engine.speechDue, engine.killDue))
            }
        }
        tellEnds()
    }

    private func wake(at time: Instant) { deadline = min(deadline, time) }

    /// When a carrier is to have ended that is told to now.
    func carrierIsDue() -> Instant {
        let due = now() + carrierPatience
        wake(at: due)
        return due
    }

    private func endSilent(_ engine: HostedEngine) {
        let printed = engine.launched.printedBefore
        giveUp(
            engine,
            "it did not answer within \(patience.components.seconds) s"
                + (printed.isEmpty ? "" : "; it printed: \(printed)"))
    }

    /// Ends an engine that is of no use, nor would be another in its place.
    private func giveUp(_ engine: HostedEngine, _ reason: String) {
        engine.launched.failure = reason
        engine.launched.isHopeless = true
        engine.close(.killingCarrier)
    }

    // MARK: Ends

    /// Notes that an engine's channel and carrier have ended.
    func isOver(_ engine: HostedEngine) {
        // What is told when is left to the calls that tell: a close may be in the midst of anything.
        if engines.removeValue(forKey: engine.id) != nil { ended.append(engine) }
    }

    private func tellEnds() {
        while !ended.isEmpty {
            let engine = ended.removeFirst()
            // With guard and engine killed at one moment nobody did it for them.
            if engine.plan.carrier == .none, case .signalled? = engine.carrierEnd {
                Leavings(of: [engine.mark]).killAll()
            }
            delegate?.engineEnded(engine.id, engine.end)
        }
    }

    /// Ends what there still is, and waits for it: engines see the end of their channels, and kill their tasks.
    ///
    /// - Parameter signals: a source of SIGCHLD; what it has is dropped.
    package func endAll(_ signals: SignalSource) {
        starter.dialer?.close()
        for engine in engines.values {
            engine.close(.endingCarrier)
            // Nothing comes of dialling any more.
            engine.dialEnded()
        }
        tellEnds()
        let limit = MonotonicTime.now + carrierPatience
        while !engines.isEmpty, MonotonicTime.now < limit {
            _ = signals.wait(seconds: 1)
            while signals.next() != nil {}
            for engine in engines.values { engine.reap() }
            tellEnds()
        }
        for engine in engines.values {
            engine.killCarrier()
            engine.carrierEnded(.signalled(SIGKILL))
        }
        tellEnds()
    }
}
