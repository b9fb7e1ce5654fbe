import DisbatchCore
import GoogleAPI
import LinuxSystem

/// A number that makes a request and its repetitions one: a UUID.
struct RequestID: Equatable, Sendable {
    let text: String

    /// A new one.
    init() {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.map { String($0, digits: 2, radix: 16) }
        let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }
        text = groups.joined(separator: "-")
    }
}

/// The Compute Engine API, for one project. Calls block, and are made by one thread at a time; each thread has a client
/// of its own, and they share credentials and rate limiter.
///
/// Requests that fail by chance are made again, those that change something under the same ``RequestID``; a token that
/// is refused is replaced once.
final class ComputeClient {
    let project: String
    private let endpoint: String
    private let http: HTTPClient
    private let credentials: Credentials
    private let retry: RetryPolicy
    private let limiter: RateLimiter
    let cancellation: Cancellation

    /// - Parameter cancellation: ends what is under way, from any thread; what is asked after that fails at once.
    /// - Throws: where the project's name or `DISBATCH_COMPUTE_ENDPOINT` can't be used.
    init(
        project: String, environment: CloudEnvironment, credentials: Credentials, limiter: RateLimiter,
        retry: RetryPolicy = RetryPolicy(), cancellation: Cancellation = Cancellation()
    ) throws(CloudError) {
        guard CloudNames.isPathPart(project) else {
            throw CloudError(
                .invalid, "project", project.isEmpty ? "none is given" : "\(project): no name of a project",
                advice: "gcloud config set project PROJECT, or project = PROJECT in section [gce] of .disbatch")
        }
        self.project = project
        endpoint = try environment.computeEndpoint()
        http = HTTPClient(environment: environment)
        self.credentials = credentials
        self.limiter = limiter
        self.retry = retry
        self.cancellation = cancellation
    }

    /// Whose credentials are used, after a look whether there are any.
    func checkCredentials() throws(CloudError) -> String { try credentials.check(http, cancellation) }

    // MARK: Requests

    /// A request of the API.
    struct Call {
        var method = "GET"
        /// Behind `projects/P/`; empty for the project itself.
        var path: String
        /// Instead of this client's.
        var project: String?
        var query: [(String, String)] = []
        var body: String?
        var timeLimit = Duration.seconds(60)
    }

    /// Makes a request, again where it fails by chance, and returns the reply.
    ///
    /// - Parameter action: for errors: `make instance a`.
    func perform(_ call: Call, _ action: String) throws(CloudError) -> JSONValue {
        let names = call.path.split(separator: "/") + [(call.project ?? project)[...]]
        guard names.allSatisfy({ CloudNames.isPathPart(String($0)) }) else {
            throw CloudError(.invalid, action, "\(call.path): a name has letters, digits, and - alone")
        }
        var hasNewToken = false
        return try retry.run(cancellation) { () throws(CloudError) in
            let (reply, token) = try send(call, action)
            guard reply.status == 401, !hasNewToken else { return try value(reply, token, action) }
            hasNewToken = true
            credentials.refused(token)
            let (second, newToken) = try send(call, action)
            return try value(second, newToken, action)
        }
    }

    private func send(_ call: Call, _ action: String) throws(CloudError) -> (HTTPReply, Secret) {
        let token = try credentials.token(http, cancellation)
        guard limiter.wait(cancellation) else { throw CloudError(.cancelled, action, "given up") }
        let path = call.path.isEmpty ? "" : "/\(call.path)"
        var request = HTTPRequest(call.method, "\(endpoint)/projects/\(call.project ?? project)\(path)")
        request.address += AddressText.query(call.query)
        request.token = token
        request.body = call.body.map { Secret($0) }
        request.timeLimit = call.timeLimit
        return (try http.perform(request, action, cancellation), token)
    }

    private func value(_ reply: HTTPReply, _ token: Secret, _ action: String) throws(CloudError) -> JSONValue {
        guard 200..<300 ~= reply.status else {
            var error = CloudError(reply, action).without([token])
            error.retryAfter = reply.headers["retry-after"].flatMap {
                RetryPolicy.retryAfter($0, now: Timestamp(microseconds: SystemClock.wallMicroseconds()))
            }
            throw error
        }
        guard let value = JSONValue(parsing: reply.body) else {
            throw CloudError(.transport, action, "the reply is no JSON", mayPass: true)
        }
        return value
    }

    /// All pages of a list.
    func pages(_ call: Call, _ action: String) throws(CloudError) -> [JSONValue] {
        var pages: [JSONValue] = []
        var token: String?
        repeat {
            var page = call
            page.query += [("maxResults", "500")]
            if let token { page.query.append(("pageToken", token)) }
            let value = try perform(page, action)
            pages.append(value)
            let next = value["nextPageToken"].string
            guard next != token || next == nil, pages.count < 10_000 else {
                throw CloudError(.transport, action, "the list has no end")
            }
            token = next?.isEmpty == true ? nil : next
        } while token != nil
        return pages
    }
}
