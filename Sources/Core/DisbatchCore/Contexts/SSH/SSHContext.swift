/// Hosts that the user names, with their cores: `-s HOST:CORES[,HOST:CORES...]`.
package enum SSHContext {
    /// - Parameters:
    ///   - lists: the option's values, or that of `DISBATCH_SSH_NODELIST`.
    ///   - rank: the context's, for its label.
    package static func plan(
        _ lists: [String], rank: Int, _ sizing: ContextSizing, _ surroundings: Surroundings
    ) throws(ContextError) -> ContextPlan {
        var counts = HostCounts()
        for entry in lists.flatMap({ $0.split(separator: ",") }) where !entry.allSatisfy(\.isWhitespace) {
            let (name, cores) = try parse(trimmed(entry))
            counts.add(name, cores)
        }
        let hosts = counts.hosts
        guard !hosts.isEmpty else { throw ContextError("-s names no host: HOST:CORES is wanted, such as localhost:8") }
        var engines: [EnginePlan] = []
        let ownCores = hosts.reduce(0) { $0 + (surroundings.isThisMachine($1.name) ? $1.count : 0) }
        for host in hosts {
            guard !surroundings.isThisMachine(host.name) else {
                // Whatever its names here, it has one engine.
                if engines.contains(where: { $0.place == .here }) { continue }
                engines.append(try sizing.engine(on: surroundings.hostName, cores: ownCores))
                continue
            }
            var engine = try sizing.engine(on: host.name, cores: host.count)
            engine.place = .ssh(host: host.name)
            engines.append(engine)
        }
        return ContextPlan(
            label: sizing.label ?? "SSH\(rank)", kind: "ssh", engines: engines, bindsCores: false,
            notes: hosts.map { "\($0.name): \($0.count) cores" })
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop(while: \.isWhitespace)
        return start.prefix(upTo: start.lastIndex { !$0.isWhitespace }.map { start.index(after: $0) } ?? start.endIndex)
    }

    private static func parse(_ entry: Substring) throws(ContextError) -> (name: String, cores: Int) {
        guard let colon = entry.lastIndex(of: ":"), !["", "[]"].contains(entry[..<colon]),
            let cores = Int(entry[entry.index(after: colon)...]), (1...1_000_000).contains(cores)
        else {
            throw ContextError("-s: \"\(entry)\" is not HOST:CORES, such as localhost:8")
        }
        // A name like an option would be one of the SSH client's.
        let isName = !entry.utf8.contains { $0 <= 32 || $0 == 127 || $0 == UInt8(ascii: "/") }
        guard isName, entry.utf8.first != UInt8(ascii: "-") else {
            throw ContextError("-s: \"\(entry)\": a host's name has no blanks or slashes, and no dash before it")
        }
        let name = entry[..<colon]
        // An address of IPv6 may stand in brackets.
        let isBracketed = name.first == "[" && name.last == "]"
        return (String(isBracketed ? name.dropFirst().dropLast() : name), cores)
    }
}
