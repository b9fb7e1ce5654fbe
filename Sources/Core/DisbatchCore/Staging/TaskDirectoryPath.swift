/// The names of the directories that tasks run in under `--task-dir`: `ROOT/000/17` for task 17, and `ROOT/000/17.2`
/// where that is there already, as an earlier attempt's.
package enum TaskDirectoryPath {
    /// The directory above a task's: one for each thousand.
    package static func group(of task: TaskID, root: [UInt8]) -> [UInt8] {
        root + [slash] + Array(AttemptPath.group(of: task).utf8)
    }

    /// The directory of one attempt, counted from 1.
    package static func directory(of task: TaskID, attempt: Int, root: [UInt8]) -> [UInt8] {
        group(of: task, root: root) + [slash] + Array(AttemptPath.name(of: task, attempt: attempt).utf8)
    }

    /// The rest of a path below the directory of any attempt at a task; nil where it is not there.
    package static func rest(of path: [UInt8], task: TaskID, root: [UInt8]) -> [UInt8]? {
        let start = directory(of: task, attempt: 1, root: root)
        guard path.starts(with: start) else { return nil }
        var rest = path[start.count...]
        if rest.first == UInt8(ascii: ".") {
            let number = rest.dropFirst().prefix { $0 != slash }
            guard !number.isEmpty, number.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            rest = rest.dropFirst(1 + number.count)
        }
        return rest.first == slash && rest.count > 1 ? Array(rest.dropFirst()) : nil
    }

    private static let slash = UInt8(ascii: "/")
}
