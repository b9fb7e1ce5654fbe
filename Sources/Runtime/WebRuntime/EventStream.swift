import CMicroHTTPD
import Glibc

/// One browser that is told of the run. It is sent the latest picture whenever it has taken the one before, so that
/// nothing piles up for one that is slow.
final class EventStream {
    private unowned let server: HTTPServer
    private let connection: OpaquePointer
    private var bytes: [UInt8]
    private var offset = 0
    /// The number of the picture that is being sent, or was.
    private var sent = 0
    /// Whether it waits for a new picture.
    private(set) var isSuspended = false

    init(_ server: HTTPServer, _ connection: OpaquePointer, greeting: [UInt8]) {
        self.server = server
        self.connection = connection
        bytes = greeting
    }

    /// Puts what comes next where the library wants it. Returns how much that is; -1 at the end.
    func read(into buffer: UnsafeMutablePointer<CChar>, _ limit: Int) -> Int {
        if offset == bytes.count {
            guard sent < server.pictureNumber else {
                if server.isClosing { return -1 }
                isSuspended = true
                MHD_suspend_connection(connection)
                return 0
            }
            (bytes, offset, sent) = (server.picture, 0, server.pictureNumber)
        }
        let count = min(limit, bytes.count - offset)
        bytes.withUnsafeBytes { _ = memcpy(buffer, $0.baseAddress! + offset, count) }
        offset += count
        return count
    }

    /// Goes on, where it waits.
    func resume() {
        guard isSuspended else { return }
        isSuspended = false
        MHD_resume_connection(connection)
    }

    func leave() { server.forget(self) }
}
