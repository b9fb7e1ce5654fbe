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
        let file = try Descriptor.open(path, O_RDWR | O_CREAT)
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

    /// Takes the file away: the run ended in order.
    func remove() { unlink(path) }
}
