import DisbatchCore
import Glibc
import LinuxSystem

/// The means by which a run handles its tasks' files.
final class Staging {
    let plan: StagingPlan
    let thread: StagingThread
    private let files: RunPaths
    /// The instructions for engines of this machine.
    private let told: EngineStaging
    /// Made when the first engine comes that may be on another machine.
    private var marks: HomeMarks?
    private let taken = TakenPlaces()

    init(_ plan: StagingPlan, _ files: RunPaths) throws(SystemError) {
        self.plan = plan
        thread = try StagingThread()
        self.files = files
        told = plan.staging(for: files, mark: [])
    }

    /// The instructions for an engine.
    ///
    /// - Parameter isShared: whether it may be on another machine.
    func told(isShared: Bool) -> EngineStaging {
        guard isShared else { return told }
        let marks = marks ?? HomeMarks(in: plan.directories)
        self.marks = marks
        return plan.staging(for: files, mark: marks.name)
    }

    var rules: [StageOutRule] { told.rules }
    var home: PathBytes { told.home }

    /// Takes the marks away, and lets the thread end.
    func close() {
        marks?.remove()
        thread.close()
    }

    /// Whether a file may come from a task by a rule: its pattern matches it, or a directory that it is in.
    func admits(_ path: PathBytes, rule: StageOutRule, task: TaskID) -> Bool {
        guard StagedPath.isInside(path) else { return false }
        var name = path
        if rule.directory == nil, let root = told.taskRoot {
            guard let rest = TaskDirectoryPath.rest(of: path, task: task, root: root) else { return false }
            name = rest
        }
        let slash = UInt8(ascii: "/")
        let parts = name.split(separator: slash)
        return rule.patterns(ofFilesFrom: task).contains { pattern in
            let depth = pattern.split(separator: slash).count
            guard depth >= 1, parts.count >= depth else { return false }
            let top = Array(parts.prefix(depth).joined(separator: [slash]))
            return pattern.withPath { pattern in
                top.withPath { fnmatch(pattern, $0, FNM_PATHNAME | FNM_PERIOD) == 0 }
            }
        }
    }

    /// Gives a place at home to a task. False where another task of this run has it.
    func take(_ place: PathBytes, for task: TaskID, by rule: StageOutRule) -> Bool {
        !rule.mayClash || taken.take(place, for: task)
    }
}

/// Which places at home are whose, where that may be in question. Places are known by 64 random bits each, so that
/// those of a million files take little room.
private final class TakenPlaces {
    private var owners: [Int: TaskID] = [:]

    func take(_ place: PathBytes, for task: TaskID) -> Bool {
        let key = place.hashValue
        if let owner = owners[key] { return owner == task }
        owners[key] = task
        return true
    }
}
