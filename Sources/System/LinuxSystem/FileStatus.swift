import CLinux
import Glibc

/// A file's facts from stat(2).
package struct FileStatus: Equatable, Sendable {
    /// The kinds of files.
    package enum Kind: Sendable {
        case regular, directory, other
    }

    package var kind: Kind
    /// With ``inode``, tells one file of this machine from all others.
    package var device: UInt64
    package var inode: UInt64
    /// Bytes.
    package var size: Int
    /// Its rights, as chmod(2) takes them.
    package var mode: UInt32
    /// When it was last changed, in nanoseconds since 1970.
    package var modified: Int64

    /// Of what the path leads to, symbolic links followed; nil where nothing is there.
    package static func of(_ path: PathBytes) -> FileStatus? {
        var status = stat()
        return path.withPath { stat($0, &status) } == 0 ? FileStatus(status) : nil
    }

    /// Of the entry itself: a symbolic link is ``Kind/other``.
    package static func ofEntry(_ path: PathBytes) -> FileStatus? {
        var status = stat()
        return path.withPath { lstat($0, &status) } == 0 ? FileStatus(status) : nil
    }

    /// Of a file that is opened for it, which a network file system asks its server for.
    package static func ofOpened(_ path: PathBytes) -> FileStatus? {
        let raw = path.withPath { clinux_open($0, O_RDONLY | O_CLOEXEC, 0) }
        guard raw >= 0 else { return nil }
        defer { close(raw) }
        return of(raw)
    }

    /// Of an open file.
    package static func of(_ descriptor: Int32) -> FileStatus? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? FileStatus(status) : nil
    }

    private init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        mode = UInt32(status.st_mode & 0o7777)
        modified = Self.nanoseconds(seconds: Int(status.st_mtim.tv_sec), and: Int(status.st_mtim.tv_nsec))
    }

    /// A time in nanoseconds: the nearest there is where it is centuries away.
    package static func nanoseconds(seconds: Int, and nanoseconds: Int) -> Int64 {
        let (scaled, isBeyond) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isBeyondAfterAll) = scaled.addingReportingOverflow(Int64(nanoseconds))
        return isBeyond || isBeyondAfterAll ? (seconds < 0 ? .min : .max) : sum
    }

    /// The same the other way round: the nanoseconds count forwards before 1970 too.
    package static func seconds(of nanoseconds: Int64) -> (seconds: Int, nanoseconds: Int) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest < 0 ? (Int(seconds) - 1, Int(rest) + 1_000_000_000) : (Int(seconds), Int(rest))
    }

    /// Whether both are one file of this machine.
    package func isSame(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}
