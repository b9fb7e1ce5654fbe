import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import RunRecord

/// What the driver keeps of engines that are started, and started again.
struct EngineLaunches {
    /// An engine that the scheduler knows of and that is not started yet.
    struct Pending {
        let id: EngineID
        let context: RunContext
        let planIndex: Int
        let at: Instant
    }

    var pending: [Pending] = []
    /// Why there is no engine where there should be one, for the summary.
    var reasons: [String] = []
    /// What was said of engines that are given no more tasks, for the summary.
    var quarantined: [String] = []
}

extension Driver {
    /// So many engines are started at a time; the others wait until these have answered.
    private static let startsAtOnce = 32

    /// Launches the engines of the run's own context.
    func openOwnContext() {
        contextIsOpen = true
        if let context = contexts.first, context.relay == nil { open(context) }
    }

    /// Launches a context's engines.
    func open(_ context: RunContext) {
        let plan = context.plan
        allowRetirement(in: context)
        entries.append(.contextAdded(context.id, label: plan.label, kind: plan.kind))
        if plan.engines.contains(where: context.isLeased) {
            AliveLock.note(lease: configuration.lease, in: aliveDescriptor)
        }
        for place in plan.engines.indices { schedule(place, in: context, at: now()) }
        launchDue()
    }

    /// Tells the scheduler of an engine to come.
    func schedule(_ planIndex: Int, in context: RunContext, at time: Instant) {
        let id = EngineID(links.count)
        let engine = context.plan.engines[planIndex]
        links.append(nil)
        tell(.engineLaunched(id, in: context.id, node: engine.node, leased: context.isLeased(engine)))
        launches.pending.append(
            EngineLaunches.Pending(id: id, context: context, planIndex: planIndex, at: time))
    }

    /// When the next engine is to be launched.
    var nextLaunch: Instant {
        guard !launches.pending.isEmpty, startingCount < Self.startsAtOnce else { return .distantFuture }
        return launches.pending.reduce(.distantFuture) { min($0, $1.at) }
    }

    private var startingCount: Int {
        links.count { link in link.map { $0.isUnknown && !$0.channelEnded && $0.relayed?.isCutOff != true } ?? false }
    }

    /// Launches what is due.
    func launchDue() {
        while now() >= nextLaunch, let place = launches.pending.firstIndex(where: { $0.at <= now() }) {
            launch(launches.pending.remove(at: place))
        }
    }

    /// Launches one engine, or tells the scheduler that it can't be.
    private func launch(_ pending: EngineLaunches.Pending) {
        let (id, context) = (pending.id, pending.context)
        let engine = context.plan.engines[pending.planIndex]
        let path = files.engineLog(label: context.plan.label, node: engine.node, rank: id.rawValue)
        do {
            switch context.launching {
            case .own(let starter):
                let errors = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
                let launched = try starter.launch(engine, id: id, errors: errors, step: stepName(of: id))
                let link = add(id, in: context, pending.planIndex, .own(launched), log: path)
                guard launched.child != nil else {
                    return log.write(.info, "engine \(id.rawValue) on \(engine.node): dialled by libssh2")
                }
                try watch(link)
            case .relay(let relay):
                guard relay.peer != nil else { throw SystemError("reach the relay", code: ENOTCONN) }
                _ = add(id, in: context, pending.planIndex, .relayed(RelayedWay(relay)), log: path)
                relay.order(.launch(id, place: pending.planIndex, errors: path, step: stepName(of: id)))
                markUnsent(relay)
            }
        } catch {
            links[id.rawValue] = nil
            engineFailed(id, in: context, node: engine.node, "\(error)")
            tell(.engineGone(id))
        }
    }

    private func add(
        _ id: EngineID, in context: RunContext, _ planIndex: Int, _ way: EngineLink.Way, log path: String
    ) -> EngineLink {
        let link = EngineLink(id: id, context: context, planIndex: planIndex, way: way, log: writer.addLog(path))
        links[id.rawValue] = link
        return link
    }

    /// Watches what was started to carry an engine's channel.
    func watch(_ link: EngineLink) throws(SystemError) {
        guard let launched = link.launched, let child = launched.child else { return }
        awaitGreeting(of: link)
        if !link.isRemote { AliveLock.note(launched.mark, in: aliveDescriptor) }
        try poll.add(link.descriptor, token: Self.channelKind | UInt64(link.id.rawValue))
        if child.pidfd >= 0 { try poll.add(child.pidfd, token: Self.childKind | UInt64(link.id.rawValue)) }
        log.write(.info, "engine \(link.id.rawValue) on \(link.node): launched, pid \(child.pid)")
    }

