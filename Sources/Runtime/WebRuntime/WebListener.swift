import Glibc
import LinuxSystem

/// Where the page is to be served.
struct WebAddress: Equatable {
    /// A name or an address; an IPv6 address without its brackets.
    var host: String
    /// 0 lets the system choose.
    var port: UInt16

    /// The host as it stands in the address of a page.
    var shownHost: String { host.contains(":") ? "[\(host)]" : host }

    /// Whether all addresses of this machine are meant.
    var isAny: Bool { ["0.0.0.0", "::"].contains(host) }

    /// Whether only this machine can come.
    var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}

/// A socket that listens.
struct WebListener: ~Copyable {
    let socket: Descriptor
    let port: UInt16

    /// Listens at an address.
    init(_ address: WebAddress) throws(SystemError) {
        let doing = "listen at \(address.shownHost):\(address.port)"
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &list) == 0, let found = list?.pointee else {
            throw SystemError(doing, code: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(list) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let raw = Glibc.socket(found.ai_family, type, 0)
        guard raw >= 0 else { throw SystemError(doing) }
        let made = Descriptor(owning: raw)
        var on: Int32 = 1
        setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        guard bind(raw, found.ai_addr, found.ai_addrlen) == 0, listen(raw, 64) == 0 else { throw SystemError(doing) }
        port = Self.port(of: raw)
        socket = made
    }

    private static func port(of raw: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(raw, $0, &size) }
            // Both families have it in the same place.
            return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
    }

    consuming func release() -> Int32 { socket.release() }
}
