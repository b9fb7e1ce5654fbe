/// Hosts in the order in which they were first named, each with the sum of its counts.
struct HostCounts {
    private(set) var hosts: [(name: String, count: Int)] = []

    mutating func add(_ name: String, _ count: Int) {
        if let place = hosts.firstIndex(where: { $0.name == name }) {
            hosts[place].count += count
        } else {
            hosts.append((name, count))
        }
    }

    /// A file with a host's name on each line, once for each slot of it.
    init(lines text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let name = line.filter { !$0.isWhitespace }
            if !name.isEmpty { add(name, 1) }
        }
    }

    init() {}
}
