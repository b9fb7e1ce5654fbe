import Glibc

/// The processes that guards and their engines left: those with a guard's mark (`NAME=GUARD`) in their environment,
/// those in a session that the guard's ``SessionFile`` has, and all below them. Guard and engine themselves are among
/// them where somebody stopped them.
package struct Leavings: Sendable {
    private let marks: [[UInt8]]
    /// How any guard's mark begins.
    private let prefix: [UInt8]
    private let guards: [String]
    private let sessions: [SessionFile.Session]
    /// The guards' own.
    private let ownSessions: [SessionFile.Session]

    package init(of marks: [[UInt8]]) {
        self.marks = marks
        prefix = marks.first.map { Array($0.prefix { $0 != UInt8(ascii: "=") }) + [UInt8(ascii: "=")] } ?? []
        let names = marks.map { [prefix] mark in String(decoding: mark.dropFirst(prefix.count), as: UTF8.self) }
        guards = names
        sessions = names.flatMap(SessionFile.sessions)
        ownSessions = names.compactMap { name in
            let words = name.split(separator: ".")
            guard words.count == 2, let pid = Int32(words[0]), pid > 1, let ticks = UInt64(words[1]) else { return nil }
            return SessionFile.Session(leader: pid, ticks: ticks)
        }
    }

    /// Sends SIGKILL to all of them but this process, until none is found. One that does not die within seconds
    /// (waiting on a device, another user's) is left.
    package func killAll() {
        guard !marks.isEmpty else { return }
        for _ in 0..<500 {
            let found = find(in: ProcessTree())
            if found.isEmpty { break }
            for pid in found { kill(pid, SIGKILL) }
            poll(nil, 0, 5)
        }
        for name in guards { SessionFile.remove(of: name) }
    }

    private func find(in tree: ProcessTree) -> Set<Int32> {
        let own = getpid()
        let roots = Set(tree.entries.lazy.filter { $0.pid != own && isLeft($0, in: tree) }.map(\.pid))
        let alive = Set(tree.entries.lazy.filter { !$0.isZombie }.map(\.pid))
        return roots.union(tree.descendants(of: roots).map(\.pid)).intersection(alive).subtracting([own])
    }

    private func isLeft(_ entry: ProcessTree.Entry, in tree: ProcessTree) -> Bool {
        if !entry.isZombie, ProcessTree.environment(of: entry.pid, containsAnyOf: marks) { return true }
        if entry.isStopped, ownSessions.contains(where: { isMember(entry, of: $0, in: tree) }) { return true }
        guard sessions.contains(where: { isMember(entry, of: $0, in: tree) }) else { return false }
        return !ProcessTree.environment(of: entry.pid, hasPrefix: prefix)
    }

    /// Whether a process is in this very session, and not in one that got the number of one that was over.
    private func isMember(
        _ entry: ProcessTree.Entry, of session: SessionFile.Session, in tree: ProcessTree
    ) -> Bool {
        guard entry.session == session.leader else { return false }
        guard let leader = tree.entries.first(where: { $0.pid == session.leader }) else { return true }
        return leader.startTicks <= session.ticks + 1
    }
}
