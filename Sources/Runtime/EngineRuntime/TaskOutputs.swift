import DisbatchCore
import Glibc
import LinuxSystem

/// The reason why a task's files can't come home, for the log.
struct StageOutFailure: Error { var reason: String }

/// Staging was given up before it was done.
struct StageOutCancelled: Error {}

/// The files that a task has made and that are to come home.
struct TaskOutputs {
    /// A file, by one of the rules.
    struct File {
        /// From the working directory.
        let path: PathBytes
        let rule: Int
        /// See ``ArrivingFile/path``.
        let name: PathBytes
    }

    /// Each file once for each rule that it matches.
    private(set) var files: [File] = []
    /// The rules with wildcards that nothing matches.
    private(set) var unmatched: [Int] = []
    /// Links that lead nowhere, which are left out.
    private(set) var deadLinks: [PathBytes] = []
    private var seen: Set<PathBytes> = []
    private let directory: PathBytes?
    private let isCancelled: () -> Bool

    /// Looks for them all, before the first is moved away.
    ///
    /// - Parameters:
    ///   - directory: the task's own, from the working directory; nil without `--task-dir`.
    ///   - isInPlace: of each rule, whether its files need no finding, because they are at home where they are.
    /// - Throws: ``StageOutFailure`` where something is missing or can't be examined, ``StageOutCancelled``.
    init(
        of task: TaskID, in directory: PathBytes?, rules: [StageOutRule], isInPlace: [Bool],
        isCancelled: @escaping () -> Bool
    ) throws {
        self.directory = directory
        self.isCancelled = isCancelled
        do {
            for (number, rule) in rules.enumerated() {
                try find(number, rule, of: task, isInPlace: isInPlace[number])
            }
        } catch let error as SystemError {
            throw StageOutFailure(reason: "\(error)")
        }
    }

    private mutating func find(_ number: Int, _ rule: StageOutRule, of task: TaskID, isInPlace: Bool) throws {
        let pattern = rule.pattern(for: task)
        let matches = try PathBytes.matches(of: directory.map { $0.asPattern.appending(pattern) } ?? pattern)
        if matches.isEmpty {
            guard StageOutRule.hasWildcards(pattern) else {
                throw StageOutFailure(reason: "\(pattern.text): there is no such file")
            }
            unmatched.append(number)
        }
        guard !isInPlace else { return }
        // Where files go to one directory, they are told apart by what the wildcards stood for.
        let above = rule.directory.map { _ in (directory ?? []).appending(StageOutRule.fixedPart(of: pattern)) } ?? []
        seen.removeAll()
        let hasWildcards = StageOutRule.hasWildcards(pattern)
        for path in matches {
            if hasWildcards, noteDeadLink(path) { continue }
            try collect(path, number, dropping: above.isEmpty ? 0 : above.count + 1, above: [])
        }
    }

    /// Whether a path is a link that leads nowhere: then it is noted.
    private mutating func noteDeadLink(_ path: PathBytes) -> Bool {
        guard FileStatus.of(path) == nil, errno == ENOENT || errno == ELOOP, FileStatus.ofEntry(path) != nil else {
            return false
        }
        if !deadLinks.contains(path) { deadLinks.append(path) }
        return true
    }

    /// - Parameter above: the directories that lead here, to know a link that leads back.
    private mutating func collect(_ path: PathBytes, _ rule: Int, dropping: Int, above: [FileStatus]) throws {
        if isCancelled() { throw StageOutCancelled() }
        guard let status = FileStatus.of(path) else { throw SystemError("read \(path.text)") }
        switch status.kind {
        case .regular:
            guard seen.insert(path).inserted else { return }
            let name = PathBytes(path.dropFirst(dropping))
            guard StagedPath.isInside(name) else { throw StageOutFailure(reason: "\(path.text) is outside") }
            files.append(File(path: path, rule: rule, name: name))
        case .directory where !above.contains { $0.isSame(as: status) }:
            for name in try path.directoryNames() where !noteDeadLink(path.appending(name)) {
                try collect(path.appending(name), rule, dropping: dropping, above: above + [status])
            }
        // Sockets, devices and pipes are of this machine.
        case .directory, .other: break
        }
    }

    /// Of each file, whether it may be moved to its place when all else is done: it is the task's own, no symbolic link
    /// leads to it, and it has no other place to go to after that.
    ///
    /// - Parameter reaches: of each rule, whether its places can be written to from here.
    func mayMove(reaching reaches: [Bool]) -> [Bool] {
        guard let directory else { return files.map { _ in false } }
        var last: [PathBytes: Int] = [:]
        for (place, file) in files.enumerated() where reaches[file.rule] { last[file.path] = place }
        return files.enumerated().map { place, file in
            last[file.path] == place && Self.isPlain(file.path, below: directory)
        }
    }

    /// Whether a path leads to a regular file by directories alone.
    private static func isPlain(_ path: PathBytes, below directory: PathBytes) -> Bool {
        guard FileStatus.ofEntry(path)?.kind == .regular else { return false }
        var parent = path.parentPath
        while parent.count > directory.count {
            guard FileStatus.ofEntry(parent)?.kind == .directory else { return false }
            parent = parent.parentPath
        }
        return parent == directory
    }
}
