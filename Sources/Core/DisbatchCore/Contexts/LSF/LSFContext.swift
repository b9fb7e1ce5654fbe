/// A job of LSF: its hosts with their slots.
package enum LSFContext {
    /// The hosts of `LSB_MCPU_HOSTS`, or of the file that `LSB_DJOB_HOSTFILE` names.
    package static func plan(
        _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        let job = try surroundings.required("LSB_JOBID", .lsf)
        let hosts = try hosts(surroundings)
        // 0 outside of array jobs.
        let member = try surroundings.value("LSB_JOBINDEX") == "0" ? nil : surroundings.count("LSB_JOBINDEX")
        var plan = ContextPlan(
            label: sizing.label ?? "J\(job)\(member.map { ".\($0)" } ?? "")", kind: "lsf", engines: [],
            bindsCores: false, notes: hosts.map { "\($0.name): \($0.count) slots" })
        for host in hosts {
            var engine = try sizing.engine(on: host.name, cores: host.count)
            if !surroundings.isThisMachine(host.name) {
                engine.place = .launched(Launcher(.lsf, "blaunch", [host.name]))
            }
            plan.engines.append(engine)
        }
        return plan
    }

    /// `hostA 5 hostB 3`, or a file with a line for each slot: the former is left out where it would be too long.
    private static func hosts(_ surroundings: Surroundings) throws(ContextError) -> [(name: String, count: Int)] {
        guard let text = surroundings.value("LSB_MCPU_HOSTS") else {
            let hosts = HostCounts(lines: try surroundings.file(of: "LSB_DJOB_HOSTFILE", .lsf)).hosts
            guard !hosts.isEmpty else { throw ContextError("LSB_DJOB_HOSTFILE names no host: nothing was run") }
            return hosts
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        var counts = HostCounts()
        for place in stride(from: 0, to: words.count, by: 2) {
            guard place + 1 < words.count, let slots = Int(words[place + 1]), slots > 0, !words[place].contains("/")
            else { throw ContextError("LSB_MCPU_HOSTS is \"\(text)\", no hosts with their slots: nothing was run") }
            counts.add(String(words[place]), slots)
        }
        return counts.hosts
    }
}
