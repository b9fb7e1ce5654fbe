import CSSH2
import Glibc
import LinuxSystem

/// The layer between a session and its socket: libssh2 sends and receives through it.
///
/// Libssh2 must be called again in the very same way when the socket takes only a part of a packet; whatever is called
/// instead fails. So here it is always rid of its packets, and what the socket does not take waits here. Writing would
/// make it read from the socket, too, so that the socket is not readable although bytes have come: it may receive only
/// where its caller will look for them. And it forgets packets that came when it meets the end of the socket: the end
/// is kept here until it has nothing more.
final class SessionWire {
    /// The socket, non-blocking; -1 once closed.
    private(set) var descriptor: Int32
    /// Nothing more will come or go: the socket has ended.
    private(set) var hasEnded = false
    var mayReceive = true
    private var output: [UInt8] = []
    private var sent = 0

    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// How many bytes wait to be sent.
    var pending: Int { output.count - sent }

    /// Sends what the socket takes.
    func flush() {
        while pending > 0, !hasEnded {
            let count = output.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                return compact()
            } else if errno != EINTR {
                endWriting()
            }
        }
        if hasEnded || pending == 0 { output.removeAll(keepingCapacity: output.capacity <= 1 << 19) }
        if output.isEmpty { sent = 0 }
    }

    private func compact() {
        guard sent > output.count / 2 else { return }
        output.removeFirst(sent)
        sent = 0
    }

    /// Stops writing. Bytes that came before the end can still be read: the end shows there.
    private func endWriting() {
        output = []
        sent = 0
        isDeaf = true
    }

    /// Whether the other end takes nothing more.
    private(set) var isDeaf = false

    /// From now on nothing comes or goes, and libssh2 does not wait for it.
    func cut() {
        isCut = true
        output = []
        sent = 0
    }

    private var isCut = false

    /// Ends both ways. What was sent goes out: with bytes unread the kernel would reset the connection.
    func close() {
        guard descriptor >= 0 else { return }
        flush()
        shutdown(descriptor, Int32(SHUT_WR))
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        for _ in 0..<64 where recv(descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT)) <= 0 { break }
        Glibc.close(descriptor)
        descriptor = -1
    }

    // MARK: What libssh2 calls

    /// Makes a session that sends and receives here; whoever frees it keeps the wire until then.
    func makeSession() -> OpaquePointer? {
        let own = Unmanaged.passUnretained(self).toOpaque()
        guard let session = libssh2_session_init_ex(nil, nil, nil, own) else { return nil }
        libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, unsafeBitCast(Self.sending, to: Raw.self))
        libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, unsafeBitCast(Self.receiving, to: Raw.self))
        libssh2_session_set_blocking(session, 0)
        return session
    }

    private typealias Raw = UnsafeMutableRawPointer
    private typealias Owner = UnsafeMutablePointer<UnsafeMutableRawPointer?>?

    private static let sending: @convention(c) (Int32, UnsafeRawPointer?, Int, Int32, Owner) -> Int = {
        _, bytes, count, _, owner in
        guard let raw = owner?.pointee else { return -Int(EIO) }
        let wire = Unmanaged<SessionWire>.fromOpaque(raw).takeUnretainedValue()
        if !wire.isCut, !wire.hasEnded, !wire.isDeaf {
            wire.output += UnsafeRawBufferPointer(start: bytes, count: count)
        }
        return count
    }

    private static let receiving: @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int32, Owner) -> Int = {
        _, bytes, count, _, owner in
        guard let raw = owner?.pointee else { return -Int(EIO) }
        let wire = Unmanaged<SessionWire>.fromOpaque(raw).takeUnretainedValue()
        if wire.isCut { return -Int(ECONNRESET) }
        guard wire.mayReceive, !wire.hasEnded else { return -Int(EAGAIN) }
        switch LinuxSystem.read(wire.descriptor, into: UnsafeMutableRawBufferPointer(start: bytes, count: count)) {
        case .bytes(let count): return count
        case .wouldBlock: break
        case .ended, .failed: wire.hasEnded = true
        }
        return -Int(EAGAIN)
    }
}
