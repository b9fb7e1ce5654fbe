import CLinux
import Glibc

/// A file descriptor that this value owns: closed when the value ends.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: Int32

    /// Takes over an open descriptor.
    package init(owning raw: Int32) { self.raw = raw }

    deinit { Glibc.close(raw) }

    /// Gives the descriptor up without closing it.
    package consuming func release() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    /// Opens a file, close-on-exec.
    package static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0o666
    ) throws(SystemError) -> Descriptor {
        let raw = retrying { clinux_open(path, flags | O_CLOEXEC, mode) }
        guard raw >= 0 else { throw SystemError("open \(path)") }
        return Descriptor(owning: raw)
    }

    /// A file that is nowhere but in memory.
    package static func inMemory() throws(SystemError) -> Descriptor {
        let raw = clinux_memfd("disbatch")
        guard raw >= 0 else { throw SystemError("make a file in memory") }
        return Descriptor(owning: raw)
    }

    /// Opens /dev/null where standard input, output or error is closed: the next file to be opened would take its
    /// place, and what is printed would end up in that file. To be called first of all.
    package static func fillStandardStreams() {
        for raw: Int32 in 0...2 where fcntl(raw, F_GETFD) < 0 {
            // The lowest free number is this one. Closed on exec, so that programs find what our caller meant.
            _ = clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0)
        }
    }

    /// Makes reads and writes return at once instead of waiting.
    package borrowing func setNonBlocking() throws(SystemError) {
        let flags = fcntl(raw, F_GETFL)
        guard flags >= 0, fcntl(raw, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw SystemError("make descriptor \(raw) non-blocking")
        }
    }
}

/// The two ends of a pipe, or of a pair of connected sockets; close-on-exec.
package struct DescriptorPair: ~Copyable {
    /// The end to read from; either end of a socket pair.
    package let first: Descriptor
    /// The end to write to; the other end of a socket pair.
    package let second: Descriptor

    /// Takes over two open descriptors.
    package init(owning first: Int32, _ second: Int32) {
        self.first = Descriptor(owning: first)
        self.second = Descriptor(owning: second)
    }

    /// Keeps the first end and closes the second.
    package consuming func takeFirst() -> Descriptor { first }

    /// Gives both ends up without closing them.
    package consuming func release() -> (first: Int32, second: Int32) { (first.release(), second.release()) }

    /// A pipe.
    package static func pipe() throws(SystemError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        return DescriptorPair(owning: ends[0], ends[1])
    }

    /// Two connected sockets that carry bytes both ways.
    package static func sockets() throws(SystemError) -> DescriptorPair {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError("make a socket pair") }
        return DescriptorPair(owning: ends[0], ends[1])
    }
}

/// The outcome of reading or writing without waiting.
package enum TransferResult: Equatable, Sendable {
    case bytes(Int)
    /// Nothing now; the descriptor will become ready.
    case wouldBlock
    /// End of file when reading, a closed other end when writing.
    case ended
    case failed(code: Int32)
}

extension Descriptor {
    /// Reads what is there, up to the buffer's size.
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        LinuxSystem.read(raw, into: buffer)
    }

    /// Writes as much as is taken now.
    package borrowing func write(_ buffer: UnsafeRawBufferPointer) -> TransferResult {
        LinuxSystem.write(raw, buffer)
    }

    /// Writes all of it, waiting as long as it takes.
    ///
    /// - Parameter action: what is being done, for the error.
    package borrowing func writeAll(_ bytes: [UInt8], _ action: @autoclosure () -> String = "write")
        throws(SystemError)
    {
        var failure: SystemError?
        bytes.withUnsafeBytes { bytes in
            do throws(SystemError) { try writeAll(bytes, action()) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes all of it, waiting as long as it takes.
    package borrowing func writeAll(_ buffer: UnsafeRawBufferPointer, _ action: @autoclosure () -> String = "write")
        throws(SystemError)
    {
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = retrying { Glibc.write(raw, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count) }
            guard count > 0 else {
                let code = count == 0 ? ENOSPC : errno
                throw SystemError(action(), code: code)
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// Reads what is there from a descriptor that somebody else owns.
package func read(_ raw: Int32, into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
    let count = retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    if count > 0 { return .bytes(count) }
    if count == 0 { return .ended }
    switch errno {
    case EAGAIN: return .wouldBlock
    case ECONNRESET: return .ended
    default: return .failed(code: errno)
    }
}

/// Writes as much as is taken now to a descriptor that somebody else owns.
package func write(_ raw: Int32, _ buffer: UnsafeRawBufferPointer) -> TransferResult {
    let count = retrying { Glibc.write(raw, buffer.baseAddress, buffer.count) }
    if count >= 0 { return .bytes(count) }
    switch errno {
    case EAGAIN: return .wouldBlock
    case EPIPE, ECONNRESET: return .ended
    default: return .failed(code: errno)
    }
}
