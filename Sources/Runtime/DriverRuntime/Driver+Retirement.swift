import DisbatchCore
import EngineHosting
import LinuxSystem

/// Nodes of the context that nothing is left for.
struct RetiredNodes {
    /// Those that are to be given back, with their engines' exit statuses.
    var waiting: [(node: String, status: Int32)] = []
    /// All so far.
    var all: Set<String> = []
    var nextRun = Instant.distantFuture
    var lastRun = Instant(nanoseconds: 0)
}

extension Driver {
    /// Nodes that go within this time are given back together, and the manager is asked this often at most.
    private static let gathering = Duration.seconds(1)
    private static let retiringInterval = Duration.seconds(10)

    /// Lets engines go before the end, where that is of use to anybody.
    func allowRetirement(in context: RunContext) {
        switch context.terms.retirement {
        case .none: return
        case .standard: guard context.plan.kind == "slurm" else { return }
        case .command: break
        }
        tell(.retirementAllowed(context.id, keeping: context.plan.home))
    }

    /// Takes in that an engine went because nothing was left for it.
    func retire(_ link: EngineLink, _ end: ProcessEnd) {
        let context = link.context
        guard context.terms.retirement != .none, scheduler.isRunning, context.times.done.rawValue < 2,
            link.node != context.plan.home,
            !links.contains(where: { $0?.context === context && $0?.node == link.node })
        else { return }
        if context.terms.retirement == .standard, context.plan.kind != "slurm" { return }
        let status: Int32 = if case .exited(let status) = end { status } else { -1 }
        context.retired.waiting.append((link.node, status))
        context.retired.all.insert(link.node)
        context.retired.nextRun = max(now() + Self.gathering, context.retired.lastRun + Self.retiringInterval)
    }

    /// Gives back what has been waiting for it.
    func giveNodesBack(of context: RunContext) {
        let plan = context.plan
        let nodes = context.retired.waiting
        context.retired.waiting = []
        context.retired.nextRun = .distantFuture
        context.retired.lastRun = now()
        let retired = context.retired
        guard !nodes.isEmpty, scheduler.isRunning else { return }
        var active: [String] = []
        for engine in plan.engines where !retired.all.contains(engine.node) && !active.contains(engine.node) {
            active.append(engine.node)
        }
        let names = nodes.map(\.node).joined(separator: ",")
        let statuses = nodes.map { "\($0.status)" }.joined(separator: ",")
        let all = plan.engines.map(\.node).filter(retired.all.contains)
        var settings = ["NODE=\(names)", "NODES=\(names)", "RETCODE=\(statuses)", "RETCODES=\(statuses)"]
        settings += ["ACTIVE=\(active.joined(separator: ","))", "RETIRED=\(all.joined(separator: ","))"]
        if let home = plan.home, !active.contains(home) { settings.append("DRIVER_NODE=\(home)") }
        log.write(.info, "giving back \(names); staying: \(active.joined(separator: ","))")
        run(
            ["env"] + settings + ["/bin/sh", "-c", retirementCommand(context.terms.retirement)],
            for: .retirement(context.id, nodes: names))
    }

    private func retirementCommand(_ retirement: RetirementChoice) -> String {
        if case .command(let command) = retirement { return command }
        // It leaves scripts in its working directory.
        return """
            dir=$(mktemp -d) && cd "$dir" || exit
            scontrol update JobId="$SLURM_JOB_ID" NodeList="${DRIVER_NODE:+$DRIVER_NODE,}$ACTIVE"
            status=$?; cd / && rm -r "$dir"; exit $status
            """
    }

    func takeRetirement(_ outcome: CommandOutcome, nodes: String) {
        let text = outcome.text.split(whereSeparator: \.isNewline).joined(separator: "; ")
        guard !outcome.isGood else { return log.write(.info, "gave back \(nodes)\(text.isEmpty ? "" : ": \(text)")") }
        log.write(.warning, "\(nodes) could not be given back: \(text.isEmpty ? "the command failed" : text)")
    }
}
