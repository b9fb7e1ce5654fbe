import DisbatchCore
import Foundation
import GoogleAPI
import LinuxSystem
import TestSupport

@testable import GCERuntime

/// A server's room: replies that one test wrote, and what it was asked (`Tests/Support/scripted-server`).
struct Room {
    /// A request that the server was sent.
    struct Asked {
        var line: String
        var query: [String: String]
        var headers: [String: String]
        var body: String

        /// The fields of a form.
        var form: [String: String] {
            var fields: [String: String] = [:]
            for pair in body.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
                fields[parts[0]] = parts.count > 1 ? parts[1] : ""
            }
            return fields
        }
    }

    private static let server = Result { try TestService("scripted-server", []) }

    /// `127.0.0.1:PORT/ROOM`
    let place: String
    /// The same by TLS: `https://127.0.0.1:PORT/ROOM`
    let secureAddress: String
    /// The file of the certificate that proves it.
    let certificate: String
    /// An empty directory.
    let directory: String
    private let path: String

    init(_ replies: [String: [[String: Any]]]) throws {
        let service = try Self.server.get()
        let port = try String(contentsOfFile: service.path + "/port", encoding: .utf8)
        let name = UUID().uuidString
        path = service.path + "/" + name
        place = "127.0.0.1:\(port)/\(name)"
        let tlsPort = try String(contentsOfFile: service.path + "/tls-port", encoding: .utf8)
        secureAddress = "https://127.0.0.1:\(tlsPort)/\(name)"
        certificate = service.path + "/certificate.pem"
        directory = path + ".files"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: replies).write(to: URL(filePath: path + ".json"))
    }

    var asked: [Asked] {
        let text = (try? String(contentsOfFile: path + ".log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let value, let first = value["line"] as? String else { return nil }
            return Asked(
                line: first, query: value["query"] as? [String: String] ?? [:],
                headers: value["headers"] as? [String: String] ?? [:], body: value["body"] as? String ?? "")
        }
    }

    func write(_ name: String, _ text: String) throws -> String {
        let file = directory + "/" + name
        try FileManager.default.createDirectory(
            atPath: URL(filePath: file).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }

    /// Nothing of this machine's own: no files, no programs, a metadata server that is this one.
    func environment(_ variables: [String: String] = [:]) -> CloudEnvironment {
        let own = [
            "HOME": directory, "PATH": directory + "/bin", "DISBATCH_COMPUTE_ENDPOINT": "http://\(place)/compute/v1",
            "NO_GCE_CHECK": "true",
        ]
        return CloudEnvironment(variables: own.merging(variables) { $1 })
    }

    /// Retries without waiting.
    static var quick: RetryPolicy {
        var policy = RetryPolicy()
        policy.firstDelay = .milliseconds(1)
        policy.longestDelay = .milliseconds(2)
        policy.totalLimit = .seconds(20)
        return policy
    }

    /// A client whose token comes from this room's metadata server.
    func client(
        _ variables: [String: String] = [:], retry: RetryPolicy = Room.quick,
        cancellation: Cancellation = Cancellation()
    ) throws -> ComputeClient {
        let environment = environment(["GCE_METADATA_HOST": place].merging(variables) { $1 })
        return try ComputeClient(
            project: "p-1", environment: environment, credentials: Credentials(environment: environment, retry: retry),
            limiter: RateLimiter(TokenBucket(perSecond: 1000, burst: 1000)), retry: retry, cancellation: cancellation)
    }

    static let metadataLine = "GET /computeMetadata/v1/instance/service-accounts/default/token"

    /// The metadata server's reply.
    static func token(_ text: String = "ya29.metadata", life: Int = 3600) -> [String: Any] {
        [
            "headers": ["Metadata-Flavor": "Google"],
            "body": ["access_token": text, "expires_in": life, "token_type": "Bearer"],
        ]
    }
}
