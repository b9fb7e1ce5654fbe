import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem
import RunRecord

extension Driver {
    // MARK: Frames

    func take(_ frame: EngineFrame, from link: EngineLink) {
        switch frame {
        case .hello(let hello): greeted(by: link, hello)
        case .ready(let slots): ready(link, slots: slots)
        case .refused(let reason):
            link.complaint = reason
            send(.shutDown, to: link.id)
        case .started(let id, let cylinder, let pid, let start):
            tell(.taskStarted(link.id, id))
            if record != nil { recordStart(id, link, cylinder: cylinder, pid: pid, start: start) }
        case .finished(let id, let cylinder, let outcome):
            replacementsLeft = Self.replacementLimit
            link.context.failures[link.planIndex] = nil
            guard !awaitsFiles(id, cylinder: cylinder, outcome, from: link) else { break }
            tellEnd(of: id, cylinder, outcome, from: link)
        case .returned(let ids): tell(.assignmentsReturned(link.id, ids))
        case .withdrawn(let id): tell(.assignmentWithdrawn(link.id, id))
        case .followed(let id, let out, let err): followingBegan(id, on: link, out: out, err: err)
        case .output(let id, let piece): outputCame(piece, of: id, from: link)
        case .cpuUsed(let microseconds, let time):
            let planned = link.plan.coresPerTask * scheduler.slots(of: link.id)
            link.processors.note(microseconds, at: time, cores: min(planned, link.cores))
        case .leaseAcknowledged(let sentAt): tell(.leaseAcknowledged(link.id, sentAt: sentAt))
        case .signal(let number): engineSignalled(link, number)
        case .log(let level, let text): engineLogged(link, level, text)
        case .filesFollow(let id): tell(.filesAwaited(link.id, id))
        case .placesWanted(let id, let rule, let names): placesWanted(id, rule: rule, names, by: link)
        case .stagedEntriesWanted(let places): filesWanted(by: link, places)
        case .fileBegan(let file): fileBegan(file, from: link)
        case .fileData(let bytes): fileData(bytes, from: link)
        case .fileEnded(let isWhole): fileEnded(isWhole: isWhole, from: link)
        }
    }

    private func greeted(by link: EngineLink, _ hello: EngineHello) {
        guard link.stage == .greeting else { return }
        guard hello.version == configuration.version, hello.protocolVersion == EngineProtocol.version else {
            link.complaint =
                "its engine is of version \(hello.version), this driver of \(configuration.version): "
                + "install the same version on both"
            // What a frame means to it is not known; the end of the channel ends every engine.
            return channelEnded(link)
        }
        link.stage = .configuring
        link.pid = hello.pid
        link.cores = hello.cores
        link.guardName = hello.guardName
        send(.configure(engineConfiguration(link)), to: link.id)
        link.context.keepGuard(of: link)
        listFiles(for: link)
        link.configured = now()
        send(.lease(sentAt: now(), lease: scheduler.lease(of: link.id)), to: link.id)
    }

    private func engineConfiguration(_ link: EngineLink) -> EngineConfiguration {
        let (context, engine) = (link.context, link.plan)
        var result = EngineConfiguration(
            rank: link.id, slots: engine.slots,
            workingDirectory: Array((workingDirectory(in: context) ?? WorkingDirectory.path).utf8))
        result.makesWorkingDirectory = workingDirectory(in: context) != nil
        result.coresPerTask = engine.coresPerTask
        result.binding = context.bindsCores ? .cores : .none
        result.nodeKind = context.nodeKind(of: engine)
        result.environment = OwnEnvironment.entries()
        result.extraEnvironment = configuration.extraEnvironment.compactMap { setting in
            if let value = setting.value { return Array("\(setting.name)=\(value)".utf8) }
            return TaskEnvironment.value(of: setting.name, in: result.environment).map {
                Array("\(setting.name)=".utf8) + $0
            }
        }
        result.sharedVariables = context.terms.sharedVariables.map { Array($0.utf8) }
        result.jobID = Array(files.jobID.utf8)
        result.taskFileName = Array(configuration.origin.shortName.utf8)
        result.taskTimeout = configuration.taskTimeout
        result.killAfter = configuration.killAfter
        result.captureDirectory = configuration.captureDirectory.map { Array($0.utf8) }
        result.alwaysUsesShell = configuration.alwaysUsesShell
        result.lostGuards = (context.guards[link.planIndex] ?? []) + lostGuards.earlier(on: link.node)
        if let staging { result.staging = staging.told(isShared: context.isLeased(engine)) }
        return result
    }

