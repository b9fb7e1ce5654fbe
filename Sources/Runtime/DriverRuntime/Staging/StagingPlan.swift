import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// What a run does about its tasks' files, found out before anything is run.
struct StagingPlan: Sendable {
    /// The files of `--stage-in`, directories before what is in them.
    let entries: [StagedEntry]
    private let rules: [StageOutRule]
    private let givesTaskDirectories: Bool
    /// That of `--capture`, absolute.
    let captureDirectory: String?

    /// Finds the files to be sent, and makes the directories that files are to come to.
    ///
    /// - Parameter makesDirectories: false only looks.
    /// - Throws: ``StartError`` where a file can't be read, or a directory not written to.
    init(
        _ request: StagingRequest, captureDirectory: String? = nil, makesDirectories: Bool = true
    ) throws(StartError) {
        let home = Array(WorkingDirectory.path.utf8)
        self.captureDirectory = captureDirectory
        givesTaskDirectories = request.givesTaskDirectories
        var entries: [StagedEntry] = []
        for item in request.stageIn {
            do throws(SystemError) { try Self.append(item, home, to: &entries) } catch {
                throw StartError("--stage-in \(item.path): \(error)")
            }
        }
        self.entries = entries
        var rules: [StageOutRule] = []
        for item in request.stageOut { rules.append(try Self.rule(item, home, makesDirectories)) }
        self.rules = rules
    }

    /// What engines are told.
    func staging(for files: RunPaths, mark: [UInt8]) -> EngineStaging {
        var staging = EngineStaging()
        staging.taskRoot = givesTaskDirectories ? Array("\(files.jobID)_tasks".utf8) : nil
        staging.rules = rules
        staging.home = Array(WorkingDirectory.path.utf8)
        staging.mark = mark
        staging.stagesIn = !entries.isEmpty
        return staging
    }

    /// Where files come from and to.
    var directories: Set<PathBytes> {
        let captures = captureDirectory.map { [Array($0.utf8)] } ?? []
        let home = entries.isEmpty && rules.isEmpty ? [] : [Array(WorkingDirectory.path.utf8)]
        return Set(rules.map(\.base) + captures + home)
    }

    // MARK: In

    private static func append(
        _ item: StagingRequest.StageIn, _ home: PathBytes, to entries: inout [StagedEntry]
    ) throws(SystemError) {
        var path = Array(item.path.utf8)
        while path.count > 1, path.last == UInt8(ascii: "/") { path.removeLast() }
        var destination = item.destination.map { Array($0.utf8) } ?? path
        if destination.last == UInt8(ascii: "/") { destination = destination.appending(path.lastPart) }
        let source = path.first == UInt8(ascii: "/") ? path : home.appending(path)
        try append(source, destination, above: [], to: &entries)
    }

    /// - Parameter above: the directories that lead here, to know a link that leads back.
    private static func append(
        _ source: PathBytes, _ destination: PathBytes, above: [FileStatus], to entries: inout [StagedEntry]
    ) throws(SystemError) {
        guard let status = FileStatus.of(source) else {
            // In a directory, a link to nothing is nothing that anybody could read.
            if !above.isEmpty, errno == ENOENT { return }
            throw SystemError("read \(source.text)")
        }
        func entry(_ kind: StagedEntry.Kind) -> StagedEntry {
            StagedEntry(
                kind: kind, path: destination, source: source, size: kind == .file ? status.size : 0,
                mode: status.mode, modified: status.modified, inode: status.inode)
        }
        switch status.kind {
        case .regular:
            guard source.withPath({ access($0, R_OK) }) == 0 else { throw SystemError("read \(source.text)") }
            entries.append(entry(.file))
        case .directory where !above.contains { $0.isSame(as: status) }:
            entries.append(entry(.directory))
            for name in try source.directoryNames() {
                try append(
                    source.appending(name), destination.appending(name), above: above + [status], to: &entries)
            }
        // Sockets, devices and pipes are of this machine.
        case .directory, .other: break
        }
    }

    // MARK: Out

    private static func rule(
        _ item: StagingRequest.StageOut, _ home: PathBytes, _ makesDirectories: Bool
    ) throws(StartError) -> StageOutRule {
        let directory = item.directory.map { text in
            let path = Array(text.utf8)
            return path.first == UInt8(ascii: "/") ? path : home.appending(path)
        }
        var rule = StageOutRule(pattern: Array(item.pattern.utf8), directory: directory)
        rule.base = home
        guard let directory else { return rule }
        guard !rule.alwaysClashes else {
            let text = item.directory ?? ""
            throw StartError(
                """
                --stage-out \(item.pattern):\(text): every task's file would take the place of the last one's
                Put %t, the task's number, into the directory: --stage-out \(item.pattern):\(text)/%t
                """)
        }
        // What the task's number is part of comes with its files.
        var base = directory
        while StageOutRule.namesTask(base) { base = base.parentPath }
        rule.base = base
        guard makesDirectories else { return rule }
        guard base.makeDirectories(), base.withPath({ access($0, W_OK | X_OK) }) == 0 else {
            throw StartError("--stage-out \(item.pattern): \(SystemError("write to \(base.text)"))")
        }
        return rule
    }
}
