import Glibc
import LinuxSystem

/// Whether somebody listens at an address.
enum TCPProbe {
    private static let patience: Int32 = 3000

    /// Tries to connect, for a few seconds at most.
    ///
    /// - Parameter address: a numeric one.
    static func answers(_ address: String, port: Int) -> Bool {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, "\(port)", &hints, &list) == 0, let found = list?.pointee else { return false }
        defer { freeaddrinfo(list) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let raw = socket(found.ai_family, type, 0)
        guard raw >= 0 else { return false }
        defer { close(raw) }
        if connect(raw, found.ai_addr, found.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var wait = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, patience) == 1 else { return false }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size)
        return code == 0
    }
}
