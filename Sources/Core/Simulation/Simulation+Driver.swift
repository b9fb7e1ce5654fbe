import DisbatchCore

/// The driver's world beside its engines: contexts, a resource manager, hosts that are all cut off.
extension Simulation {
    /// Contexts of relays always have a lease.
    var contextCount: Int { parameters.lease > 0 ? max(1, parameters.contexts) : 1 }

    /// The first context is the run's own; relays bring the others.
    func newContext(_ index: Int) -> NewContext {
        let hosts = (0..<parameters.engines).filter { $0 % contextCount == index }
        let isAllocation = index == 0 && parameters.allocationSeconds > 0
        let engines = hosts.map { host in
            var engine = EnginePlan(node: "n\(host)", slots: parameters.slots, coresPerTask: 1)
            if isAllocation {
                engine.place = .launched(Launcher(.slurm, "srun", []))
            } else if parameters.lease > 0 {
                engine.place = .ssh(host: engine.node)
            }
            return engine
        }
        var plan = ContextPlan(
            label: "C\(index)", kind: isAllocation ? "slurm" : "ssh", engines: engines, bindsCores: false, notes: [])
        if isAllocation {
            plan.job = "1"
            plan.endQuery = .gridEngine(job: "1", member: 1)
        }
        var policy = ContextPolicy()
        policy.contextTaskLimit = parameters.contextLimit > 0 ? parameters.contextLimit : nil
        policy.retirement = parameters.retires != 0 ? .command("true") : .none
        var new = NewContext(plan: plan, policy: policy)
        new.isRelayed = index > 0
        return new
    }

    func planDriver() {
        if parameters.blackoutAt > 0 {
            let begin = now + parameters.blackoutAt.nanoseconds
            queue.add(.blackout(until: begin + parameters.blackoutSeconds.nanoseconds), at: begin)
        }
        if parameters.sleepAt > 0 {
            let begin = now + parameters.sleepAt.nanoseconds
            queue.add(.driverSleeps(until: begin + parameters.sleepSeconds.nanoseconds), at: begin)
        }
        if parameters.allocationSeconds > 0 {
            queue.add(.allocationEnds, at: now + parameters.allocationSeconds.nanoseconds)
        }
    }

    // MARK: Blackout

    /// Cuts all hosts off, until a time. Relays' connections are lost with them.
    func blackout(until: Int64) {
        report.blackouts += 1
        for host in hosts.indices { hosts[host].isCut = true }
        for index in engines.indices where engines[index].isUp && engines[index].isChannelOpen {
            engines[index].isCut = true
            engines[index].isCutOneWay = false
        }
        for context in 1..<max(1, contextCount) {
            queue.add(.atDriver(.relayLost(ContextID(context))), at: now + 1_000_000_000)
            queue.add(.atDriver(.relayReturned(ContextID(context))), at: max(until, now + 2_000_000_000))
        }
        queue.add(.hostsBack, at: until)
    }

    func hostsAreBack() {
        for host in hosts.indices { hosts[host].isCut = false }
        for index in engines.indices { linkBack(index) }
    }

    // MARK: The resource manager

    /// Answers a command in a while, or fails to.
    func ask(_ purpose: CommandPurpose) {
        let time = now + random.between(0.01, 1).nanoseconds
        if random.chance(0.1) { return queue.add(.answered(purpose, ManagerAnswer(status: 1, text: "busy")), at: time) }
        switch purpose {
        case .allocationEnd:
            let end = 1 + Int(parameters.allocationSeconds)
            let text =
                "<JAT_task_number>1</JAT_task_number><JAT_start_time>0</JAT_start_time>"
                + "<CE_name>h_rt</CE_name><CE_doubleval>\(end)</CE_doubleval>"
            queue.add(.answered(purpose, ManagerAnswer(status: 0, text: text)), at: time)
        case .lostStep(_, let engine):
            let isThere = engines[engine.rawValue].isUp
            if isThere { die(engine.rawValue, isProven: false) }
            let answer = ManagerAnswer(status: isThere ? LostSteps.stillThere : 0, text: "")
            queue.add(.answered(purpose, answer), at: time)
        case .retirement: queue.add(.answered(purpose, ManagerAnswer(status: 0, text: "")), at: time)
        }
    }

    /// The manager ends the job: it signals tasks, and soon kills all that is there.
    func endAllocation() {
        report.allocationEnds += 1
        for index in engines.indices where engines[index].context.rawValue == 0 {
            guard engines[index].isUp else {
                engines[index].isOver = true
                continue
            }
            if !engines[index].isFrozen { signalTasks(index) }
            queue.add(.fault(index, .death(isProven: false)), at: now + random.between(0.01, 0.3).nanoseconds)
            queue.add(.carrierEnded(index, status: 255), at: now + random.between(0.31, 0.8).nanoseconds)
        }
        for host in hosts.indices where host % contextCount == 0 { hosts[host].isGone = true }
    }

    // MARK: The end

    /// A run ends for want of engines only when none can come.
    func checkHosts(_ ending: RunEnding) -> String? {
        // Where somebody wanted engines to go, or none is launched again, they do not come back.
        guard ending == .noEngine, parameters.lease > 0, parameters.reconnects > 0, parameters.contextLimit == 0,
            parameters.drainAt + parameters.endAt + parameters.stopAt + parameters.allocationSeconds == 0
        else { return nil }
        for (index, host) in hosts.enumerated() where index % contextCount == 0 {
            guard !host.isFinal, !host.isGone, host.failuresInARow <= parameters.reconnects else { continue }
            return "the run ended without an engine, though host \(index) was tried again only "
                + "\(host.failuresInARow) times of \(parameters.reconnects)"
        }
        return nil
    }
}

extension SimulatedEvent {
    /// Whether it happens at the driver, so that one that stands still does not see it yet.
    var isAtDriver: Bool {
        switch self {
        case .toDriver, .carrierEnded, .confirmedGone, .speechDue, .answered, .atDriver, .driverTimer, .sourceReady,
            .rowsSynced,
            .userKills:
            true
        default: false
        }
    }
}
