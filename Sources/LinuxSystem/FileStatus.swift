import CLinux
import Glibc

/// What stat(2) tells of a file.
package struct FileStatus: Equatable, Sendable {
    /// What kind of file it is.
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
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Whether both are one file of this machine.
    package func isSame(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}
