import CMicroHTTPD
import DisbatchCore
import Glibc
import LinuxSystem

/// Answers browsers, by libmicrohttpd, on the thread that calls ``run()``.
final class HTTPServer {
    private let gate: WebGate
    private var daemon: OpaquePointer?
    private var streams: [ObjectIdentifier: EventStream] = [:]
    /// The latest picture, as an event, and how many there were.
    private(set) var picture: [UInt8] = []
    private(set) var pictureNumber = 0
    /// Whether streams end with the latest picture.
    private(set) var isClosing = false
    /// The descriptor that is readable when ``run()`` has something to do.
    private(set) var descriptor: Int32 = -1

    private static let mostConnections: UInt32 = 256
    private static let mostStreams = 128
    private static let idleSeconds: UInt32 = 10
    private static let connectionMemory = 16 << 10

    /// Takes over a socket that listens.
    init(_ listener: consuming WebListener, gate: WebGate) throws(SystemError) {
        self.gate = gate
        let raw = listener.release()
        daemon = cmicrohttpd_start(
            raw,
            { context, connection, path, method, _, _, _, state in
                Unmanaged<HTTPServer>.fromOpaque(context!).takeUnretainedValue()
                    .answer(connection!, path!, method!, isFirst: HTTPServer.isFirstCall(state!))
            }, Unmanaged.passUnretained(self).toOpaque(), Self.mostConnections, Self.idleSeconds,
            Self.connectionMemory)
        guard let daemon else {
            Glibc.close(raw)
            throw SystemError("start the web server", code: errno == 0 ? ENOMEM : errno)
        }
        descriptor = cmicrohttpd_descriptor(daemon)
    }

    deinit { stop() }

    /// Does what there is to do, without waiting.
    func run() { if let daemon { _ = MHD_run(daemon) } }

    /// In how many milliseconds ``run()`` is to be called, whatever happens; -1 for never.
    var timeout: Int32 {
        var milliseconds: UInt64 = 0
        guard let daemon, MHD_get_timeout(daemon, &milliseconds).rawValue != 0 else { return -1 }
        return Int32(clamping: milliseconds)
    }

    /// Shows all browsers a picture.
    func publish(_ event: [UInt8]) {
        picture = event
        pictureNumber += 1
        for stream in streams.values { stream.resume() }
        run()
    }

    /// Ends all streams once they have the latest picture; true where none is left.
    func close() -> Bool {
        isClosing = true
        for stream in streams.values { stream.resume() }
        run()
        return streams.isEmpty
    }

    /// Closes all connections, and the port.
    func stop() {
        guard let daemon else { return }
        isClosing = true
        for stream in streams.values { stream.resume() }
        self.daemon = nil
        MHD_stop_daemon(daemon)
    }

    func forget(_ stream: EventStream) { streams[ObjectIdentifier(stream)] = nil }

    // MARK: Requests

    /// The library calls once with the headers, and again when an answer may be given.
    private static func isFirstCall(_ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Bool {
        guard state.pointee == nil else { return false }
        state.pointee = UnsafeMutableRawPointer(state)
        return true
    }

    private func answer(
        _ connection: OpaquePointer, _ path: UnsafePointer<CChar>, _ method: UnsafePointer<CChar>, isFirst: Bool
    ) -> MHD_Result {
        let host = MHD_lookup_connection_value(connection, Self.headerKind, "Host").map { String(cString: $0) }
        let request = WebRequest(method: String(cString: method), path: String(cString: path), host: host)
        let answer = gate.answer(request)
        switch answer {
        // A body that somebody sends is not waited for.
        case .page, .events: if isFirst { return Self.yes }
        case .error: break
        }
        switch answer {
        case .page: return send(page(), status: 200, to: connection)
        case .events where streams.count >= Self.mostStreams:
            return send(text("Too many watch this run already.\n"), status: 503, to: connection)
        case .events: return send(stream(connection), status: 200, to: connection)
        case .error(let status, let words): return send(text(words, status: status), status: status, to: connection)
        }
    }

    private func send(_ response: OpaquePointer?, status: UInt32, to connection: OpaquePointer) -> MHD_Result {
        guard let response else { return Self.no }
        defer { MHD_destroy_response(response) }
        for (name, value) in PageHeaders.common { MHD_add_response_header(response, name, value) }
        return MHD_queue_response(connection, status, response)
    }

    private func page() -> OpaquePointer? {
        let nonce = RandomToken.make()
        let response = Self.response(Array(PageText.html(nonce: nonce).utf8), type: "text/html; charset=utf-8")
        if let response {
            MHD_add_response_header(response, "Content-Security-Policy", PageHeaders.policy(nonce: nonce))
        }
        return response
    }

    private func text(_ text: String, status: UInt32 = 0) -> OpaquePointer? {
        let response = Self.response(Array(text.utf8), type: "text/plain; charset=utf-8")
        if let response {
            MHD_add_response_header(response, "Connection", "close")
            if status == 405 { MHD_add_response_header(response, "Allow", "GET, HEAD") }
        }
        return response
    }

    private func stream(_ connection: OpaquePointer) -> OpaquePointer? {
        let stream = EventStream(self, connection, greeting: PagePicture.greeting)
        let context = Unmanaged.passRetained(stream)
        let response = MHD_create_response_from_callback(
            .max, 16 << 10,
            { context, _, buffer, limit in
                Unmanaged<EventStream>.fromOpaque(context!).takeUnretainedValue().read(into: buffer!, limit)
            }, context.toOpaque(),
            { context in
                let stream = Unmanaged<EventStream>.fromOpaque(context!)
                stream.takeUnretainedValue().leave()
                stream.release()
            })
        guard let response else {
            context.release()
            return nil
        }
        streams[ObjectIdentifier(stream)] = stream
        MHD_add_response_header(response, "Content-Type", "text/event-stream")
        return response
    }

    private static func response(_ bytes: [UInt8], type: String) -> OpaquePointer? {
        var bytes = bytes
        let copies = MHD_ResponseMemoryMode(rawValue: 2)!
        let response = bytes.withUnsafeMutableBytes {
            MHD_create_response_from_buffer($0.count, $0.baseAddress, copies)
        }
        if let response { MHD_add_response_header(response, "Content-Type", type) }
        return response
    }

    private static let headerKind = MHD_ValueKind(rawValue: 1)!
    private static let yes = MHD_Result(rawValue: 1)!
    private static let no = MHD_Result(rawValue: 0)!
}

/// Names that nobody guesses.
enum RandomToken {
    /// 128 bits of the kernel's, in hexadecimal.
    static func make() -> String {
        var source = SystemRandomNumberGenerator()
        return (0..<2).map { _ in String(source.next(), digits: 16, radix: 16) }.joined()
    }
}
