import Glibc
import LinuxSystem

/// Where one stream of one attempt is kept under `--capture`. The file comes with the first byte.
final class CaptureFile {
    private let path: String
    private var file: Descriptor?
    private var hasFailed = false

    init(_ path: String) { self.path = path }

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
            PathBytes(path.utf8).parentPath.makeDirectories()
            return try Descriptor.open(path, flags)
        }
    }
}
