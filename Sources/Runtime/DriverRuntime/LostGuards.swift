import Glibc
import LinuxSystem

/// The guards of engines on other machines that are not known to have ended all that they ran, as `<prefix>_alive` has
/// them from run to run.
///
/// Where driver, guard and engine of a host were killed, or a run ended before a host was reached again, nobody has.
/// The engine that a resumed run starts there is told of them, and does it before it takes a task.
struct LostGuards {
    private static let mark = "GUARD="
    private static let endMark = "ENDED="

    /// The file of the run's ``AliveLock``.
    private let file: Int32
    /// Those of earlier runs, by node.
    private var earlier: [String: [String]] = [:]
    /// Those of this run, each with its node.
    private var own: [String: String] = [:]

    /// Takes those of earlier runs over, and notes them for later ones.
    ///
    /// - Parameters:
    ///   - file: this run's, open for appending.
    ///   - path: its path.
    ///   - others: the paths of the files of the runs that this one resumes. Of one that goes on none is lost.
    init(notingIn file: Int32, path: String, others: [String]) {
        self.file = file
        var nodes = Self.read(path)
        for other in others where !AliveLock.isHeld(other) {
            for (name, node) in Self.read(other) where nodes[name] == nil {
                nodes[name] = node
                AliveLock.note(Self.line(name, node), in: file)
            }
        }
        for (name, node) in nodes { earlier[node, default: []].append(name) }
    }

    /// Whether earlier runs left any on one of these nodes.
    func haveEarlier(on nodes: some Sequence<String>) -> Bool {
        !earlier.isEmpty && nodes.contains { earlier[$0] != nil }
    }

    /// What an engine on a node is told to end.
    func earlier(on node: String) -> [String] { earlier[node] ?? [] }

    /// Takes in that nothing of earlier runs is left on a node.
    mutating func forgetEarlier(on node: String) {
        for name in earlier.removeValue(forKey: node) ?? [] { noteEnd(of: name) }
    }

    /// Takes in the guard of an engine of this run.
    mutating func keep(_ name: String, on node: String) {
        // Both come from there: what would not be read as it is written is not written.
        guard !name.isEmpty, !(name + node).utf8.contains(where: { $0 <= 0x20 }) else { return }
        own[name] = node
        AliveLock.note(Self.line(name, node), in: file)
    }

    /// Takes in that nothing is left of what an engine of this run had.
    mutating func forget(_ name: String) {
        if own.removeValue(forKey: name) != nil { noteEnd(of: name) }
    }

    /// At a run's end: lets the file hold what is left for the next run, and nothing else. False where nothing is.
    ///
    /// - Parameter lease: how long engines of this run may live, where that was not waited for.
    func writeRest(lease: Duration?) -> Bool {
        guard !earlier.isEmpty || !own.isEmpty, ftruncate(file, 0) == 0 else { return false }
        if !own.isEmpty, let lease { AliveLock.note(lease: lease, in: file) }
        for (node, names) in earlier { for name in names { AliveLock.note(Self.line(name, node), in: file) } }
        for (name, node) in own { AliveLock.note(Self.line(name, node), in: file) }
        return true
    }

    private func noteEnd(of name: String) { AliveLock.note(Array("\(Self.endMark)\(name)".utf8), in: file) }

    private static func line(_ name: String, _ node: String) -> [UInt8] { Array("\(mark)\(name) \(node)".utf8) }

    /// The guards in a file, each with its node.
    private static func read(_ path: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in (TextFile.read(path) ?? "").split(separator: "\n") {
            if line.hasPrefix(mark) {
                let words = line.dropFirst(mark.count).split(separator: " ").map(String.init)
                if words.count == 2 { found[words[0]] = words[1] }
            } else if line.hasPrefix(endMark) {
                found[String(line.dropFirst(endMark.count))] = nil
            }
        }
        return found
    }
}
