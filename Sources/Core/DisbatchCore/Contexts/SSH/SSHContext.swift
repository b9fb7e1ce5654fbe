/// Hosts that the user names, with their cores: `-s HOST:CORES[,HOST:CORES...]`.
package enum SSHContext {
    /// - Parameters:
    ///   - lists: the option's values, or that of `DISBATCH_SSH_NODELIST`.
    ///   - rank: the context's, for its label.
    package static func plan(
        _ lists: [String], rank: Int, _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        var hosts: [(name: String, cores: Int)] = []
        for entry in lists.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let (name, cores) = try parse(entry)
            if let place = hosts.firstIndex(where: { $0.name == name }) {
                hosts[place].cores += cores
            } else {
                hosts.append((name, cores))
            }
        }
        var engines: [EnginePlan] = []
        let ownCores = hosts.reduce(0) { $0 + (isThisHost($1.name, surroundings.hostName) ? $1.cores : 0) }
        for host in hosts {
            guard !isThisHost(host.name, surroundings.hostName) else {
                // Whatever its names here, it has one engine.
                if engines.contains(where: { $0.place == .here }) { continue }
                engines.append(try sizing.engine(on: surroundings.hostName, cores: ownCores))
                continue
            }
            var engine = try sizing.engine(on: host.name, cores: host.cores)
            engine.place = .ssh(host: host.name)
            engines.append(engine)
        }
        return ContextPlan(
            label: sizing.label ?? "SSH\(rank)", kind: "ssh", engines: engines, bindsCores: false,
            notes: hosts.map { "\($0.name): \($0.cores) cores" })
    }

    /// Whether a name means this machine: `localhost`, or the same before the first dot, as in disBatch.
    package static func isThisHost(_ name: String, _ hostName: String) -> Bool {
        name == "localhost" || name.prefix { $0 != "." } == hostName.prefix { $0 != "." }
    }

    private static func parse(_ entry: Substring) throws(ContextError) -> (name: String, cores: Int) {
        guard let colon = entry.lastIndex(of: ":"), colon > entry.startIndex,
            let cores = Int(entry[entry.index(after: colon)...]), (1...1_000_000).contains(cores)
        else {
            throw ContextError("-s: \"\(entry)\" is not HOST:CORES, such as localhost:8")
        }
        // A name like an option would be one of the SSH client's.
        let isName = !entry.utf8.contains { $0 <= 32 || $0 == 127 || $0 == UInt8(ascii: "/") }
        guard isName, entry.utf8.first != UInt8(ascii: "-") else {
            throw ContextError("-s: \"\(entry)\": a host's name has no blanks or slashes, and no dash before it")
        }
        return (String(entry[..<colon]), cores)
    }
}
