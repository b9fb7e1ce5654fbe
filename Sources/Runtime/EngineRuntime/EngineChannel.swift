import DisbatchCore
import Glibc
import LinuxSystem

/// The engine's end of the channel to the driver: frames in, frames out, without ever waiting.
final class EngineChannel {
    /// The results of reading.
    enum Input {
        case frames
        case ended
    }

    let input: Int32
    let output: Int32
    private var frames = FrameBuffer()
    private var writer = FrameWriter()
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private(set) var isWriteBlocked = false
    /// Whether nothing more is said to the driver.
    private(set) var isMute = false
    /// The latest time to send what was written.
    private(set) var sendDeadline = Instant.distantFuture

    /// Takes over the descriptors.
    init(input: consuming Descriptor, output: consuming Descriptor) throws(SystemError) {
        try input.setNonBlocking()
        try output.setNonBlocking()
        self.input = input.release()
        self.output = output.release()
    }

    // MARK: In

    /// Reads what is there.
    func receive() -> Input {
        let input = input
        switch buffer.withUnsafeMutableBytes({ read(input, into: $0) }) {
        case .bytes(let count):
            buffer.withUnsafeBytes { frames.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            return .frames
        case .wouldBlock: return .frames
        case .ended, .failed: return .ended
        }
    }

    /// The next whole frame, if there is one.
    func nextFrame() throws(WireError) -> DriverFrame? {
        try frames.next { (kind, reader) throws(WireError) in try DriverFrame.decode(kind: kind, &reader) }
    }

    // MARK: Out

    /// Says no more. A driver that heard from an orphan of the tasks that it killed would give it others.
    func mute() {
        isMute = true
        sendDeadline = .distantFuture
    }

    /// Sends a frame in this turn.
    func send(_ frame: EngineFrame) {
        guard !isMute else { return }
        sendNow()
        frame.encode(into: &writer)
    }

    /// Sends a frame by the time that `delay` allows.
    func send(_ frame: EngineFrame, within delay: Duration) {
        guard !isMute else { return }
        send(within: delay)
        frame.encode(into: &writer)
    }

    /// Adds a frame to those that are sent next.
    func write(_ frame: EngineFrame) { frame.encode(into: &writer) }

    /// Sends what was written, and what will be, in this turn.
    func sendNow() {
        if !isMute { sendDeadline = Instant(nanoseconds: 0) }
    }

    /// Sends what was written, and what will be, by the time that `delay` allows.
    func send(within delay: Duration) {
        if !isMute { sendDeadline = min(sendDeadline, Instant.now() + delay) }
    }

    /// Whether the time to send has come.
    var isDue: Bool {
        !isMute && sendDeadline != .distantFuture && (sendDeadline.nanoseconds == 0 || Instant.now() >= sendDeadline)
    }

    /// Sends as much as is taken now. False where nobody reads any more.
    func flush() -> Bool {
        sendDeadline = .distantFuture
        while !writer.isEmpty {
            let count = writer.withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
            if count >= 0 {
                writer.drop(count)
            } else if errno == EAGAIN {
                isWriteBlocked = true
                return true
            } else if errno != EINTR {
                return false
            }
        }
        isWriteBlocked = false
        return true
    }

    /// Sends all of it, waiting up to a second for the reader.
    func finish() {
        for _ in 0..<10 where flush() && isWriteBlocked {
            var wait = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
            poll(&wait, 1, 100)
        }
    }
}

extension Instant {
    /// The time since the machine was booted, with that for which it slept.
    static func now() -> Instant { Instant(nanoseconds: SystemClock.bootNanoseconds()) }
}
