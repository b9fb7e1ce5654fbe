import Glibc

/// Connections to other machines, made within a time.
package enum TCPConnection {
    /// Connects, and does not block from then on.
    ///
    /// - Parameters:
    ///   - host: an address, or a name.
    ///   - seconds: how long it may take.
    package static func open(_ host: String, port: String, seconds: Int) throws(SystemError) -> Descriptor {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICHOST
        var list: UnsafeMutablePointer<addrinfo>?
        if getaddrinfo(host, port, &hints, &list) != 0 {
            hints.ai_flags = 0
            guard getaddrinfo(host, port, &hints, &list) == 0 else {
                // Other services are not asked: see NameServices.
                throw SystemError(
                    "connect", code: EHOSTUNREACH,
                    detail: "neither /etc/hosts nor DNS knows the name; an address in its place would do")
            }
        }
        defer { freeaddrinfo(list) }
        let limit = MonotonicTime.now + .seconds(seconds)
        var error = SystemError("connect", code: EHOSTUNREACH)
        for found in sequence(first: list, next: { $0?.pointee.ai_next }) {
            guard let address = found?.pointee else { break }
            do throws(SystemError) {
                return try connect(address, until: limit)
            } catch let failure {
                error = failure
            }
        }
        throw error
    }

    private static func connect(_ address: addrinfo, until limit: MonotonicTime) throws(SystemError) -> Descriptor {
        let raw = socket(address.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemError("connect") }
        let made = Descriptor(owning: raw)
        try made.setNonBlocking()
        if Glibc.connect(raw, address.ai_addr, address.ai_addrlen) == 0 { return made }
        guard errno == EINPROGRESS else { throw SystemError("connect") }
        var wait = pollfd(fd: raw, events: Int16(POLLOUT), revents: 0)
        guard poll(&wait, 1, limit.millisecondsFromNow) == 1 else { throw SystemError("connect", code: ETIMEDOUT) }
        var code: Int32 = 0
        var size = socklen_t(4)
        getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw SystemError("connect", code: code) }
        return made
    }
}
