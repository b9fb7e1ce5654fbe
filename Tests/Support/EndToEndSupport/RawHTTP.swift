import Foundation
import LinuxSystem

/// A connection to a web server that sends exactly what it is told to.
final class RawHTTP {
    // Closed once, by its own end: a class whose properties are all set is deinitialised where its init throws too.
    private let socket: Descriptor
    private(set) var received: [UInt8] = []
    /// Whether the server has ended it.
    private(set) var hasEnded = false

    /// Connects to this machine.
    ///
    /// - Parameter patienceMilliseconds: how long that may take.
    init(port: Int, patienceMilliseconds: Int = 10_000) throws {
        let raw = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw HarnessError("no socket: \(String(cString: strerror(errno)))") }
        socket = Descriptor(owning: raw)
        var patience = timeval(tv_sec: patienceMilliseconds / 1000, tv_usec: patienceMilliseconds % 1000 * 1000)
        setsockopt(raw, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(raw, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else { throw HarnessError("port \(port): \(String(cString: strerror(errno)))") }
    }

    var text: String { String(decoding: received, as: UTF8.self) }

    /// Sends as much as the server takes.
    func send(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends no more, but goes on reading.
    func endSending() { shutdown(socket.raw, Int32(SHUT_WR)) }

    /// Reads until what has come is enough, or the server ends the connection.
    func read(within seconds: Double = 20, until isEnough: (String) -> Bool = { _ in false }) throws {
        let deadline = Deadline(seconds: seconds)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !hasEnded, !isEnough(text) {
            guard !deadline.hasPassed else { throw HarnessError("no answer in \(seconds) s; there came:\n\(text)") }
            var wait = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 100) > 0 else { continue }
            let count = recv(socket.raw, &buffer, buffer.count, 0)
            if count > 0 { received += buffer[..<count] } else { hasEnded = true }
        }
    }

    /// What a server says to a request for a path.
    static func get(
        _ path: String, port: Int, method: String = "GET", host: String? = nil, more: String = ""
    ) throws -> String {
        let connection = try RawHTTP(port: port)
        let name = host ?? "127.0.0.1:\(port)"
        connection.send("\(method) \(path) HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\(more)\r\n")
        try connection.read()
        return connection.text
    }
}
