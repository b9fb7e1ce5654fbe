package import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import SSHTransport

/// What a relay does with its engines.
extension Relay {
    // MARK: Orders

    func perform(_ order: RelayOrder) {
        switch order {
        case .accepted(_, let label, let patience):
            self.patience = patience
            guard supply == nil else { return }
            let slots = plan.engines.reduce(0) { $0 + $1.slots }
            say(
                "\(join.name): context \(label) with \(plan.engines.count) "
                    + "engine\(plan.engines.count == 1 ? "" : "s") and \(slots) slot\(slots == 1 ? "" : "s")")
        case .refused(let reason):
            say("\(join.name): \(reason)")
            exitStatus = 1
        case .launch(let id, let place, let errors, let step): launch(id, place, errors: errors, step: step)
        case .say(let id, let bytes): engines[id]?.writer.append(bytes)
        case .close(let id):
            guard let engine = engines[id] else { return }
            engine.wasGivenUp = true
            close(engine)
        case .run(let number, let words): commands.submit(words, for: number)
        case .demand(let demand): supply?.demandChanged(demand)
        case .released(let text, let isGood):
            say("\(join.name): this context is over: \(text)")
            exitStatus = isGood ? 0 : 1
        }
    }

    /// Offers the driver one more engine.
    ///
    /// - Returns: its place in the plan, by which ``EngineSupply/launched(_:place:)`` knows it.
    package func offer(_ engine: EnginePlan) -> Int {
        plan.engines.append(engine)
        tell(.engineOffered(engine))
        return plan.engines.count - 1
    }

    /// Asks the driver to give an engine no more tasks; it ends when it has none.
    package func leave(_ id: EngineID) { tell(.engineLeaving(id)) }

    /// Tells the driver that nothing of an engine is left, though its end did not prove that.
    package func prove(_ id: EngineID) { tell(.gone(id)) }

    /// Tells the driver that no more engines come.
    package func complete() { tell(.complete) }

    /// Has something written into the driver's log, and a warning shown to its user.
    package func log(_ level: LogLevel, _ text: String) { tell(.log(level, text)) }

    private func launch(_ id: EngineID, _ place: Int, errors path: String, step: String) {
        guard plan.engines.indices.contains(place), engines[id] == nil else { return }
        do throws(SystemError) {
            let launched = try starter.launch(
                plan.engines[place], id: id, errors: try Self.openErrors(path), step: step)
            let engine = RelayedEngine(launched, speechDue: now() + patience)
            engines[id] = engine
            supply?.launched(id, place: place)
            try watch(engine)
        } catch {
            engines[id] = nil
            supply?.ended(id, .failed(reason: "\(error)"))
            tell(
                .ended(id, EngineEnd(status: 1, reason: "\(error)", printedBefore: "", isHopeless: false)))
        }
    }

