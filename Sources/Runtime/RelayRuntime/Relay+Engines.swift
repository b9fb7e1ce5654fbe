package import DisbatchCore
package import EngineHosting
import Glibc
import LinuxSystem

/// A relay's dealings with its engines.
extension Relay {
    func perform(_ order: RelayOrder) {
        switch order {
        case .accepted(_, let label, let patience):
            host.patience = patience
            guard backend == nil else { return }
            let slots = plan.engines.reduce(0) { $0 + $1.slots }
            say(
                "\(join.name): context \(label) with \(plan.engines.count) "
                    + "engine\(plan.engines.count == 1 ? "" : "s") and \(slots) slot\(slots == 1 ? "" : "s")")
        case .refused(let reason):
            say("\(join.name): \(reason)")
            exitStatus = 1
        case .launch(let id, let planIndex, let errors, let step): launch(id, planIndex, errors: errors, step: step)
        case .say(let id, let bytes):
            engines[id]?.writer.append(bytes)
            unflushed.insert(id)
        case .close(let id): engines[id]?.giveUp()
        case .run(let number, let words): commands.submit(words, for: number)
        case .demand(let demand): backend?.demandChanged(demand)
        case .released(let text, let isGood):
            say("\(join.name): this context is over: \(text)")
            exitStatus = isGood ? 0 : 1
        }
    }

    /// Offers the driver one more engine.
    ///
    /// - Returns: its index in the plan, by which ``ElasticBackend/launched(_:planIndex:)`` knows it.
    package func offer(_ engine: EnginePlan) -> Int {
        plan.engines.append(engine)
        tell(.engineOffered(engine))
        return plan.engines.count - 1
    }

    /// Asks the driver to give an engine no more tasks; it ends when it has none.
    package func leave(_ id: EngineID) { tell(.engineLeaving(id)) }

    /// Tells the driver that nothing of an engine is left, though its end did not prove that.
    package func confirmGone(_ id: EngineID) { tell(.gone(id)) }

    /// Tells the driver that no more engines come.
    package func complete() { tell(.complete) }

    /// Has something written into the driver's log, and a warning shown to its user.
    package func log(_ level: LogLevel, _ text: String) { tell(.log(level, text)) }

    private func launch(_ id: EngineID, _ planIndex: Int, errors path: String, step: String) {
        guard plan.engines.indices.contains(planIndex), engines[id] == nil else { return }
        backend?.launched(id, planIndex: planIndex)
        do throws(SystemError) {
            let hosted = try host.launch(
                plan.engines[planIndex], id: id, errors: try Self.openErrors(path), step: step)
            engines[id] = RelayedEngine(hosted)
        } catch {
            backend?.ended(id, .failed(reason: "\(error)"))
            tell(.ended(id, EngineEnd(status: 1, reason: "\(error)", printedBefore: "", isHopeless: false)))
        }
    }

    /// The file beside the run's others; nowhere, where they are not to be reached from here.
    private static func openErrors(_ path: String) throws(SystemError) -> Descriptor {
        do throws(SystemError) { return try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND) } catch {
            return try Descriptor.inMemory()
        }
    }

    /// Sends engines what the driver has for them.
    func flushEngines() {
        for id in unflushed {
            guard let engine = engines[id] else { continue }
            engine.flush()
            if let count = engine.takeForwarded() { tell(.passedOn(id, count: count)) }
        }
        unflushed.removeAll(keepingCapacity: true)
    }

    /// Ends what there still is: engines see the end of their channels, and kill their tasks.
    func endAll() {
        commands.close()
        host.endAll(signals)
    }
}

extension Relay: EngineHostDelegate {
    /// See ``EngineHostDelegate``.
    package func engineSpoke(_ id: EngineID) {
        tell(.spoke(id))
        backend?.spoke(id)
    }

    /// See ``EngineHostDelegate``.
    package func engineSaid(_ id: EngineID, _ bytes: UnsafeRawBufferPointer) { tell(.said(id, Array(bytes))) }

    /// See ``EngineHostDelegate``.
    package func engineNeedsFlush(_ id: EngineID) { unflushed.insert(id) }

    /// See ``EngineHostDelegate``.
    package func engineEnded(_ id: EngineID, _ end: EngineEnd) {
        guard let engine = engines.removeValue(forKey: id) else { return }
        let failure = EngineDeparture.failed(reason: end.reason ?? "status \(end.status)")
        backend?.ended(id, end.status == 0 ? .inOrder : engine.wasGivenUp ? .givenUp : failure)
        tell(.ended(id, end))
    }

    /// See ``EngineHostDelegate``. The driver has the log, and hears what matters there.
    package func engineNoted(_ engine: HostedEngine, _ text: String) {}
}
