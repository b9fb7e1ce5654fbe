import DisbatchCore
import LinuxSystem

/// The user's access to Google Cloud, for all threads: finds out where tokens come from when the first is asked for,
/// and keeps one until shortly before its end.
///
/// The sources in their order: GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` left, the
/// metadata server, and `gcloud auth print-access-token`.
package final class Credentials: Sendable {
    /// A token is not used in its last minutes.
    private static let margin = Duration.seconds(300)
    /// How long a token of gcloud's is used, which does not say how long it is valid.
    private static let gcloudLife = Duration.seconds(2400)

    private struct State {
        var source: CredentialSource?
        var token: Secret?
        var end = Instant(nanoseconds: 0)
        var isRefreshing = false
    }

    private let environment: CloudEnvironment
    private let retry: RetryPolicy
    private let state = Guarded(State())

    package init(environment: CloudEnvironment, retry: RetryPolicy = RetryPolicy()) {
        self.environment = environment
        self.retry = retry
    }

    /// Whose access it is: `service account a@b (FILE)`; nil before the first token.
    package var account: String? { state.withLock { $0.source?.description } }

    /// Finds a token, or throws what the user is to do: for who wants to know whether there are credentials.
    ///
    /// - Returns: whose they are.
    package func check(_ http: HTTPClient, _ cancellation: Cancellation) throws(CloudError) -> String {
        _ = try token(http, cancellation)
        return account ?? ""
    }

    /// A token that is valid for some minutes more. One thread fetches it; the others wait for that.
    package func token(_ http: HTTPClient, _ cancellation: Cancellation) throws(CloudError) -> Secret {
        let now = Instant(nanoseconds: SystemClock.bootNanoseconds())
        let kept: Secret?? = state.wait { state -> Secret?? in
            if let token = state.token, state.end > now + Self.margin { return .some(token) }
            if state.isRefreshing { return nil }
            state.isRefreshing = true
            return .some(nil)
        }
        if case .some(.some(let token)) = kept { return token }
        defer {
            state.withLock { $0.isRefreshing = false }
            state.signal()
        }
        do throws(CloudError) {
            return try retry.run(cancellation) { () throws(CloudError) in try refresh(http, cancellation) }
        } catch {
            // The last one may be valid for some minutes yet.
            if error.mayPass, let old = state.withLock({ $0.end > now ? $0.token : nil }) { return old }
            throw error
        }
    }

    /// Forgets a token that the service refused, if it is still the one that is kept.
    package func refused(_ token: Secret) {
        state.withLock { state in if state.token == token { state.token = nil } }
    }

    // MARK: Refreshing

    private func refresh(_ http: HTTPClient, _ cancellation: Cancellation) throws(CloudError) -> Secret {
        let known = state.withLock { $0.source }
        let source = if let known { known } else { try findSource(http, cancellation) }
        let asked = Instant(nanoseconds: SystemClock.bootNanoseconds())
        let (token, life) = try fetch(source, http, cancellation)
        state.withLock { state in
            (state.source, state.token, state.end) = (source, token, asked + life)
        }
        return token
    }

    private func findSource(_ http: HTTPClient, _ cancellation: Cancellation) throws(CloudError) -> CredentialSource {
        if let source = try CredentialSource.inFiles(environment) { return source }
        if environment["GCE_METADATA_HOST"] != nil
            || environment.mayBeOnGoogle
                && MetadataServer.text("instance/service-accounts/default/email", environment, http, cancellation)
                    != nil
        {
            return .metadataServer(host: environment.metadataHost)
        }
        if let gcloud = environment.find("gcloud") { return .gcloud(gcloud) }
        throw CloudError(
            .credentials, "credentials for Google Cloud", "there are none",
            advice: "log in: gcloud auth application-default login; "
                + "or set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account's key")
    }

    private func fetch(
        _ source: CredentialSource, _ http: HTTPClient, _ cancellation: Cancellation
    ) throws(CloudError) -> (token: Secret, life: Duration) {
        let now = Timestamp(microseconds: SystemClock.wallMicroseconds())
        guard let request = try source.request(now: now) else { return (try askGcloud(source), Self.gcloudLife) }
        let action = "get a token for \(source)"
        let reply = try http.perform(request, action, cancellation)
        if case .metadataServer(let host) = source, !MetadataServer.isGenuine(reply) {
            throw CloudError(.credentials, action, "\(host) is no metadata server", advice: "see GCE_METADATA_HOST")
        }
        guard reply.status == 200 else { throw refusal(reply, action, source, request) }
        guard let json = JSONValue(parsing: reply.body), let token = json["access_token"].string, Self.isToken(token)
        else { throw CloudError(.transport, action, "the reply holds no token", mayPass: true) }
        return (Secret(token), .seconds(json["expires_in"].integer ?? 3600))
    }

    private func refusal(
        _ reply: HTTPReply, _ action: String, _ source: CredentialSource, _ request: HTTPRequest
    ) -> CloudError {
        var error = CloudError(reply, action)
        if !error.mayPass { error.kind = .credentials }
        error.retryAfter = reply.headers["retry-after"].flatMap {
            RetryPolicy.retryAfter($0, now: Timestamp(microseconds: SystemClock.wallMicroseconds()))
        }
        error.advice =
            switch source {
            case .serviceAccount: "is the key still valid, and this machine's clock right?"
            case .authorizedUser: "log in anew: gcloud auth application-default login"
            case .metadataServer: "this machine may have no service account; see gcloud compute instances describe"
            case .gcloud: nil
            }
        // The form as a whole, and its values as they were written in it.
        let fields = request.body?.text.split(separator: "&").compactMap { $0.split(separator: "=").last } ?? []
        return error.without(source.secrets + fields.filter { $0.utf8.count > 60 }.map { Secret(String($0)) })
    }

    private func askGcloud(_ source: CredentialSource) throws(CloudError) -> Secret {
        guard case .gcloud(let path) = source else { preconditionFailure("only gcloud is asked by a command") }
        let action = "get a token from gcloud"
        let advice = "log in: gcloud auth login"
        let output: ProgramOutput
        do {
            output = try ChildProcess.output(of: [path, "auth", "print-access-token", "--quiet"])
        } catch {
            throw CloudError(.credentials, action, "\(error)", advice: advice)
        }
        guard output.end != nil else {
            throw CloudError(.credentials, action, "it gives no answer within a minute", advice: advice)
        }
        let token = output.text.filter { !$0.isWhitespace }
        guard output.isGood, Self.isToken(token) else {
            throw CloudError(.credentials, action, "gcloud auth print-access-token failed", advice: advice)
        }
        return Secret(token)
    }

    /// Whether a text can stand in a header.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    }
}
