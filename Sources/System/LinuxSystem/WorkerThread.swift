import CLinux
import Glibc

/// A thread of our own that runs one closure, for work that may block: with a name, and with every signal blocked.
///
/// Whoever holds it ends it: by ``join()``, by ``detach()``, or by dropping it, which joins.
package struct WorkerThread: ~Copyable {
    /// No thread could be started.
    package struct StartError: Error, Equatable, CustomStringConvertible {
        /// The result of pthread_create(3): an errno value, such as EAGAIN where a limit is reached.
        package var code: Int32
        package var name: String

        package var description: String { "can't start thread \(name): \(String(cString: strerror(code)))" }
    }

    /// The argument of a new thread, which owns it and frees it.
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let thread: pthread_t

    /// Starts a thread that runs `body` once.
    ///
    /// Signals are blocked before the thread exists, so that none is ever delivered to it: those of the process are
    /// for the loop thread's signalfd.
    /// - Parameter name: What ps(1) and debuggers show; the kernel keeps its first 15 bytes.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(StartError) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var created = pthread_t()
        let code = pthread_create(&created, nil, Self.main, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            start.release()
            throw StartError(code: code, name: name)
        }
        thread = created
    }

    deinit { pthread_join(thread, nil) }

    /// Waits until the closure has returned.
    package consuming func join() {}  // The deinit that follows does it.

    /// Leaves the thread to itself; it ends with its closure, or with the process.
    package consuming func detach() {
        pthread_detach(thread)
        discard self
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
        guard let raw else { return nil }
        let start = Unmanaged<Start>.fromOpaque(raw).takeRetainedValue()
        setName(start.name)
        start.body()
        return nil
    }

    /// Names the calling thread. Glibc's module has no pthread_setname_np; this is what that does. A name is a help
    /// for people, so failing to set it is not an error.
    private static func setName(_ name: String) {
        let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        let bytes = Array(name.utf8.prefix(15))
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }
}
