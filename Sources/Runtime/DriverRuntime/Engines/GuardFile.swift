import DisbatchCore
import Glibc
import LinuxSystem

/// The file of the run's ``AliveLock``, as it holds the guards of ``GuardLedger`` from run to run.
struct GuardFile {
    private static let mark = "GUARD="
    private static let endMark = "ENDED="

    /// Open for appending.
    private let file: Int32
    /// The guards that earlier runs left, each with its node.
    let earlier: [String: String]

    /// Takes the guards of earlier runs over, and notes them for later ones.
    ///
    /// - Parameters:
    ///   - file: this run's, open for appending.
    ///   - path: its path.
    ///   - others: the paths of the files of the runs that this one resumes. Of one that goes on none is lost.
    init(_ file: Int32, path: String, others: [String]) {
        self.file = file
        var found = Self.read(path)
        for other in others {
            guard case .ended = AliveLock.life(other) else { continue }
            for (name, node) in Self.read(other) where found[name] == nil {
                found[name] = node
                AliveLock.note(Self.line(name, node), in: file)
            }
        }
        earlier = found
    }

    /// Notes what the environment of all has that an engine of this machine starts.
    func note(mark: [UInt8]) { AliveLock.note(mark, in: file) }

    /// Notes that engines on other machines may live for so long after the file was last touched.
    func note(lease: Duration) { AliveLock.note(lease: lease, in: file) }

    /// Stamps the file: the driver lives, and may have lengthened its engines' lives.
    func touch() { AliveLock.touch(file) }

    func note(_ guardName: String, node: String) { AliveLock.note(Self.line(guardName, node), in: file) }

    func noteEnd(of guardName: String) { AliveLock.note(Array("\(Self.endMark)\(guardName)".utf8), in: file) }

    /// At a run's end: lets the file hold what is left for the next run, and nothing else. False where nothing is.
    ///
    /// - Parameter lease: how long engines of this run may live, where that was not waited for.
    func writeRest(of ledger: GuardLedger, lease: Duration?) -> Bool {
        let rest = ledger.rest
        guard !rest.isEmpty, ftruncate(file, 0) == 0 else { return false }
        if ledger.hasOwn, let lease { AliveLock.note(lease: lease, in: file) }
        for (guardName, node) in rest { AliveLock.note(Self.line(guardName, node), in: file) }
        return true
    }

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
