/// A request from a browser, or from any other client.
struct WebRequest: Equatable, Sendable {
    var method: String
    /// As it came, without a query.
    var path: String
    /// The Host header; nil without one.
    var host: String?
}

/// The answer to a request.
enum WebAnswer: Equatable, Sendable {
    case page
    /// A stream of pictures.
    case events
    case error(status: UInt32, text: String)

    static let wrongHost = WebAnswer.error(status: 421, text: "This server is not known by that name.\n")
    static let wrongMethod = WebAnswer.error(status: 405, text: "Only GET and HEAD are understood.\n")
    static let notFound = WebAnswer.error(status: 404, text: "Not found.\n")
}

/// The page's gate: requests need its token, and a host name that is this machine's.
///
/// A page of somebody else's, at a host name that suddenly leads here, has a browser send that name: so addresses and
/// our own names are all that is heard (DNS rebinding).
struct WebGate: Sendable {
    private let token: [UInt8]
    private let names: [String]

    /// - Parameters:
    ///   - token: hexadecimal digits.
    ///   - names: this machine's, beside localhost.
    init(token: String, names: [String]) {
        self.token = Array(token.utf8)
        self.names = (["localhost"] + names).map { $0.lowercased() }
    }

    /// Where the page stands.
    var path: String { "/" + String(decoding: token, as: UTF8.self) + "/" }

    /// The answer that a request gets.
    func answer(_ request: WebRequest) -> WebAnswer {
        guard let host = request.host, isOurs(host) else { return .wrongHost }
        guard request.method == "GET" || request.method == "HEAD" else { return .wrongMethod }
        let bytes = Array(request.path.utf8)
        guard bytes.count > token.count + 1, bytes[0] == UInt8(ascii: "/"), bytes[token.count + 1] == UInt8(ascii: "/"),
            isToken(bytes[1...token.count])
        else { return .notFound }
        switch String(decoding: bytes[(token.count + 2)...], as: UTF8.self) {
        case "": return .page
        case "events": return .events
        default: return .notFound
        }
    }

    /// Takes the same time whatever is wrong.
    private func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
        zip(bytes, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func isOurs(_ header: String) -> Bool {
        guard let name = Self.name(in: header) else { return false }
        return Self.isAddress(name) || names.contains(name.lowercased())
    }

    /// The host in `HOST` or `HOST:PORT`, an IPv6 address with its brackets; nil where it is none. A tunnel gives the
    /// page another port, so any will do.
    private static func name(in header: String) -> String? {
        var rest = header[...]
        if header.hasPrefix("[") {
            guard let end = header.firstIndex(of: "]") else { return nil }
            rest = header[header.index(after: end)...]
        } else {
            rest = header[(header.firstIndex(of: ":") ?? header.endIndex)...]
        }
        let name = String(header[..<rest.startIndex])
        guard rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil else { return nil }
        return name.isEmpty ? nil : name
    }

    /// Whether no name service was asked for it.
    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("[") {
            return name.dropFirst().dropLast().utf8.allSatisfy { byte in
                byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
                    || Character(Unicode.Scalar(byte)).isHexDigit
            }
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && !$0.hasPrefix("+") }
    }
}
