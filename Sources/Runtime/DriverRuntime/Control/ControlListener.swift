import CLinux
import Glibc
import LinuxSystem

/// The port at which a driver is reached.
final class ControlListener {
    private let socket: Descriptor
    let port: UInt16

    /// Listens on all addresses of this machine.
    ///
    /// - Parameter ports: those to try, in order; 0 lets the system choose.
    init(ports: ClosedRange<UInt16>) throws(SystemError) {
        var failure = SystemError("listen", code: EADDRINUSE)
        for port in ports {
            do throws(SystemError) {
                let socket = try Self.listen(port)
                self.port = try Self.port(of: socket.raw)
                self.socket = socket
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// The descriptor that is readable when a peer connects.
    var raw: Int32 { socket.raw }

    /// A peer that connected; nil where there is none now.
    func accept() throws(SystemError) -> Descriptor? {
        let peer = Glibc.accept(raw, nil, nil)
        if peer >= 0 {
            _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
            return Descriptor(owning: peer)
        }
        switch errno {
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: throw SystemError("accept a connection")
        default: return nil
        }
    }

    /// An IPv6 socket serves IPv4 too; some machines have IPv4 alone.
    private static func listen(_ port: UInt16) throws(SystemError) -> Descriptor {
        if let socket = try? listen6(port) { return socket }
        let socket = try make(AF_INET)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        try bind(socket.raw, &address)
        return socket
    }

    private static func listen6(_ port: UInt16) throws(SystemError) -> Descriptor {
        let socket = try make(AF_INET6)
        var off: Int32 = 0
        setsockopt(socket.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, 4)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        try bind(socket.raw, &address)
        return socket
    }

    private static func make(_ family: Int32) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let raw = Glibc.socket(family, type, 0)
        guard raw >= 0 else { throw SystemError("make a socket") }
        return Descriptor(owning: raw)
    }

    private static func bind<Address>(_ raw: Int32, _ address: inout Address) throws(SystemError) {
        let size = socklen_t(MemoryLayout<Address>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(raw, $0, size) }
        }
        guard code == 0, Glibc.listen(raw, 128) == 0 else { throw SystemError("listen") }
    }

    private static func port(of raw: Int32) throws(SystemError) -> UInt16 {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &size) }
        }
        guard code == 0 else { throw SystemError("find the port") }
        // The port stands at the same place in both families.
        return UInt16(bigEndian: address.sin6_port)
    }
}

/// The addresses of this machine.
enum OwnAddresses {
    /// As text, those that other machines reach first, then loopback; link-local ones, which need an interface's name,
    /// left out.
    static func all() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return ["127.0.0.1"] }
        defer { freeifaddrs(list) }
        var found: [String] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, entry.pointee.ifa_flags & UInt32(IFF_UP) != 0,
                entry.pointee.ifa_flags & UInt32(IFF_LOOPBACK) == 0, let text = text(of: address)
            else { continue }
            found.append(text)
        }
        return found.sorted { !$0.hasPrefix("[") && $1.hasPrefix("[") } + ["127.0.0.1"]
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>) -> String? {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let isSix = Int32(address.pointee.sa_family) == AF_INET6
        guard isSix || Int32(address.pointee.sa_family) == AF_INET else { return nil }
        let size = socklen_t(isSix ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        guard getnameinfo(address, size, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        let text = name.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        if text.hasPrefix("fe80:") { return nil }
        return isSix ? "[\(text)]" : text
    }
}
