import DisbatchCore
import Glibc
import LinuxSystem

/// Where one stream of one attempt is kept under `--capture`. The file comes with the first byte.
final class CaptureFile {
    private let root: String
    private let directory: String
    private let path: String
    private var file: Descriptor?
    private var hasFailed = false

    /// - Parameters:
    ///   - root: the directory of `--capture`.
    ///   - stream: `out` or `err`.
    init(root: String, task: TaskID, attempt: Int, stream: String) {
        self.root = root
        directory = "\(root)/\(AttemptPath.group(of: task))"
        path = AttemptPath.captured(stream, of: task, attempt: attempt, root: root)
    }

    /// Appends bytes. Returns why it can't, once; after that it does nothing.
    func write(_ bytes: UnsafeRawBufferPointer) -> SystemError? {
        guard !hasFailed else { return nil }
        do throws(SystemError) {
            if file == nil { file = try open() }
            try file?.writeAll(bytes, "write \(path)")
            return nil
        } catch {
            hasFailed = true
            return error
        }
    }

    private func open() throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        do throws(SystemError) {
            return try Descriptor.open(path, flags)
        } catch  where error.code == ENOENT {
            mkdir(root, 0o777)
            mkdir(directory, 0o777)
            return try Descriptor.open(path, flags)
        }
    }
}
