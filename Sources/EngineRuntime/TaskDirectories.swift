import DisbatchCore
import Glibc
import LinuxSystem

/// Makes the directories that tasks run in under `--task-dir`: `ROOT/000/17` for task 17, and `ROOT/000/17.2` where
/// that is there already, as an earlier attempt's.
struct TaskDirectories: Sendable {
    /// From the working directory.
    let root: PathBytes
    let workingDirectory: PathBytes

    /// Makes a new directory. Its path is as seen from the working directory.
    func make(_ task: TaskID) throws(SystemError) -> PathBytes {
        let number = String(task.rawValue / 1000)
        let group = root.appending(Array((String(repeating: "0", count: max(0, 3 - number.count)) + number).utf8))
        var attempt = 1
        while true {
            let path = group.appending(Array("\(task.rawValue)\(attempt > 1 ? ".\(attempt)" : "")".utf8))
            if path.withPath({ mkdir($0, 0o777) }) == 0 { return path }
            switch errno {
            case EEXIST: attempt += 1
            case ENOENT where FileStatus.of(group) == nil && group.makeDirectories(): break
            default: throw SystemError("make the task's directory \(path.text)")
            }
        }
    }

    /// Appends `DISBATCH_TASK_DIR`, and where it begins.
    func appendVariable(of directory: PathBytes, to bytes: inout [UInt8], offsets: inout [Int]) {
        offsets.append(bytes.count)
        bytes += "DISBATCH_TASK_DIR=".utf8
        bytes += workingDirectory.appending(directory)
        bytes.append(0)
    }
}
