package import DisbatchCore

/// A refusal by Google Cloud, or by the way there, as a text for users.
package struct CloudError: Error, Equatable, CustomStringConvertible {
    package var kind: CloudErrorKind
    /// The action that failed, as words that "failed" can follow: `make instance a in zone z`.
    package var action: String
    package var message: String
    /// Advice on what to do, in a line.
    package var advice: String?
    /// Of the HTTP reply.
    package var status: Int?
    /// The error's reasons and codes, whichever fields they stood in.
    package var codes: [String] = []
    /// Whether the same request may succeed at once, or soon.
    package var mayPass = false
    /// How long the service asks to be left alone.
    package var retryAfter: Duration?

    package init(
        _ kind: CloudErrorKind, _ action: String, _ message: String, advice: String? = nil, mayPass: Bool = false
    ) {
        self.kind = kind
        self.action = action
        self.message = message
        self.advice = advice
        self.mayPass = mayPass
    }

    package var description: String {
        var marks = status.map { ["HTTP \($0)"] } ?? []
        for code in codes where !marks.contains(code) { marks.append(code) }
        let behind = marks.isEmpty ? "" : " (\(marks.prefix(4).joined(separator: ", ")))"
        return "\(action): \(message)\(behind)" + (advice.map { "\n\($0)" } ?? "")
    }

    /// This error without secrets, which a reply may have repeated.
    package func without(_ secrets: [Secret]) -> CloudError {
        var result = self
        for secret in secrets {
            result.message = secret.removed(from: result.message)
            result.codes = result.codes.map { secret.removed(from: $0) }
        }
        return result
    }
}

// MARK: From replies

extension CloudError {
    /// How much of a message is shown.
    private static let messageLimit = 1000

    /// The error that a reply tells of.
    package init(_ reply: HTTPReply, _ action: String) {
        let json = JSONValue(parsing: reply.body) ?? .null
        let error = json["error"]
        var codes = error["errors"].elements.compactMap { $0["reason"].string }
        codes += error["details"].elements.compactMap { $0["reason"].string }
        if let status = error["status"].string { codes.append(status) }
        // The token service has words of its own.
        if let word = error.string { codes.append(word) }
        let text =
            error["message"].string ?? json["error_description"].string ?? error.string ?? "the service gave no reason"
        let message = Self.plain(text)
        var kind = CloudErrorKind(status: reply.status, codes: codes, message: message)
        if reply.status == 401 { kind = .credentials }
        self.init(kind, action, message)
        status = reply.status
        self.codes = codes.map(Self.plain)
        mayPass =
            !kind.isShortage && kind != .unsupported
            && (kind == .rateLimited || reply.status == 408 || reply.status >= 500)
        advice = Self.advice(kind, codes)
    }

    /// The error of an operation that has ended; nil where it succeeded.
    package init?(operation json: JSONValue, _ action: String) {
        let errors = json["error"]["errors"].elements
        let status = json["httpErrorStatusCode"].integer.map(Int.init)
        guard !errors.isEmpty || status.map({ $0 >= 400 }) == true else { return nil }
        let codes = errors.compactMap { $0["code"].string }
        let texts = errors.compactMap { $0["message"].string }
        let text = texts.isEmpty ? json["httpErrorMessage"].string ?? "" : texts.joined(separator: "; ")
        let message = Self.plain(text.isEmpty ? "the operation failed without a reason" : text)
        let kind = CloudErrorKind(status: status, codes: codes, message: message)
        self.init(kind, action, message)
        self.status = status
        self.codes = codes.map(Self.plain)
        advice = Self.advice(kind, codes)
    }

    /// A text of others, in one line and of bounded length.
    static func plain(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(messageLimit).map { scalar in
            scalar.properties.generalCategory == .control || scalar.value == 0x2028 ? " " : Character(scalar)
        }
        return String(scalars)
    }

    private static func advice(_ kind: CloudErrorKind, _ codes: [String]) -> String? {
        switch kind {
        case .permission where codes.contains { $0 == "SERVICE_DISABLED" || $0 == "accessNotConfigured" }:
            "enable it: gcloud services enable compute.googleapis.com"
        case .permission:
            "the account needs a role such as roles/compute.instanceAdmin.v1 in this project, and "
                + "roles/iam.serviceAccountUser where instances have a service account"
        case .credentials: "log in anew: gcloud auth application-default login"
        case .quota: "ask for more: https://console.cloud.google.com/iam-admin/quotas"
        default: nil
        }
    }
}
