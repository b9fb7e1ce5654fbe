import DisbatchCore
import Glibc
import LinuxSystem

/// Makes the directories that tasks run in under `--task-dir`, see ``TaskDirectoryPath``.
struct TaskDirectories: Sendable {
    /// From the working directory.
    let root: PathBytes
    let workingDirectory: PathBytes

    /// Makes a new directory. Its path is as seen from the working directory.
    func make(_ task: TaskID) throws(SystemError) -> PathBytes {
        let group = TaskDirectoryPath.group(of: task, root: root)
        var attempt = 1
        var triesLeft = 10
        while true {
            let path = TaskDirectoryPath.directory(of: task, attempt: attempt, root: root)
            if path.withPath({ mkdir($0, 0o777) }) == 0 { return path }
            switch errno {
            case EEXIST: attempt += 1
            // Other engines make the same directories, and what one sees of a shared file system may be late.
            case ENOENT where triesLeft > 0 && group.makeDirectories(): triesLeft -= 1
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
