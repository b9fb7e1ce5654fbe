import DisbatchCore

/// Hosts that the user names, with their cores: `-s HOST:CORES[,HOST:CORES...]`.
package enum SSHContext {
    /// - Parameters:
    ///   - lists: the option's values, or that of `DISBATCH_SSH_NODELIST`.
    ///   - rank: the context's, for its label.
    package static func plan(
        _ lists: [String], rank: Int, _ request: ContextRequest
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
        var own: (name: String, cores: Int)?
        for host in hosts {
            guard isThisHost(host.name, request.hostName) else {
                throw ContextError(
                    "-s: \(host.name) is another machine, and SSH to other machines is not available yet; "
                        + "localhost:\(host.cores) uses this one")
            }
            own = (request.hostName, (own?.cores ?? 0) + host.cores)
        }
        if let own { engines.append(try request.engine(on: own.name, cores: own.cores)) }
        return ContextPlan(
            label: request.label ?? "SSH\(rank)", kind: "ssh", nodeKind: .local, engines: engines, bindsCores: false,
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
        return (String(entry[..<colon]), cores)
    }
}
