import Glibc

/// This machine.
package enum OwnHost {
    /// Its name, as gethostname(2) gives it.
    package static let name: String = {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }()

    /// The addresses of its network interfaces, as text: `10.0.0.7`, `fe80::1`.
    package static var addresses: Set<String> {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var found: Set<String> = []
        for interface in sequence(first: first, next: { $0?.pointee.ifa_next }) {
            guard let address = interface?.pointee.ifa_addr else { continue }
            if let text = text(of: address) { found.insert(text) }
        }
        return found
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let raw = UnsafeMutableRawPointer(address)
        let isMade =
            switch Int32(address.pointee.sa_family) {
            case AF_INET:
                inet_ntop(AF_INET, &raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_addr, &text, 46) != nil
            case AF_INET6:
                inet_ntop(AF_INET6, &raw.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_addr, &text, 46) != nil
            default: false
            }
        return isMade ? text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) } : nil
    }
}
