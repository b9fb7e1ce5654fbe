import CLinux
import Glibc

/// Signals as something to wait for: blocked in every thread, read from a descriptor (signalfd).
package final class SignalSource: Sendable {
    private let descriptor: Descriptor

    /// Blocks these signals in the calling thread, and so in all that it starts later. Call before any thread exists.
    package init(_ signals: [Int32]) throws(SystemError) {
        var set = Self.set(of: signals)
        // Who is started with SIGCHLD ignored has its children reaped unseen, and can't wait for them.
        if signals.contains(SIGCHLD) { signal(SIGCHLD, SIG_DFL) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let raw = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard raw >= 0 else { throw SystemError("make a signal descriptor") }
        descriptor = Descriptor(owning: raw)
    }

    /// The descriptor that is readable when a signal has come.
    package var raw: Int32 { descriptor.raw }

    /// The signals by which a user ends a program. SIGHUP is none where it is ignored, as nohup has it: then the
    /// program outlives its terminal.
    package static var endingNumbers: [Int32] {
        var current = sigaction()
        sigaction(SIGHUP, nil, &current)
        return current.__sigaction_handler.sa_handler == nil ? [SIGINT, SIGTERM, SIGHUP] : [SIGINT, SIGTERM]
    }

    /// The next signal that arrived, by number, or nil.
    package func next() -> Int32? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard Glibc.read(raw, &information, size) == size else { return nil }
        return Int32(bitPattern: information.ssi_signo)
    }

    /// Waits for a signal, up to so many milliseconds. True where one came; it is still to be taken.
    package func wait(milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) > 0
    }

    /// Waits for a signal, up to so many seconds. True where one came; it is still to be taken.
    package func wait(seconds: Int) -> Bool {
        let end = MonotonicTime.now + .seconds(seconds)
        while true {
            let left = (end.nanoseconds - MonotonicTime.now.nanoseconds + 999_999) / 1_000_000
            guard left > 0 else { return false }
            if wait(milliseconds: Int32(min(left, 3_600_000))) { return true }
        }
    }

    /// Ignores signals in this process; what ``ChildProcess`` starts has them at their defaults again.
    package static func ignore(_ signals: [Int32]) {
        for number in signals { clinux_ignore(number) }
    }

    /// Blocks signals in the calling thread, and so in all that it starts later: nothing comes of them here. Unlike an
    /// ignored signal, a blocked one costs nothing when a process is started.
    package static func block(_ signals: [Int32]) {
        var set = set(of: signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Gives every signal its default again, whatever who started this process had ignored.
    package static func restoreDefaults() {
        for number: Int32 in 1..<65 where number != SIGKILL && number != SIGSTOP { signal(number, SIG_DFL) }
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        return set
    }
}
