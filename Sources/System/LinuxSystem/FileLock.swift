import Glibc

/// The outcomes of asking for the lock of an open file, by flock(2). It goes with the last descriptor of that file.
package enum FileLock: Equatable, Sendable {
    case taken
    /// Somebody else has a lock that excludes it.
    case held
    /// The file system has no locks, as Lustre before 2.13, NFS without lockd, and some that are programs (FUSE).
    case missing(code: Int32)

    /// Asks for a lock that excludes all others, without waiting.
    package static func exclusive(_ file: Int32) -> FileLock { ask(LOCK_EX, file) }

    /// Asks for a lock that excludes exclusive ones alone, without waiting.
    package static func shared(_ file: Int32) -> FileLock { ask(LOCK_SH, file) }

    private static func ask(_ kind: Int32, _ file: Int32) -> FileLock {
        if retrying({ flock(file, kind | LOCK_NB) }) == 0 { return .taken }
        return errno == EWOULDBLOCK ? .held : .missing(code: errno)
    }
}
