import CCurl
import DisbatchCore
import Glibc
import LinuxSystem

/// A request, which may hold secrets: it shows its method and address alone.
package struct HTTPRequest: CustomStringConvertible, CustomReflectable {
    package var method = "GET"
    package var address: String
    package var headers: [String] = []
    /// The bearer token.
    package var token: Secret?
    package var body: Secret?
    package var contentType = "application/json"
    package var timeLimit = Duration.seconds(60)
    package var replyLimit = 32 << 20
    /// Whether this goes to the metadata server: by plain HTTP, and never through a proxy.
    package var isForMetadata = false

    package init(_ method: String, _ address: String) {
        self.method = method
        self.address = address
    }

    package var description: String { "\(method) \(address)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A reply, of any status.
package struct HTTPReply: CustomStringConvertible, CustomReflectable {
    package var status: Int
    /// Names in small letters.
    package var headers: [String: String]
    package var body: [UInt8]

    package var description: String { "HTTP \(status), \(body.count) bytes" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// One request at a time, over connections that are kept. For one thread, whose signals are blocked (SIGPIPE).
///
/// It follows no redirect, so that no token goes where it was not meant to; certificates are verified; plain HTTP is
/// for this machine and the metadata server.
package final class HTTPClient {
    private let easy: UnsafeMutableRawPointer
    private let multi: UnsafeMutableRawPointer
    private let certificates: String?

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// - Parameter environment: `CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE`, `SSL_CERT_FILE` or `CURL_CA_BUNDLE` may name the
    ///   certificates to trust.
    package init(environment: CloudEnvironment) {
        guard Self.isReady, let easy = curl_easy_init(), let multi = curl_multi_init() else {
            preconditionFailure("libcurl has no memory")
        }
        self.easy = easy
        self.multi = multi
        certificates = environment.certificates
    }

    deinit {
        curl_multi_cleanup(multi)
        curl_easy_cleanup(easy)
    }

    /// Sends a request, and waits for the whole reply.
    ///
    /// - Throws: where there is no reply. A reply that tells of an error is one.
    package func perform(
        _ request: HTTPRequest, _ action: String, _ cancellation: Cancellation
    ) throws(CloudError) -> HTTPReply {
        guard Self.isAllowed(request.address) || request.isForMetadata && request.address.hasPrefix("http://") else {
            throw CloudError(
                .invalid, action, "\(request.address): only https, and http on this machine, is spoken",
                advice: "use an address that begins with https://")
        }
        let transfer = HTTPTransfer(limit: request.replyLimit)
        let list = headers(of: request)
        defer { curl_slist_free_all(list) }
        var trouble = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE) + 1)
        let code = trouble.withUnsafeMutableBufferPointer { trouble in
            set(request, transfer, list)
            _ = ccurl_setopt_pointer(easy, CURLOPT_ERRORBUFFER, trouble.baseAddress)
            defer { curl_easy_reset(easy) }
            return run(cancellation)
        }
        guard let code else { throw CloudError(.cancelled, action, "given up") }
        guard code == CURLE_OK else {
            let text = String(decoding: trouble.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Self.error(code, text, transfer, action)
        }
        return HTTPReply(status: transfer.status, headers: transfer.headers, body: transfer.body)
    }

    /// Nil when cancelled.
    private func run(_ cancellation: Cancellation) -> CURLcode? {
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
        cancellation.enter(multi)
        defer {
            cancellation.leave(multi)
            curl_multi_remove_handle(multi, easy)
        }
        while !cancellation.isCancelled {
            var (running, left): (Int32, Int32) = (0, 0)
            guard curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
            while let message = curl_multi_info_read(multi, &left) {
                if message.pointee.msg == CURLMSG_DONE { return message.pointee.data.result }
            }
            curl_multi_poll(multi, nil, 0, 1000, nil)
        }
        return nil
    }

    // MARK: Options

    private func headers(of request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        var lines = request.headers + ["Expect:"]
        if let token = request.token { lines.append("Authorization: Bearer \(token.text)") }
        if request.body != nil { lines.append("Content-Type: \(request.contentType)") }
        var list: UnsafeMutablePointer<curl_slist>?
        // A line's end in a value would begin another header.
        for line in lines where !line.utf8.contains(where: { $0 < 0x20 }) { list = curl_slist_append(list, line) }
        return list
    }

    private func set(
        _ request: HTTPRequest, _ transfer: HTTPTransfer, _ list: UnsafeMutablePointer<curl_slist>?
    ) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        let milliseconds = Int(request.timeLimit.wholeNanoseconds / 1_000_000)
        for (option, value) in [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_SSL_VERIFYPEER, 1),
            (CURLOPT_SSL_VERIFYHOST, 2), (CURLOPT_TIMEOUT_MS, max(1, milliseconds)),
            (CURLOPT_CONNECTTIMEOUT_MS, max(1, min(20_000, milliseconds))), (CURLOPT_TCP_KEEPALIVE, 1),
        ] {
            _ = ccurl_setopt_long(easy, option, value)
        }
        _ = ccurl_setopt_string(easy, CURLOPT_URL, request.address)
        _ = ccurl_setopt_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = ccurl_setopt_string(easy, CURLOPT_USERAGENT, "disbatch")
        _ = ccurl_setopt_string(easy, CURLOPT_ACCEPT_ENCODING, "")
        if let certificates { _ = ccurl_setopt_string(easy, CURLOPT_CAINFO, certificates) }
        if request.address.hasPrefix("http://") { _ = ccurl_setopt_string(easy, CURLOPT_PROXY, "") }
        _ = ccurl_set_close_on_exec(easy)
        _ = ccurl_setopt_list(easy, CURLOPT_HTTPHEADER, list)
        _ = ccurl_setopt_writer(easy, CURLOPT_WRITEFUNCTION, HTTPTransfer.takeBody)
        _ = ccurl_setopt_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = ccurl_setopt_writer(easy, CURLOPT_HEADERFUNCTION, HTTPTransfer.takeHeader)
        _ = ccurl_setopt_pointer(easy, CURLOPT_HEADERDATA, context)
        if let body = request.body?.text ?? (request.method == "POST" ? "" : nil) {
            let bytes = Array(body.utf8)
            _ = ccurl_setopt_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
            _ = bytes.withCString { ccurl_setopt_string(easy, CURLOPT_COPYPOSTFIELDS, $0) }
        }
        if request.method != "GET" { _ = ccurl_setopt_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
    }

    // MARK: Rules

    /// Whether an address is one that secrets may be sent to: by TLS, or on this machine.
    static func isAllowed(_ address: String) -> Bool {
        if address.hasPrefix("https://") { return !Self.hasUser(address) }
        guard address.hasPrefix("http://"), !Self.hasUser(address) else { return false }
        let place = address.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if place.hasPrefix("[") { return place == "[::1]" || place.hasPrefix("[::1]:") }
        let host = place.prefix { $0 != ":" }
        return host == "localhost" || isLoopback(host)
    }

    /// Whether it is 127.x.x.x, and no name that begins like that.
    private static func isLoopback(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether an address has a user's name before an @, which is not the host that it looks like.
    private static func hasUser(_ address: String) -> Bool {
        address.contains("@") || address.contains("\\")
    }

    private static func error(
        _ code: CURLcode, _ text: String, _ transfer: HTTPTransfer, _ action: String
    ) -> CloudError {
        if transfer.isTooLong {
            return CloudError(.transport, action, "the reply is longer than \(transfer.limit) bytes")
        }
        let message = CloudError.plain(text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        switch code {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM:
            return CloudError(
                .transport, action, message,
                advice: "set SSL_CERT_FILE to the certificates to trust, if a proxy here has one of its own")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: return CloudError(.invalid, action, message)
        default: return CloudError(.transport, action, message, mayPass: true)
        }
    }
}

/// The buffers that libcurl's callbacks fill.
private final class HTTPTransfer {
    let limit: Int
    var status = 0
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    var isTooLong = false

    init(limit: Int) { self.limit = limit }

    static let takeBody: curl_write_callback = { data, size, count, context in
        guard let data, let context else { return 0 }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        let length = size * count
        guard transfer.body.count + length <= transfer.limit else {
            transfer.isTooLong = true
            return 0
        }
        transfer.body += UnsafeRawBufferPointer(start: data, count: length)
        return length
    }

    /// Each reply begins with its status line; those before the last (100 Continue) count for nothing.
    static let takeHeader: curl_write_callback = { data, size, count, context in
        guard let data, let context else { return 0 }
        let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
        let line = String(decoding: UnsafeRawBufferPointer(start: data, count: size * count), as: UTF8.self)
        let words = line.split(whereSeparator: \.isWhitespace)
        if line.hasPrefix("HTTP/") {
            transfer.status = words.dropFirst().first.flatMap { Int($0) } ?? 0
            transfer.headers = [:]
        } else if let colon = line.firstIndex(of: ":"), transfer.headers.count < 200 {
            let value = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace)
            transfer.headers[line[..<colon].lowercased()] = value.joined(separator: " ")
        }
        return size * count
    }
}
