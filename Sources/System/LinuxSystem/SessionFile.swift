import CLinux
import Glibc

/// The sessions of an engine's tasks, in a file of this machine's memory: whoever ends what guard and engine left finds
/// by it the processes whose environment was cleared (`env -i`, sudo), which carry no mark.
///
/// The file is named for the guard, and goes with it. An entry stays when its task has ended, until the next of that
/// cylinder: whoever reads it looks whose session that is by then.
package struct SessionFile: Sendable {
    /// One session: the number of the process that leads it, and a time at which that had begun.
    struct Session: Equatable {
        var leader: Int32
        /// As ``ProcessTree/Entry/startTicks``.
        var ticks: UInt64
    }

    private static let directory = "/dev/shm"
    private static let entrySize = 16
    /// Entries that are read at most.
    private static let mostEntries = 1 << 16

    private let path: String
    /// Open for as long as this process lives; -1 where there is no such directory.
    private let file: Int32

    /// Makes the file of a guard. Without one its tasks are known by their marks alone.
    package init(guardName: String) {
        path = Self.path(of: guardName) ?? ""
        file = path.isEmpty ? -1 : clinux_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    }

    /// Notes the session of the task that was just started in a cylinder.
    package func note(leader: Int32, in cylinder: Int) {
        guard file >= 0 else { return }
        let entry = (UInt64(UInt32(bitPattern: leader)), Self.ticksNow)
        withUnsafeBytes(of: entry) {
            _ = pwrite(file, $0.baseAddress, Self.entrySize, off_t(cylinder * Self.entrySize))
        }
    }

    /// Takes the file away: nothing of the engine needs to be found any more.
    package func remove() { if file >= 0 { unlink(path) } }

    // MARK: Those of others

    static func remove(of guardName: String) { if let path = path(of: guardName) { unlink(path) } }

    /// The sessions of a guard's tasks; none where its file is not here, or not this user's.
    static func sessions(of guardName: String) -> [Session] {
        guard let path = path(of: guardName),
            let file = try? Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        else { return [] }
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_uid == geteuid(), status.st_mode & S_IFMT == S_IFREG else {
            return []
        }
        let words = min(Int(status.st_size) / entrySize, mostEntries) * 2
        var entries = [UInt64](repeating: 0, count: words)
        let count = entries.withUnsafeMutableBytes { pread(file.raw, $0.baseAddress, $0.count, 0) }
        return stride(from: 0, to: max(0, count) / entrySize * 2, by: 2).compactMap { place in
            let leader = Int32(truncatingIfNeeded: entries[place])
            return leader > 1 ? Session(leader: leader, ticks: entries[place + 1]) : nil
        }
    }

    /// Nil for what is no guard's name: others may have written it.
    private static func path(of guardName: String) -> String? {
        let isName = !guardName.isEmpty && guardName.utf8.allSatisfy { $0 == UInt8(ascii: ".") || 48...57 ~= $0 }
        return isName ? "\(directory)/disbatch-\(geteuid())-\(guardName)" : nil
    }

    private static var ticksNow: UInt64 {
        UInt64(SystemClock.bootNanoseconds()) / UInt64(1_000_000_000 / max(1, sysconf(Int32(_SC_CLK_TCK))))
    }
}