    /// The file beside the run's others; nowhere, where they are not to be reached from here.
    private static func openErrors(_ path: String) throws(SystemError) -> Descriptor {
        do throws(SystemError) { return try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND) } catch {
            return try Descriptor.inMemory()
        }
    }

    private func watch(_ engine: RelayedEngine) throws(SystemError) {
        guard let child = engine.launched.child else {
            // Whoever looks for a way to it knows when to end.
            engine.speechDue = .distantFuture
            return
        }
        engine.speechDue = now() + patience
        try poll.add(engine.launched.descriptor, token: Self.channelKind | UInt64(engine.id.rawValue))
        if child.pidfd >= 0 { try poll.add(child.pidfd, token: Self.childKind | UInt64(engine.id.rawValue)) }
    }

    // MARK: Dialling

    func takeDialled() {
        for outcome in starter.dialer?.takeResults() ?? [] {
            guard let engine = engines[EngineID(outcome.token)] else { continue }
            switch outcome.result {
            case .success(let channel): dialled(engine, channel)
            case .failure(let error): notDialled(engine, error)
            }
        }
    }

    private func dialled(_ engine: RelayedEngine, _ channel: LibSSH2Channel) {
        guard !engine.channelEnded else { return channel.close() }
        engine.launched.connect(channel)
        engine.speechDue = now() + patience
        do throws(SystemError) {
            try poll.add(channel.descriptor, token: Self.channelKind | UInt64(engine.id.rawValue))
            // What came with the answer is told of by no descriptor.
            receive(from: engine)
        } catch {
            engine.launched.failure = "\(error)"
            close(engine)
        }
    }

    private func notDialled(_ engine: RelayedEngine, _ error: SSHError) {
        guard !engine.channelEnded else { return }
        if starter.mayUseOpenSSH(after: error) {
            do throws(SystemError) {
                try starter.launchByOpenSSH(engine.launched)
                return try watch(engine)
            } catch {
                engine.launched.failure = "\(error)"
            }
        } else {
            engine.launched.failure = "\(error)"
            engine.launched.isHopeless = error.kind != .network
        }
        close(engine)
    }

    // MARK: What they say

    func receive(from engine: RelayedEngine) {
        var said: [UInt8] = []
        let isOpen = engine.launched.receive(&buffer) { said += $0 }
        if engine.launched.hasSpoken, !engine.hasSpoken {
            engine.hasSpoken = true
            tell(.spoke(engine.id))
            supply?.spoke(engine.id)
        }
        for start in stride(from: 0, to: said.count, by: 1 << 20) {
            tell(.said(engine.id, Array(said[start..<min(said.count, start + 1 << 20)])))
        }
        if engine.launched.wasSent, !engine.hasSpoken { engine.speechDue = now() + .seconds(600) }
        guard isOpen, engine.launched.complaint == nil else { return close(engine, endsCarrier: isOpen) }
    }

    /// Ends what was launched as an engine and does not speak as one in time.
    func endSilent(_ engine: RelayedEngine) {
        let printed = engine.launched.printedBefore
        engine.launched.failure =
            "it did not answer within \(patience.components.seconds) s"
            + (printed.isEmpty ? "" : "; it printed: \(printed)")
        if let child = engine.launched.child { kill(child.pid, SIGKILL) }
        close(engine)
    }

    // MARK: Ends

    /// Closes the channel. Who carries it ends with it, or is told to.
    private func close(_ engine: RelayedEngine, endsCarrier: Bool = true) {
        guard !engine.channelEnded else { return }
        engine.channelEnded = true
        if let channel = engine.launched.channel as? LibSSH2Channel {
            poll.remove(channel.descriptor)
            // Its end tells how the command ended: it is the last to be heard of.
            if engine.launched.child == nil { engine.childEnd = .exited(status: channel.exitStatus ?? 255) }
        } else if engine.launched.child == nil {
            engine.childEnd = .exited(status: 255)
        }
        engine.launched.closeChannel()
        if endsCarrier, engine.launched.carrier != .none, let child = engine.launched.child, engine.childEnd == nil {
            kill(child.pid, SIGTERM)
        }
        finishIfGone(engine)
    }

    func childMayHaveEnded(_ engine: RelayedEngine) {
        guard engine.childEnd == nil, let child = engine.launched.child, let (end, _) = child.reap() else { return }
        engine.childEnd = end
        if child.pidfd >= 0 { poll.remove(child.pidfd) }
        child.close()
        finishIfGone(engine)
    }

    private func finishIfGone(_ engine: RelayedEngine) {
        guard engine.channelEnded, let end = engine.childEnd, engines[engine.id] === engine else { return }
        engines[engine.id] = nil
        // With guard and engine killed at once nobody did it for them.
        if engine.launched.carrier == .none, case .signalled = end { ProcessTree.killAll(with: engine.launched.mark) }
        let status = end.engineStatus
        let launched = engine.launched
        let failure = EngineDeparture.failed(reason: launched.reasonForEnd ?? "status \(status)")
        supply?.ended(engine.id, end == .exited(status: 0) ? .inOrder : engine.wasGivenUp ? .givenUp : failure)
        tell(
            .ended(
                engine.id,
                EngineEnd(
                    status: status, reason: launched.reasonForEnd, printedBefore: launched.printedBefore,
                    isHopeless: launched.isHopeless || launched.complaint != nil)))
    }

    /// Ends what there still is: engines see the end of their channels, and kill their tasks.
    func endAll() {
        commands.close()
        starter.dialer?.close()
        for engine in engines.values { close(engine) }
        let limit = MonotonicTime.now + .seconds(10)
        while !engines.isEmpty, MonotonicTime.now < limit {
            _ = signals.wait(seconds: 1)
            while signals.next() != nil {}
            for engine in engines.values { childMayHaveEnded(engine) }
        }
        for engine in engines.values {
            if let child = engine.launched.child { kill(child.pid, SIGKILL) }
            if engine.launched.carrier == .none { ProcessTree.killAll(with: engine.launched.mark) }
        }
    }
}
