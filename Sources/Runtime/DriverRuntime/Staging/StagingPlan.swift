import DisbatchCore
import EngineHosting
import Glibc
import LinuxSystem

/// A run's plan for its tasks' files, made before anything is run.
struct StagingPlan: Sendable {
    /// The files of `--stage-in`, directories before what is in them.
    let entries: [StagedEntry]
    /// The warning for the user; nil where there is none.
    let warning: String?
    private let rules: [StageOutRule]
    private let givesTaskDirectories: Bool
    /// That of `--capture`, absolute.
    let captureDirectory: String?

    /// Finds the files to be sent, and makes the directories that files are to come to.
    ///
    /// - Parameters:
    ///   - log: that of `--logfile`.
    ///   - makesDirectories: false only looks.
    /// - Throws: ``StartError`` where a file can't be read, or a directory not written to.
    init(
        _ request: StagingRequest, captureDirectory: String? = nil, log: String? = nil, makesDirectories: Bool = true
    ) throws(StartError) {
        let home = Array(WorkingDirectory.path.utf8)
        self.captureDirectory = captureDirectory
        givesTaskDirectories = request.givesTaskDirectories
        var files = StagedFiles(without: [captureDirectory, log].compactMap(\.self), home: home)
        for item in request.stageIn { try files.add(item) }
        entries = files.entries
        warning = files.warning
        var rules: [StageOutRule] = []
        for item in request.stageOut { rules.append(try Self.rule(item, home, makesDirectories)) }
        self.rules = rules
    }

    /// The instructions for engines.
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
