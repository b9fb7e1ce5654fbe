import DisbatchCore
import Glibc
import LinuxSystem

/// Where one stream of one attempt is kept under `--capture`. The file comes with the first byte.
final class CaptureFile {
    private let root: String
    private let directory: String
    private let path: String
    private var file: Int32 = -1
    private var hasFailed = false

    /// - Parameters:
    ///   - root: the directory of `--capture`.
    ///   - stream: `out` or `err`.
    init(root: String, task: TaskID, attempt: Int, stream: String) {
        self.root = root
        directory = "\(root)/\(AttemptPath.group(of: task))"
        path = AttemptPath.captured(stream, of: task, attempt: attempt, root: root)
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Appends bytes. Returns why it can't, once; after that it does nothing.
    func write(_ bytes: UnsafeRawBufferPointer) -> SystemError? {
        guard !hasFailed else { return nil }
        do throws(SystemError) {
            if file < 0 { file = try open() }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw SystemError("write \(path)") }
                rest = rest.dropFirst(count)
            }
            return nil
        } catch {
            hasFailed = true
            return error
        }
    }

    private func open() throws(SystemError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        do throws(SystemError) {
            return try Descriptor.open(path, flags).release()
        } catch  where error.code == ENOENT {
            mkdir(root, 0o777)
            mkdir(directory, 0o777)
            return try Descriptor.open(path, flags).release()
        }
    }
}
