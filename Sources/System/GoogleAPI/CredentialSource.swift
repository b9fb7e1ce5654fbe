import DisbatchCore
import LinuxSystem

/// Where tokens come from.
enum CredentialSource: Equatable, Sendable, CustomStringConvertible {
    case serviceAccount(ServiceAccount, file: String)
    case authorizedUser(AuthorizedUser, file: String)
    case metadataServer(host: String)
    /// The path of the program.
    case gcloud(String)

    /// A service account's key.
    struct ServiceAccount: Equatable, Sendable {
        var email: String
        var keyID: String?
        var key: Secret
        var tokenAddress: String
    }

    /// Gcloud's file for a user who logged in.
    struct AuthorizedUser: Equatable, Sendable {
        var clientID: String
        var clientSecret: Secret
        var refreshToken: Secret
        var tokenAddress: String
    }

    var description: String {
        switch self {
        case .serviceAccount(let account, let file): "service account \(account.email) (\(file))"
        case .authorizedUser(_, let file): "the user's own account (\(file))"
        case .metadataServer(let host): "this machine's service account (\(host))"
        case .gcloud: "gcloud's account"
        }
    }

    /// Texts that no message may hold.
    var secrets: [Secret] {
        switch self {
        case .serviceAccount(let account, _): [account.key]
        case .authorizedUser(let user, _): [user.clientSecret, user.refreshToken]
        case .metadataServer, .gcloud: []
        }
    }
}

// MARK: Files

extension CredentialSource {
    private static let action = "credentials for Google Cloud"

    /// The credentials in files; nil where there are none, and the metadata server and gcloud are to be asked.
    static func inFiles(_ environment: CloudEnvironment) throws(CloudError) -> CredentialSource? {
        if let path = environment["GOOGLE_APPLICATION_CREDENTIALS"] {
            guard let text = TextFile.read(path) else {
                throw CloudError(
                    .credentials, action, "\(path) can't be read",
                    advice: "GOOGLE_APPLICATION_CREDENTIALS is to name a file, or to be unset")
            }
            return try read(text, path)
        }
        guard let directory = environment.gcloudDirectory else { return nil }
        let path = directory + "/application_default_credentials.json"
        return try TextFile.read(path).map { text throws(CloudError) in try read(text, path) }
    }

    private static func read(_ text: String, _ path: String) throws(CloudError) -> CredentialSource {
        guard let json = JSONValue(parsing: text) else {
            throw CloudError(
                .credentials, action, "\(path) is no JSON",
                advice: "make it anew: gcloud auth application-default login")
        }
        let type = json["type"].string ?? "none"
        let source: CredentialSource? =
            switch type {
            case "service_account": serviceAccount(json).map { .serviceAccount($0, file: path) }
            case "authorized_user": authorizedUser(json).map { .authorizedUser($0, file: path) }
            default:
                throw CloudError(
                    .credentials, action,
                    "\(path) has credentials of type \(CloudError.plain(String(type.prefix(40)))), "
                        + "which are not known here",
                    advice: "use a service account's key, or unset GOOGLE_APPLICATION_CREDENTIALS and run: "
                        + "gcloud auth application-default login")
            }
        guard let source else {
            throw CloudError(
                .credentials, action, "\(path) lacks a field that credentials of type \(type) have",
                advice:
                    "make it anew: gcloud auth application-default login, or gcloud iam service-accounts keys create")
        }
        return source
    }

    private static func serviceAccount(_ json: JSONValue) -> ServiceAccount? {
        guard let email = json["client_email"].string, let key = json["private_key"].string else { return nil }
        return ServiceAccount(
            email: CloudError.plain(email), keyID: json["private_key_id"].string, key: Secret(key),
            tokenAddress: json["token_uri"].string ?? Self.tokenAddress)
    }

    private static func authorizedUser(_ json: JSONValue) -> AuthorizedUser? {
        guard let id = json["client_id"].string, let secret = json["client_secret"].string,
            let token = json["refresh_token"].string
        else { return nil }
        return AuthorizedUser(
            clientID: id, clientSecret: Secret(secret), refreshToken: Secret(token),
            tokenAddress: json["token_uri"].string ?? Self.tokenAddress)
    }

