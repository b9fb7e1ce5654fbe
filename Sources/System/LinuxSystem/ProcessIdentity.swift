import Glibc

/// The name of a process that no other has, on any machine at any time.
package struct ProcessIdentity: Equatable, Sendable, CustomStringConvertible {
    package var host: String
    package var pid: Int32
    /// As ``ProcessTree/Entry/startTicks``; 0 where /proc did not tell.
    package var startTicks: UInt64

    /// This process.
    package static let own = ProcessIdentity(
        host: OwnHost.name, pid: getpid(), startTicks: ProcessTree.entry(of: getpid())?.startTicks ?? 0)

    package init(host: String, pid: Int32, startTicks: UInt64) {
        self.host = host
        self.pid = pid
        self.startTicks = startTicks
    }

    /// The process that ``description`` named.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count == 3, let pid = Int32(words[1]), pid > 0, let ticks = UInt64(words[2]) else { return nil }
        self.init(host: String(words[0]), pid: pid, startTicks: ticks)
    }

    package var description: String { "\(host) \(pid) \(startTicks)" }

    /// Whether it lives; nil where it is another machine's, of which nothing is known here.
    package var isAlive: Bool? {
        guard host == OwnHost.name else { return nil }
        if startTicks > 0, let entry = ProcessTree.entry(of: pid) {
            return entry.startTicks == startTicks && !entry.isZombie
        }
        return kill(pid, 0) == 0 || errno == EPERM
    }

    /// The beginning of a driver's line in the file of its run's lock; its ``description`` follows.
    package static let driverMark = "DRIVER="

    /// The drivers that the file of a run's lock names.
    package static func drivers(in path: String) -> [ProcessIdentity] {
        (TextFile.read(path) ?? "").split(separator: "\n").compactMap { line in
            line.hasPrefix(driverMark) ? ProcessIdentity(line.dropFirst(driverMark.count)) : nil
        }
    }
}
