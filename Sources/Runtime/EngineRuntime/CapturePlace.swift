import DisbatchCore
import Glibc
import LinuxSystem

/// The directory in which an engine keeps what its tasks write (`--capture`).
struct CapturePlace: Sendable {
    /// From the working directory, or absolute.
    let root: String
    /// Whether it is another than the driver's: then a task's files go home when it has ended.
    let isAway: Bool

    /// Nil without `--capture`.
    init?(_ configuration: EngineConfiguration) {
        guard let directory = configuration.captureDirectory else { return nil }
        isAway = !SharedFiles(configuration.staging, nodeKind: configuration.nodeKind).reaches(directory)
        root = isAway ? "\(configuration.jobID.text)_capture" : directory.text
    }

    /// The file of a stream.
    func path(_ stream: TaskOutputStream, of task: TaskID, attempt: Int) -> String {
        AttemptPath.captured(stream, of: task, attempt: attempt, root: root)
    }

    /// The files of a task's streams.
    func files(of task: TaskID, attempt: Int) -> (out: CaptureFile, err: CaptureFile) {
        (
            CaptureFile(path(.output, of: task, attempt: attempt)),
            CaptureFile(path(.error, of: task, attempt: attempt))
        )
    }

    /// Removes what earlier runs kept of a task of which an attempt begins.
    func remove(_ stale: inout StaleCaptures, of task: TaskID, from attempt: Int) {
        let root = PathBytes(root.utf8)
        let paths = stale.take(task, from: attempt) { group in
            (try? root.appending(Array(group.utf8)).directoryNames()) ?? []
        }
        for path in paths { _ = root.appending(path).withPath { unlink($0) } }
    }

    /// Removes the directories in which no file is left.
    func removeEmpty() {
        let root = PathBytes(root.utf8)
        for name in (try? root.directoryNames()) ?? [] { _ = root.appending(name).withPath { rmdir($0) } }
        _ = root.withPath { rmdir($0) }
    }
}
