import DisbatchContexts
import DisbatchCore
import Glibc
import LinuxSystem
import RunRecord

/// What the driver keeps of engines that it starts, and starts again.
struct EngineLaunches {
    /// An engine that the scheduler knows of and that is not started yet.
    struct Pending {
        let id: EngineID
        let planIndex: Int
        let at: Instant
    }

    var pending: [Pending] = []
    /// How often an engine of the plan was lost since it last finished a task.
    var failures: [Int: Int] = [:]
    /// Why there is no engine where there should be one, for the summary.
    var reasons: [String] = []
    /// What was said of engines that are given no more tasks, for the summary.
    var quarantined: [String] = []
    /// What logging in to hosts takes; nil where there are none.
    let remote: RemoteLaunching?
    /// The paths of resource managers' programs, by name.
    let launchers: [String: String]
}

/// What logging in to hosts takes.
struct RemoteLaunching: Sendable {
    let image: EngineImage
    /// The path of OpenSSH's client.
    let client: String
    let choice: SSHClientChoice

    /// Nil where the plan has no other host.
    static func make(
        _ plan: ContextPlan, _ configuration: RunConfiguration
    ) throws(StartError) -> RemoteLaunching? {
        guard plan.engines.contains(where: \.isLoggedInTo) else { return nil }
        guard let client = ChildProcess.find("ssh") else {
            throw StartError("-s: ssh is not on PATH; install OpenSSH's client (openssh-client)")
        }
        return RemoteLaunching(
            image: try EngineImage(path: configuration.enginePath), client: client, choice: configuration.sshClient)
    }
}

extension Driver {
    /// So many engines are started at a time; the others wait until these have answered.
    private static let startsAtOnce = 32

    /// Launches the context's engines.
    func openContext() {
        contextIsOpen = true
        allowRetirement()
        entries.append(.contextAdded(ContextID(0), label: plan.label, kind: plan.kind))
        if plan.engines.contains(where: { $0.place != .here }) {
            AliveLock.note(lease: configuration.lease, in: aliveDescriptor)
        }
        for place in plan.engines.indices { schedule(place, at: now()) }
        launchDue()
    }

    /// Tells the scheduler of an engine to come.
    private func schedule(_ planIndex: Int, at time: Instant) {
        let id = EngineID(links.count)
        let engine = plan.engines[planIndex]
        links.append(nil)
        tell(.engineLaunched(id, in: ContextID(0), node: engine.node, leased: engine.place != .here))
        launches.pending.append(EngineLaunches.Pending(id: id, planIndex: planIndex, at: time))
    }

    /// When the next engine is to be launched.
    var nextLaunch: Instant {
        guard !launches.pending.isEmpty, startingCount < Self.startsAtOnce else { return .distantFuture }
        return launches.pending.reduce(.distantFuture) { min($0, $1.at) }
    }

    private var startingCount: Int {
        links.count { link in link.map { $0.isUnknown && !$0.channelEnded } ?? false }
    }

    /// Launches what is due.
    func launchDue() {
        while now() >= nextLaunch, let place = launches.pending.firstIndex(where: { $0.at <= now() }) {
            launch(launches.pending.remove(at: place))
        }
    }

    /// Launches one engine, or tells the scheduler that it can't be.
    private func launch(_ pending: EngineLaunches.Pending) {
        let engine = plan.engines[pending.planIndex]
        let id = pending.id
        let path = files.engineLog(label: plan.label, node: engine.node, rank: id.rawValue)
        do {
            let errors = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
            let command = command(of: engine, id)
            let link = EngineLink(
                id: id, planIndex: pending.planIndex, context: ContextID(0), node: engine.node,
                carrier: command.carrier, image: command.image, errors: errors, log: writer.addLog(path))
            links[id.rawValue] = link
            if case .ssh(let host) = engine.place, let dialer {
                dial(host, for: link, by: dialer)
            } else {
                try start(command, for: link)
            }
        } catch {
            links[id.rawValue] = nil
            engineFailed(id, node: engine.node, "\(error)")
            tell(.engineGone(id))
        }
    }

    /// Starts what carries an engine's channel.
    func start(_ command: EngineCommand, for link: EngineLink) throws(SystemError) {
        try link.start(command, usesProcessDescriptors: usesProcessDescriptors)
        awaitGreeting(of: link)
        if !link.isRemote { AliveLock.note(link.mark, in: aliveDescriptor) }
        try poll.add(link.descriptor, token: Self.channelKind | UInt64(link.id.rawValue))
        if let child = link.child {
            if child.pidfd >= 0 { try poll.add(child.pidfd, token: Self.childKind | UInt64(link.id.rawValue)) }
            log.write(.info, "engine \(link.id.rawValue) on \(link.node): launched, pid \(child.pid)")
        }
    }