    /// Where tasks run, if that is not the driver's own directory. Machines that were made for the run have none of
    /// its directories.
    private func workingDirectory(in context: RunContext) -> String? {
        configuration.workingDirectory ?? (context.plan.kind == "gce" ? "/home/disbatch/\(files.jobID)" : nil)
    }

    private func ready(_ link: EngineLink, slots: Int) {
        guard link.stage == .configuring else { return }
        guard 1...link.plan.slots ~= slots else {
            link.complaint = "it is ready with \(slots) slots, of \(link.plan.slots)"
            return send(.shutDown, to: link.id)
        }
        link.stage = .working
        let engine = link.plan
        entries.append(
            .engineJoined(
                JoinedEngine(
                    engine: link.id, context: link.context.id, node: link.node, pid: link.pid, slots: slots,
                    coresPerTask: engine.coresPerTask, time: wallNow())))
        log.write(.info, "engine \(link.id.rawValue) on \(link.node): ready, \(slots) slots")
        if slots < engine.slots {
            console.warn(
                "engine \(link.id.rawValue) on \(link.node): \(slots) slots, not \(engine.slots): -E has no more")
        }
        lostGuards.forgetEarlier(on: link.node)
        // It has ended what those before it in its place left.
        for name in link.context.guards[link.planIndex] ?? [] where name != link.guardName { lostGuards.forget(name) }
        join(link, slots: slots, roundTrip: now() - link.configured)
    }

    private func engineSignalled(_ link: EngineLink, _ number: Int32) {
        log.write(.warning, "engine \(link.id.rawValue) got \(SignalName.of(number))")
        if number == SIGTERM {
            // Somebody wants this engine to go: what runs there may end first.
            console.warn("engine \(link.id.rawValue) on \(link.node) got SIGTERM: it takes no more tasks")
        }
        tell(.drainRequested(.engine(link.id)))
        link.wasSignalled = true
        claimEnds(of: link.id)
    }

    private func engineLogged(_ link: EngineLink, _ level: LogLevel, _ text: String) {
        guard level >= configuration.logLevel else { return }
        writer.log(RunLog.line(level, text, at: wallNow()), to: link.log)
        if level >= .warning { console.warn("engine \(link.id.rawValue) on \(link.node): \(text)") }
    }

    // MARK: Ends

    func channelEnded(_ link: EngineLink) {
        guard !link.channelEnded else { return }
        closeChannel(of: link)
        finishIfGone(link)
    }

    func childMayHaveEnded(_ link: EngineLink) {
        guard link.childEnd == nil, let child = link.launched?.child, let (end, _) = child.reap() else { return }
        link.childEnd = end
        if child.pidfd >= 0 { poll.remove(child.pidfd) }
        child.close()
        finishIfGone(link)
    }

    /// The guard's end alone proves nothing if it was killed, nor does the channel's: the other of the two kills what
    /// is left first. Both have ended when nothing is left.
    func finishIfGone(_ link: EngineLink) {
        guard link.channelEnded, let end = link.childEnd, links[link.id.rawValue] === link, !holdsEnds(of: link)
        else { return }
        dropFiles(of: link)
        claimEnds(of: link.id)
        links[link.id.rawValue] = nil
        // With guard and engine killed at once nobody did it for them.
        if !link.isRemote, case .signalled = end, let mark = link.launched?.mark { ProcessTree.killAll(with: mark) }
        let reason = link.reason(for: end)
        log.write(.info, "engine \(link.id.rawValue) on \(link.node): gone, \(reason)")
        entries.append(.engineEnded(link.id, time: wallNow(), reason: reason))
        link.isDismissed ? retire(link, end) : replace(link, end, reason)
        if link.isProvedGone(by: end) {
            // A relay that was lost with its engine has said nothing.
            if link.relayed == nil || link.relayed?.end != nil {
                link.context.forgetGuard(of: link)
                lostGuards.forget(link.guardName)
            }
            tell(.engineGone(link.id))
        } else {
            tell(.engineSilent(link.id))
            link.context.silent.insert(link.id)
            endStep(of: link)
        }
        if link.relayed != nil { endContextIfOver(link.context) }
    }
}