    /// Gives an engine to which there is a way its time to say what it is.
    func awaitGreeting(of link: EngineLink) {
        link.answerDue = now() + configuration.greetingPatience
        greetingDeadline = min(greetingDeadline, link.answerDue)
    }

    /// Ends what was launched as an engine and does not speak as one in time.
    func endSilentEngines() {
        let patience = configuration.greetingPatience
        greetingDeadline = .distantFuture
        for case .some(let link) in links where link.isUnknown && !link.channelEnded {
            // Its program may be on its way to the host.
            let due = link.launched?.wasSent == true ? link.answerDue + .seconds(600) : link.answerDue
            guard now() >= due else {
                greetingDeadline = min(greetingDeadline, due)
                continue
            }
            let printed = link.printedBefore.isEmpty ? "" : "; it printed: \(link.printedBefore)"
            link.complaint = "it did not answer within \(patience.components.seconds) s\(printed)"
            if let child = link.launched?.child { kill(child.pid, SIGKILL) }
            channelEnded(link)
        }
    }

    func engineFailed(_ id: EngineID, in context: RunContext, node: String, _ reason: String) {
        console.error("engine \(id.rawValue) on \(node): \(reason)")
        log.write(.error, "engine \(id.rawValue) on \(node): \(reason)")
        launches.reasons.append("\(node): \(reason)")
        context.reasons.append("\(node): \(reason)")
    }

    // MARK: Again

    /// Starts another engine in the place of one that ended unasked, where that may help.
    func replace(_ link: EngineLink, _ end: ProcessEnd, _ reason: String) {
        if link.context.isElastic || link.relayed?.isCutOff == true {
            let isFailure = end != .exited(status: 0) || link.complaint != nil
            return isFailure ? log.write(.warning, "engine \(link.id.rawValue) on \(link.node): \(reason)") : ()
        }
        if link.isRemote { return reconnect(link, end, reason) }
        guard link.stage == .working else {
            return engineFailed(link.id, in: link.context, node: link.node, reason)
        }
        // What can't work at all is not tried for ever; an engine that was killed is replaced.
        guard end != .exited(status: 0), replacementsLeft > 0 else { return }
        replacementsLeft -= 1
        schedule(link.planIndex, in: link.context, at: now())
        launchDue()
    }

    /// Tries a host again, with growing pauses.
    private func reconnect(_ link: EngineLink, _ end: ProcessEnd, _ reason: String) {
        guard end != .exited(status: 0) || link.complaint != nil else { return }
        let failures = link.context.failures[link.planIndex, default: 0] + 1
        link.context.failures[link.planIndex] = failures
        let isFinal = link.complaint != nil || link.isHopeless || LaunchFailure.isPermanent(reason)
        guard !isFinal, failures <= configuration.reconnects else {
            return engineFailed(link.id, in: link.context, node: link.node, reason)
        }
        let seconds = min(60, 1 << (failures - 1))
        console.warn("engine \(link.id.rawValue) on \(link.node): \(reason); trying again in \(seconds) s")
        log.write(.warning, "engine \(link.id.rawValue) on \(link.node): \(reason); again in \(seconds) s")
        schedule(link.planIndex, in: link.context, at: now() + .seconds(seconds))
    }

    /// Gives an engine up, whether it was started or is yet to be.
    func abandon(_ engine: EngineID) {
        launches.pending.removeAll { $0.id == engine }
        guard let link = links[engine.rawValue] else { return }
        log.write(.warning, "engine \(engine.rawValue) on \(link.node): given up")
        if link.stage != .working || heldBack.contains(link) { link.isDismissed = true }
        // The engine ends its tasks and itself when its channel ends. Who is to carry its end may be cut off.
        if link.isRemote, let child = link.launched?.child { kill(child.pid, SIGTERM) }
        closeChannel(of: link)
        // What its relay says of it after this is no longer of use.
        if link.relayed != nil { link.childEnd = link.childEnd ?? .signalled(SIGTERM) }
        finishIfGone(link)
    }
}
