import Glibc
import LinuxSystem

/// The guards of engines on other machines that are not known to have ended all that they ran, as `<prefix>_alive` has
/// them from run to run.
///
/// Where driver, guard and engine of a host were killed, or a run ended before a host was reached again, nobody has.
/// The engine that a resumed run starts there is told of them, and does it before it takes a task.
struct LostGuards: ~Copyable {
    private static let mark = Array("GUARD=".utf8)
    private static let endMark = Array("ENDED=".utf8)

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
    ///   - others: the paths of the files of the runs that this one resumes.
    init(notingIn file: Int32, path: String, others: [String]) {
        self.file = file
        let known = Self.read(path)
        for (name, node) in known { earlier[node, default: []].append(name) }
        for other in others {
            for (name, node) in Self.read(other) where known[name] == nil && earlier[node]?.contains(name) != true {
                earlier[node, default: []].append(name)
                AliveLock.note(Self.line(name, node), in: file)
            }
        }
    }

    /// Whether earlier runs left any on one of these nodes.
    func haveEarlier(on nodes: some Sequence<String>) -> Bool {
        !earlier.isEmpty && nodes.contains { earlier[$0] != nil }
    }

    /// What an engine on a node is told to end.
    func earlier(on node: String) -> [String] { earlier[node] ?? [] }

    /// Takes in that nothing of earlier runs is left on a node.
    mutating func ended(on node: String) {
        for name in earlier.removeValue(forKey: node) ?? [] { AliveLock.note(Self.endMark + name.utf8, in: file) }
    }

    /// Takes in the guard of an engine of this run.
    mutating func keep(_ name: String, on node: String) {
        // Both come from there: what would not be read as it is written is not written.
        guard !name.isEmpty, !(name + node).utf8.contains(where: { $0 <= 0x20 }) else { return }
        own[name] = node
        AliveLock.note(Self.line(name, node), in: file)
    }

    /// Takes in that nothing of an engine is left.
    mutating func ended(_ name: String) {
        if own.removeValue(forKey: name) != nil { AliveLock.note(Self.endMark + name.utf8, in: file) }
    }

    /// At a run's end: lets the file hold what is left for the next run, and nothing else. False where nothing is.
    func settle() -> Bool {
        let lines =
            earlier.flatMap { node, names in names.map { Self.line($0, node) } }
            + own.map { Self.line($0.key, $0.value) }
        guard !lines.isEmpty, ftruncate(file, 0) == 0 else { return false }
        for line in lines { AliveLock.note(line, in: file) }
        return true
    }

    private static func line(_ name: String, _ node: String) -> [UInt8] { mark + "\(name) \(node)".utf8 }

    /// The guards in a file, each with its node.
    private static func read(_ path: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in (TextFile.readBytes(path) ?? []).split(separator: UInt8(ascii: "\n")) {
            let words = line.dropFirst(mark.count).split(separator: UInt8(ascii: " "))
                .map { String(decoding: $0, as: UTF8.self) }
            if line.starts(with: mark), words.count == 2 { found[words[0]] = words[1] }
            if line.starts(with: endMark), words.count == 1 { found[words[0]] = nil }
        }
        return found
    }
}