    private static let tokenAddress = "https://oauth2.googleapis.com/token"

    /// The project that a service account's key belongs to.
    static func project(inFiles environment: CloudEnvironment) -> String? {
        guard let path = environment["GOOGLE_APPLICATION_CREDENTIALS"], let text = TextFile.read(path) else {
            return nil
        }
        return JSONValue(parsing: text)?["project_id"].string
    }
}

// MARK: Requests

extension CredentialSource {
    static let scope = "https://www.googleapis.com/auth/cloud-platform"

    /// The request that a token is the answer to; nil for gcloud, which is no service.
    func request(now: Timestamp) throws(CloudError) -> HTTPRequest? {
        switch self {
        case .serviceAccount(let account, let file):
            guard let assertion = Self.assertion(account, now: now) else {
                throw CloudError(
                    .credentials, Self.action, "the private key in \(file) is no RSA key",
                    advice: "make it anew: gcloud iam service-accounts keys create")
            }
            return form(
                account.tokenAddress,
                [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.text)])
        case .authorizedUser(let user, _):
            return form(
                user.tokenAddress,
                [
                    ("grant_type", "refresh_token"), ("client_id", user.clientID),
                    ("client_secret", user.clientSecret.text), ("refresh_token", user.refreshToken.text),
                ])
        case .metadataServer(let host):
            return MetadataServer.request(host, "instance/service-accounts/default/token")
        case .gcloud: return nil
        }
    }

    private func form(_ address: String, _ fields: [(String, String)]) -> HTTPRequest {
        var request = HTTPRequest("POST", address)
        request.contentType = "application/x-www-form-urlencoded"
        request.body = Secret(fields.map { "\($0.0)=\(AddressText.encoded($0.1))" }.joined(separator: "&"))
        request.timeLimit = .seconds(20)
        request.replyLimit = 1 << 20
        return request
    }

    /// A service account's signed statement about itself, valid for an hour.
    static func assertion(_ account: ServiceAccount, now: Timestamp) -> Secret? {
        var header: [JSONValue.Member] = [.init("alg", "RS256"), .init("typ", "JWT")]
        if let id = account.keyID { header.append(.init("kid", .string(id))) }
        let seconds = now.microseconds / 1_000_000
        let claims: JSONValue = [
            "iss": .string(account.email), "scope": .string(scope), "aud": .string(account.tokenAddress),
            "iat": .integer(seconds), "exp": .integer(seconds + 3600),
        ]
        let parts = [JSONValue.object(header), claims].map { Base64.addressText(Array($0.text().utf8)) }
        let text = parts.joined(separator: ".")
        return RSASigner.signature(of: text, key: account.key).map { Secret(text + "." + Base64.addressText($0)) }
    }
}

/// The server that tells a machine of Google's about itself.
package enum MetadataServer {
    static func request(_ host: String, _ path: String) -> HTTPRequest {
        var request = HTTPRequest("GET", "http://\(host)/computeMetadata/v1/\(path)")
        request.headers = ["Metadata-Flavor: Google"]
        request.isForMetadata = true
        request.timeLimit = .seconds(5)
        request.replyLimit = 1 << 20
        return request
    }

    /// Whether the reply is the server's own: other networks answer everything.
    static func isGenuine(_ reply: HTTPReply) -> Bool { reply.headers["metadata-flavor"] == "Google" }

    /// A text at a path; nil where there is none, or no such server.
    package static func text(
        _ path: String, _ environment: CloudEnvironment, _ http: HTTPClient, _ cancellation: Cancellation
    ) -> String? {
        guard environment.mayBeOnGoogle else { return nil }
        var request = request(environment.metadataHost, path)
        request.timeLimit = .seconds(2)
        guard let reply = try? http.perform(request, "ask the metadata server", cancellation), reply.status == 200,
            isGenuine(reply)
        else { return nil }
        return String(decoding: reply.body, as: UTF8.self)
    }
}

/// Parts of addresses.
package enum AddressText {
    /// A text with all bytes but letters, digits and `-._~` as %XX.
    package static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// `?a=b&c=d`; empty where there is nothing to say.
    package static func query(_ fields: [(String, String)]) -> String {
        fields.isEmpty ? "" : "?" + fields.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
    }
}
