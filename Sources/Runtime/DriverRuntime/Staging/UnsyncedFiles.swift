import CLinux
import Glibc
import LinuxSystem

/// Files of one task that were put in place, and are to be safe on disk before the task's end is recorded.
struct UnsyncedFiles {
    /// Where there are more, whole file systems are synced: that takes one wait, not one for each file.
    private static let most = 16
    private var paths: [PathBytes] = []
    /// One file of each file system, where there are more.
    private var devices: [UInt64: PathBytes] = [:]

    mutating func add(_ path: PathBytes) {
        if devices.isEmpty, paths.count < Self.most { return paths.append(path) }
        for path in paths + [path] {
            if let device = FileStatus.of(path)?.device { devices[device] = path }
        }
        paths = []
    }

    /// Waits until all are safe.
    func sync() throws(SystemError) {
        for path in paths { try Self.sync(path, by: fdatasync) }
        for path in devices.values { try Self.sync(path, by: clinux_syncfs) }
    }

    private static func sync(_ path: PathBytes, by call: (Int32) -> Int32) throws(SystemError) {
        let raw = path.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        // A file that its owner can't read is there all the same, and an earlier attempt's may have been replaced.
        guard raw >= 0 else { return }
        defer { close(raw) }
        if call(raw) != 0, errno != EINVAL, errno != EROFS, errno != ENOSYS { throw SystemError("write \(path.text)") }
    }
}
