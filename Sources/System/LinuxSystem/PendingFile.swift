import CLinux
import Glibc

/// A file that is being written, under a temporary name beside its own until it is whole.
///
/// Given up (and its temporary file removed) unless ``finish(mode:modified:syncs:)`` was called.
package final class PendingFile {
    package let path: PathBytes
    private let draft: PathBytes
    /// Nil once it has its name.
    private var file: Descriptor?

    /// Makes the temporary file, and the directories above it where they are missing.
    package init(_ path: PathBytes) throws(SystemError) {
        self.path = path
        let parent = path.parentPath
        var number = 0
        var triesLeft = 10
        while true {
            let draft = parent.appending(Array(".disbatch-\(getpid())-\(number).part".utf8))
            let raw = draft.withPath { clinux_open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
            if raw >= 0 {
                self.draft = draft
                file = Descriptor(owning: raw)
                return
            }
            if errno == EEXIST {
                number += 1
            } else {
                // Somebody else may be making, or removing, directories here.
                let code = errno
                triesLeft -= 1
                guard code == ENOENT, triesLeft > 0, parent.makeDirectories() else {
                    throw SystemError("write \(path.text)", code: code)
                }
            }
        }
    }

    deinit {
        guard file != nil else { return }
        _ = draft.withPath { unlink($0) }
    }

    /// Appends bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try file?.writeAll(bytes, "write \(path.text)")
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        try file?.writeAll(bytes, "write \(path.text)")
    }

    /// Gives the file its name.
    ///
    /// - Parameters:
    ///   - mode: its rights; set-user-ID and the like are left away.
    ///   - modified: nanoseconds since 1970.
    ///   - syncs: whether its content is to be safe on disk before.
    package func finish(mode: UInt32, modified: Int64, syncs: Bool = true) throws(SystemError) {
        guard let raw = file?.raw else { return }
        fchmod(raw, mode & 0o777)
        let (seconds, rest) = FileStatus.seconds(of: modified)
        let time = timespec(tv_sec: seconds, tv_nsec: rest)
        var times = [time, time]
        futimens(raw, &times)
        if syncs, fdatasync(raw) != 0, errno != EINVAL, errno != EROFS { throw SystemError("write \(path.text)") }
        guard draft.withPath({ from in path.withPath { rename(from, $0) } }) == 0 else {
            throw SystemError("put \(path.text) in place")
        }
        // Some file systems tell of a full disk only now; the file is there, but it can't be relied on.
        if let raw = file.take()?.release(), close(raw) != 0, errno != EINTR { throw SystemError("write \(path.text)") }
    }
}
