import Glibc

/// A socket to a process of this machine.
package final class SocketChannel: ByteChannel {
    package private(set) var descriptor: Int32
    package private(set) var wantsToWrite = false
    package var hidesBytes: Bool { false }

    /// Takes over one end of a connection.
    package init(_ socket: consuming Descriptor) throws(SystemError) {
        try socket.setNonBlocking()
        descriptor = socket.release()
    }

    deinit { close() }

    /// See ``ByteChannel``.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        LinuxSystem.read(descriptor, into: buffer)
    }

    /// See ``ByteChannel``.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TransferResult {
        let result = LinuxSystem.write(descriptor, bytes)
        wantsToWrite = result == .wouldBlock
        return result
    }

    /// See ``ByteChannel``.
    package func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
