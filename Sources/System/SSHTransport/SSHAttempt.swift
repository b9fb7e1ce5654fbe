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
        if child.pidfd >= 0 {
            return try wait(for: child.pidfd, writing: false) ? child.waitForEnd().end : nil
        }
        // Old kernels tell of a process's end by no descriptor.
        while true {
            if let ended = child.reap() { return ended.end }
            guard try pause(milliseconds: 20) else { return nil }
        }
    }

    /// Runs a program to its end, or to the deadline, when it is killed.
    ///
    /// - Returns: its exit status (255 for any other end), and what it wrote on both its streams; nil where it did
    ///   not end in time.
    func output(of words: [String]) throws(SSHError) -> (status: Int32, text: String)? {
        let started: (child: ChildProcess, pipe: Int32)
        do {
            let pipe = try DescriptorPair.pipe()
            let null = try Descriptor.open("/dev/null", O_RDONLY)
            let child = try ChildProcess.start(
                words, input: null.raw, output: pipe.second.raw, error: pipe.second.raw,
                wantsDescriptor: true)
            started = (child, pipe.takeFirst().release())
        } catch { throw SSHError(.network, "\(error)") }
        let pipe = Descriptor(owning: started.pipe)
        var isReaped = false
        defer {
            if !isReaped { Self.kill(started.child) }
            started.child.close()
        }
        var bytes: [UInt8] = []
        while true {
            guard try wait(for: pipe.raw, writing: false) else { return nil }
            var chunk = [UInt8](repeating: 0, count: 1 << 14)
            guard case .bytes(let count) = chunk.withUnsafeMutableBytes({ pipe.read(into: $0) }) else { break }
            // More is no answer of a program that is asked here.
            if bytes.count < 1 << 20 { bytes += chunk[..<count] }
        }
        // It may have closed its streams, and run on.
        guard let end = try end(of: started.child) else { return nil }
        isReaped = true
        var status: Int32 = 255
        if case .exited(let code) = end { status = code }
        return (status, String(decoding: bytes, as: UTF8.self))
    }

    private static func kill(_ child: ChildProcess) {
        Glibc.kill(-child.pid, SIGKILL)
        _ = child.waitForEnd()
    }
}
