import DisbatchCore
import Glibc
import LinuxSystem

/// The lock that a run's driver and local engines hold together: who gets it knows that none of them lives.
///
/// It is of the open file, which engines inherit, so that it goes with the last of them, however they end.
struct AliveLock: ~Copyable {
    let file: Descriptor
    private let path: String

    /// Takes the lock of a new run.
    static func take(_ path: String) throws(SystemError) -> AliveLock {
        let file = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("lock \(path)") }
        return AliveLock(file: file, path: path)
    }

    /// Whether anybody of the run of this lock may still live.
    static func isHeld(_ path: String) -> Bool {
        guard let file = try? Descriptor.open(path, O_RDWR) else { return false }
        return flock(file.raw, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Waits until nobody of the run of this lock lives. False where a signal came first.
    static func waitUntilFree(_ path: String, signals: SignalSource) -> Bool {
        while isHeld(path) {
            var wait = pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0)
            // The lock gives no descriptor to wait for; whoever holds it is about to end.
            if poll(&wait, 1, 50) > 0 { return false }
        }
        return true
    }

    /// Notes a line: what the environment of all has that a local engine starts, for ``killRemains(_:)``, or another
    /// that is told from those by how it begins.
    static func note(_ text: [UInt8], in file: Int32) {
        let line = text + [UInt8(ascii: "\n")]
        _ = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }

    /// Notes that engines on other machines may live for so long after the file was last touched.
    static func note(lease: Duration, in file: Int32) {
        note(Array("LEASE=\(lease.components.seconds)".utf8), in: file)
    }

    /// Stamps the file: the driver lives, and may have lengthened its engines' lives.
    static func touch(_ file: Int32) { futimens(file, nil) }

    /// How many seconds engines on other machines may still live after the death of their driver; 0 where none do.
    static func secondsLeft(_ path: String) -> Int {
        var status = stat()
        guard stat(path, &status) == 0, let text = TextFile.readBytes(path) else { return 0 }
        let leases = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            line.starts(with: Array("LEASE=".utf8)) ? Int(String(decoding: line.dropFirst(6), as: UTF8.self)) : nil
        }
        guard let lease = leases.max() else { return 0 }
        return max(0, status.st_mtim.tv_sec + lease + 10 - time(nil))
    }

    /// Ends what the engines of a dead run left: where driver, guard and engine were killed at one moment, nobody was
    /// there to do it. To be called when nobody holds the lock.
    static func killRemains(_ path: String) {
        guard let text = TextFile.readBytes(path) else { return }
        let start = TaskVariables.guardMark("")
        let marks = text.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: start) }
        ProcessTree.killAll(withAnyOf: marks.map(Array.init))
    }

    /// Takes the file away: the run ended in order.
    func remove() { unlink(path) }
}
