import DisbatchCore
import LinuxSystem
import RunReports

/// All tasks of a run in the order of their numbers, a lot at a time: those that the record has, those that an earlier
/// run did (from the status file), and those that wait (from the task file).
final class TaskStream {
    private let source: RecordSource
    private var lot: [TaskRow] = []
    private var place = 0
    private var lastRead: Int
    private var isAtEnd = false
    private var skipped: SkippedRows?
    private var file: TaskFileCursor?
    private var waiting: TaskSpec?
    /// The task to begin with.
    private let first: Int
    /// Warnings for the user, complete once all was read.
    private(set) var warnings: [String] = []

    /// - Parameters:
    ///   - first: the task to begin with.
    ///   - includesWaiting: whether tasks are wanted that the record has nothing of.
    init(_ source: RecordSource, from first: Int = 0, includesWaiting: Bool = true) throws(ReportError) {
        self.source = source
        self.first = first
        lastRead = first - 1
        guard includesWaiting else { return }
        if source.hasSkipped, let status = try? StatusFile(source.paths.status) { skipped = SkippedRows(status) }
        let facts = source.facts
        guard let path = facts.source, path != "-", !(facts.exitStatus == 0 && facts.finish != nil) else { return }
        guard FileStatus.of(Array(path.utf8))?.kind == .regular, let cursor = try? TaskFileCursor(path) else {
            warnings.append("\(path) can't be read: tasks that were not started are not known")
            return
        }
        file = cursor
        try readFile()
    }

    /// The next tasks; none at the end.
    func next() throws(ReportError) -> [TaskRow] {
        var rows: [TaskRow] = []
        while rows.count < 1_000, let row = try nextRow() {
            if row.id >= first { rows.append(row) }
        }
        return rows
    }

    private func nextRow() throws(ReportError) -> TaskRow? {
        let recorded = try peekRecorded()
        let old = try skipped?.peek()
        let waits = waiting
        guard let id = [recorded?.id, old?.id, waits?.id.rawValue].compactMap({ $0 }).min() else { return nil }
        if let waits, waits.id.rawValue == id {
            if let other = recorded?.id == id ? recorded : old?.id == id ? old : nil, !isSame(other, waits) {
                warnings.append(
                    "\(source.facts.source ?? "") isn't what this run was given (task \(id) is another now): "
                        + "tasks that wait are not listed from there on")
                (file, waiting) = (nil, nil)
            } else {
                try readFile()
            }
        }
        if old?.id == id { skipped?.take() }
        if let recorded, recorded.id == id {
            place += 1
            return recorded
        }
        if let old, old.id == id { return old }
        return waits.map { task in
            TaskRow(
                id: id, line: task.streamIndex, repeatIndex: task.repeatIndex, state: .waiting, command: task.command)
        }
    }

    private func isSame(_ row: TaskRow, _ task: TaskSpec) -> Bool {
        row.line == task.streamIndex && row.repeatIndex == task.repeatIndex && row.command == task.command
    }

    private func peekRecorded() throws(ReportError) -> TaskRow? {
        if place == lot.count, !isAtEnd {
            lot = try source.tasks(after: lastRead)
            place = 0
            if let last = lot.last { lastRead = last.id } else { isAtEnd = true }
        }
        return place < lot.count ? lot[place] : nil
    }

    private func readFile() throws(ReportError) {
        do throws(ReportError) { waiting = try file?.nextTask() } catch {
            warnings.append("\(error)\nTasks that wait are not listed from there on.")
            (file, waiting) = (nil, nil)
        }
    }
}