    /// Gives an engine to which there is a way its time to say what it is.
    func awaitGreeting(of link: EngineLink) {
        link.answerDue = now() + configuration.greetingPatience
        greetingDeadline = min(greetingDeadline, link.answerDue)
    }

    func command(of engine: EnginePlan, _ id: EngineID) -> EngineCommand {
        if case .ssh(let host) = engine.place, let remote = launches.remote {
            return .ssh(remote.client, host: host, image: remote.image)
        }
        if case .launched(var launcher) = engine.place, let program = launches.launchers[launcher.program] {
            if launcher.manager == .slurm { launcher.arguments += ["-J", stepName(of: id)] }
            let env = launches.launchers["env"] ?? "env"
            return .launched(launcher.words(env: env, program: program, engine: configuration.enginePath))
        }
        return .here(configuration.enginePath, lock: aliveDescriptor)
    }

    /// Ends what was launched as an engine and does not speak as one in time.
    func endSilentEngines() {
        let patience = configuration.greetingPatience
        greetingDeadline = .distantFuture
        for case .some(let link) in links where link.isUnknown && !link.channelEnded {
            guard now() >= link.answerDue else {
                greetingDeadline = min(greetingDeadline, link.answerDue)
                continue
            }
            let printed = link.printedBefore.isEmpty ? "" : "; it printed: \(link.printedBefore)"
            link.complaint = "it did not answer within \(patience.components.seconds) s\(printed)"
            if let child = link.child { kill(child.pid, SIGKILL) }
            channelEnded(link)
        }
    }

    func engineFailed(_ id: EngineID, node: String, _ reason: String) {
        console.error("engine \(id.rawValue) on \(node): \(reason)")
        log.write(.error, "engine \(id.rawValue) on \(node): \(reason)")
        launches.reasons.append("\(node): \(reason)")
    }

    // MARK: Again

    /// Starts another engine in the place of one that ended unasked, where that may help.
    func replace(_ link: EngineLink, _ end: ProcessEnd, _ reason: String) {
        if link.isRemote { return reconnect(link, end, reason) }
        guard link.stage == .working else { return engineFailed(link.id, node: link.node, reason) }
        // What can't work at all is not tried for ever; an engine that was killed is replaced.
        guard end != .exited(status: 0), replacementsLeft > 0 else { return }
        replacementsLeft -= 1
        schedule(link.planIndex, at: now())
        launchDue()
    }

    /// Tries a host again, with growing pauses.
    private func reconnect(_ link: EngineLink, _ end: ProcessEnd, _ reason: String) {
        guard end != .exited(status: 0) || link.complaint != nil else { return }
        let failures = launches.failures[link.planIndex, default: 0] + 1
        launches.failures[link.planIndex] = failures
        let isFinal =
            link.complaint != nil || link.isHopeless || SSHFailure.isPermanent(reason)
            || LauncherFailure.isPermanent(reason)
        guard !isFinal, failures <= configuration.reconnects else {
            return engineFailed(link.id, node: link.node, reason)
        }
        let seconds = min(60, 1 << (failures - 1))
        console.warn("engine \(link.id.rawValue) on \(link.node): \(reason); trying again in \(seconds) s")
        log.write(.warning, "engine \(link.id.rawValue) on \(link.node): \(reason); again in \(seconds) s")
        schedule(link.planIndex, at: now() + .seconds(seconds))
    }

    /// Gives an engine up, whether it was started or is yet to be.
    func abandon(_ engine: EngineID) {
        launches.pending.removeAll { $0.id == engine }
        guard let link = links[engine.rawValue] else { return }
        log.write(.warning, "engine \(engine.rawValue) on \(link.node): given up")
        if link.stage != .working { link.isDismissed = true }
        // The engine ends its tasks and itself when its channel ends. Who is to carry its end may be cut off.
        if link.isRemote, let child = link.child { kill(child.pid, SIGTERM) }
        closeChannel(of: link)
        finishIfGone(link)
    }
}

/// What OpenSSH's client says of a host.
enum SSHFailure {
    /// Whether trying again can't help: the user has something to change.
    static func isPermanent(_ message: String) -> Bool {
        let signs = [
            "Permission denied", "Host key verification failed", "Could not resolve hostname",
            "Too many authentication",
            "Bad configuration option", "no such identity",
        ]
        return signs.contains { message.contains($0) }
    }
}
