import CSSH2
import Glibc
package import LinuxSystem

/// A command on another host, by a connection of its own.
///
/// One thread uses it at a time. Its errors (the command's standard error) go to a file as they come.
///
/// Unchecked, because the compiler can't see that the thread that made it lets go of it when it hands it over.
package final class LibSSH2Channel: ByteChannel, @unchecked Sendable {
    private let session: OpaquePointer
    private let channel: OpaquePointer
    private let wire: SessionWire
    private let proxy: ChildProcess?
    private let errors: Int32
    private var isClosed = false
    /// The other end will send no more bytes.
    private var isAtEnd = false
    /// Nothing more can be done with the session.
    private var isBroken = false
    /// Bytes that were taken, and that the session can't send yet; it wants to be given the very same again.
    private var held: [UInt8] = []
    /// Whether bytes were not taken for want of room at the other end.
    private var isRefusing = false
    /// Whether there may be room again.
    private var invitesWriting = false
    /// How the command ended, where it did: its status, or nil where it was not told. Libssh2 can't tell a status that
    /// never came from 0, so that 0 is no proof of success.
    package private(set) var exitStatus: Int32?
    /// The signal that ended the command, as in `KILL`.
    package private(set) var exitSignal: String?

    /// So much is taken to be sent, at most, before the socket takes it.
    private static let outputLimit = 1 << 18
    private static let chunkSize = 32000

    init(
        session: OpaquePointer, channel: OpaquePointer, wire: SessionWire, proxy: ChildProcess?, errors: Int32
    ) {
        self.session = session
        self.channel = channel
        self.wire = wire
        self.proxy = proxy
        self.errors = errors
        wire.mayReceive = false
    }

    deinit { close() }

    package var descriptor: Int32 { wire.descriptor }
    package var hidesBytes: Bool { true }

    /// Asking tries to send what waits once more, so that a loop that has nothing else to send gets on.
    package var wantsToWrite: Bool {
        guard !isClosed else { return false }
        wire.flush()
        inviteWriting()
        return !wire.hasEnded && (wire.pending > 0 || invitesWriting)
    }

    // MARK: Reading

    /// The errors that came are written to their file meanwhile. Ended is told when the other end has closed the
    /// channel, or is gone: then the command's end is known, if at all.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        precondition(!buffer.isEmpty, "there is no room to read into")
        guard !isClosed, !isBroken else { return .ended }
        wire.mayReceive = true
        let result = isAtEnd ? awaitClose() : receive(buffer)
        wire.mayReceive = false
        drainErrors()
        resume()
        return result
    }

    private func receive(_ buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
        let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = libssh2_channel_read_ex(channel, 0, start, buffer.count)
        if count > 0 { return .bytes(count) }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return wire.hasEnded ? .ended : .wouldBlock }
        guard count == 0 else { return broken(Int32(count)) }
        // Nothing, and no need to wait: all of it has been read. Its errors may not have been.
        drainErrors()
        isAtEnd = true
        return awaitClose()
    }

    /// How the command ended comes after its last bytes, and before the channel is closed.
    private func awaitClose() -> TransferResult {
        let code = libssh2_channel_wait_closed(channel)
        if code == LIBSSH2_ERROR_EAGAIN { return wire.hasEnded ? .ended : .wouldBlock }
        guard code == 0 else { return .ended }
        var signal: UnsafeMutablePointer<CChar>?
        var size = 0
        libssh2_channel_get_exit_signal(channel, &signal, &size, nil, nil, nil, nil)
        if let signal, size > 0 {
            exitSignal = String(cString: signal)
            libssh2_free(session, signal)
        } else {
            exitStatus = libssh2_channel_get_exit_status(channel)
        }
        return .ended
    }

    private func broken(_ code: Int32) -> TransferResult {
        isBroken = true
        return code == LIBSSH2_ERROR_SOCKET_DISCONNECT ? .ended : .failed(code: EPROTO)
    }

    /// Both streams share the room that the other end has to send: what is not taken of one stops the other.
    private func drainErrors() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 13, alignment: 1) { buffer in
            while !isBroken {
                let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                let count = libssh2_channel_read_ex(channel, 1, start, buffer.count)
                guard count > 0 else { return }
                var rest = buffer[..<count]
                while !rest.isEmpty {
                    let written = Glibc.write(errors, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    // A log that can't be written is no reason to stop.
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { break }
                    rest = rest.dropFirst(written)
                }
            }
        }
    }

    // MARK: Writing

    /// Bytes that are taken may wait here, until the next read, write or asking for ``wantsToWrite``.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TransferResult {
        guard !isClosed, !isBroken, !wire.hasEnded, !wire.isDeaf else { return .ended }
        invitesWriting = false
        var taken = 0
        while taken < bytes.count, held.isEmpty, !isBroken {
            if wire.pending >= Self.outputLimit {
                wire.flush()
                if wire.pending >= Self.outputLimit { break }
            }
            let chunk = bytes[taken..<min(taken + Self.chunkSize, bytes.count)]
            held = Array(chunk)
            taken += chunk.count
            sendHeld()
        }
        wire.flush()
        if isBroken { return .failed(code: EPROTO) }
        isRefusing = taken < bytes.count
        return taken > 0 || bytes.isEmpty ? .bytes(taken) : .wouldBlock
    }

    private func sendHeld() {
        while !held.isEmpty {
            let count = held.withUnsafeBytes {
                libssh2_channel_write_ex(channel, 0, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            }
            guard count > 0 else {
                if count != 0, count != Int(LIBSSH2_ERROR_EAGAIN) { isBroken = true }
                return
            }
            held.removeFirst(count)
        }
    }

    /// Goes on with writing after something came: only that makes room at the other end.
    private func resume() {
        if !held.isEmpty { sendHeld() }
        wire.flush()
        inviteWriting()
    }

    /// Says that there is room again, where some was missing.
    private func inviteWriting() {
        if isRefusing, held.isEmpty, wire.pending < Self.outputLimit {
            isRefusing = false
            invitesWriting = true
        }
    }

    // MARK: End

    /// Does not wait: bytes that the socket does not take now are lost.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        wire.mayReceive = false
        if !isBroken {
            sendHeld()
            libssh2_channel_send_eof(channel)
            libssh2_channel_close(channel)
        }
        SSHSession.free(session, wire, proxy)
    }
}
