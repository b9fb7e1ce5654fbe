/// A job of Grid Engine: the hosts and slots of its parallel environment, or its one host.
package enum GridEngineContext {
    /// The hosts of `PE_HOSTFILE` with their slots; without a parallel environment this host, with `NSLOTS`.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let job = try surroundings.required("JOB_ID", .gridEngine)
        // Outside of array jobs it is the word "undefined".
        let member = surroundings.value("SGE_TASK_ID").flatMap { Int($0) }
        let hosts = try hosts(sizing, surroundings)
        // It gives slots, not cores: other jobs may run on any core of the host.
        var plan = ContextPlan(
            label: sizing.label ?? "J\(job)\(member.map { ".\($0)" } ?? "")", kind: "sge", engines: [],
            bindsCores: false, notes: hosts.map { "\($0.name): \($0.count) slots" })
        plan.job = "\(job)\(member.map { ".\($0)" } ?? "")"
        plan.endQuery = .gridEngine(job: job, member: member ?? 1)
        plan.isRestarted = surroundings.value("RESTARTED") == "1"
        for host in hosts {
            var engine = try sizing.engine(on: host.name, cores: host.count)
            if !surroundings.isThisMachine(host.name) {
                engine.place = .launched(Launcher(.gridEngine, "qrsh", ["-inherit", host.name]))
            }
            plan.engines.append(engine)
        }
        return plan
    }

    private static func hosts(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> [(name: String, count: Int)] {
        guard let path = surroundings.value("PE_HOSTFILE") else {
            return [(surroundings.hostName, try surroundings.count("NSLOTS") ?? 1)]
        }
        var counts = HostCounts()
        let text = try surroundings.file(of: "PE_HOSTFILE", .gridEngine)
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            // A host's name, its slots, the queue, and processors.
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            guard words.count >= 2, let slots = Int(words[1]), slots > 0, !words[0].contains("/") else {
                throw ContextError("\(path):\(number + 1): \"\(line)\" is no host with its slots: nothing was run")
            }
            counts.add(String(words[0]), slots)
        }
        guard !counts.hosts.isEmpty else { throw ContextError("\(path) (PE_HOSTFILE) is empty: nothing was run") }
        return counts.hosts
    }
}
