import DisbatchCore
import Glibc
import LinuxSystem

/// The engine's end of the way to the driver: frames in, frames out, without ever waiting.
final class EngineChannel {
    /// What came of reading.
    enum Input {
        case frames
        case ended
    }

    let input: Int32
    let output: Int32
    private var frames = FrameBuffer()
    var writer = FrameWriter()
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private(set) var isWriteBlocked = false

    /// Takes over the descriptors.
    init(input: consuming Descriptor, output: consuming Descriptor) throws(SystemError) {
        try input.setNonBlocking()
        try output.setNonBlocking()
        self.input = input.release()
        self.output = output.release()
    }

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

    /// Sends as much as is taken now. False where nobody reads any more.
    func flush() -> Bool {
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

    /// Sends all of it, waiting up to a second for who reads.
    func finish() {
        for _ in 0..<10 where flush() && isWriteBlocked {
            var wait = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
            poll(&wait, 1, 100)
        }
    }
}
