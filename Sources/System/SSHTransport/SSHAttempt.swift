import Glibc
import LinuxSystem

/// One attempt to reach a host: its time limit, and the descriptor that says when nobody wants it any more.
struct SSHAttempt {
    /// Readable once the attempt is to be given up; -1 for never.
    let abort: Int32
    var deadline: MonotonicTime

    /// Waits until a descriptor is ready; returns false at the deadline.
    func wait(for raw: Int32, writing: Bool, reading: Bool = true) throws(SSHError) -> Bool {
        while true {
            let left = deadline.nanoseconds - MonotonicTime.now.nanoseconds
            guard left > 0 else { return false }
            var entries = [pollfd(), pollfd()]
            entries[0].fd = raw
            entries[0].events = Int16((reading ? POLLIN : 0) | (writing ? POLLOUT : 0))
            entries[1].fd = abort
            entries[1].events = Int16(POLLIN)
            let count = poll(&entries, 2, Int32(clamping: left / 1_000_000 + 1))
            if entries[1].revents != 0, count > 0 { throw SSHError(.abandoned, "given up") }
            if count > 0 { return true }
        }
    }

    /// Waits a little; returns false at the deadline.
    func pause(milliseconds: Int) throws(SSHError) -> Bool {
        let end = MonotonicTime.now + .milliseconds(milliseconds)
        _ = try SSHAttempt(abort: abort, deadline: min(end, deadline)).wait(for: -1, writing: false)
        return MonotonicTime.now < deadline
    }

    /// One that may take half of what is left of this one's time.
    var half: SSHAttempt {
        let left = max(0, deadline.nanoseconds - MonotonicTime.now.nanoseconds)
        return SSHAttempt(abort: abort, deadline: MonotonicTime(nanoseconds: deadline.nanoseconds - left / 2))
    }

    /// One with the same end, or an earlier one.
    func atMost(seconds: Int) -> SSHAttempt {
        SSHAttempt(abort: abort, deadline: min(deadline, MonotonicTime.now + .seconds(seconds)))
    }

    /// Waits for a process to end and reaps it; nil at the deadline, when it still runs.
    func end(of child: ChildProcess) throws(SSHError) -> ProcessEnd? {
        if let end = child.waitForEnd(until: deadline, abort: abort) { return end }
        try throwIfAbandoned()
        return nil
    }

    /// Runs a program to its end, or to the deadline, when it is killed.
    ///
    /// - Returns: its exit status (255 for any other end), and what it wrote on both its streams; nil where it did
    ///   not end in time.
    func output(of words: [String]) throws(SSHError) -> (status: Int32, text: String)? {
        let output: ProgramOutput
        do throws(SystemError) {
            let left = deadline.nanoseconds - MonotonicTime.now.nanoseconds
            output = try ChildProcess.output(
                of: words, streams: .both, within: .nanoseconds(max(0, left)), abort: abort)
        } catch { throw SSHError(.network, "\(error)") }
        switch output.end {
        case .exited(let status): return (status, output.text)
        case .signalled: return (255, output.text)
        case nil:
            try throwIfAbandoned()
            return nil
        }
    }

    private func throwIfAbandoned() throws(SSHError) {
        var watched = pollfd(fd: abort, events: Int16(POLLIN), revents: 0)
        if poll(&watched, 1, 0) > 0 { throw SSHError(.abandoned, "given up") }
    }
}
