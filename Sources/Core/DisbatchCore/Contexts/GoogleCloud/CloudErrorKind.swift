/// The meaning of a Google API error for its caller, whatever the error's words.
package enum CloudErrorKind: String, Equatable, Sendable, CaseIterable {
    /// The zone has no machine of this kind free now.
    case resourcesExhausted
    /// The project may not have more.
    case quota
    /// Too many requests.
    case rateLimited
    /// These credentials may not do this, or the API is not enabled.
    case permission
    /// There are no credentials, or they are no good.
    case credentials
    case notFound
    /// The resource exists already, or something else is being done to it now.
    case conflict
    /// The request is wrong.
    case invalid
    /// There is no such request, or not for this.
    case unsupported
    /// The service has trouble of its own.
    case server
    /// No reply, or none that can be understood: what was asked for may have been done.
    case transport
    /// Given up because somebody asked for that.
    case cancelled

    /// Whether the next zone, or a later attempt, may have room.
    package var isShortage: Bool { self == .resourcesExhausted || self == .quota }

    /// Whether a later attempt may succeed with nothing changed.
    package var isPassing: Bool {
        switch self {
        case .rateLimited, .server, .transport, .conflict: true
        default: isShortage
        }
    }

    /// Whether what was asked for may have been done nevertheless.
    package var isAmbiguous: Bool {
        switch self {
        case .server, .transport, .cancelled, .conflict: true
        default: false
        }
    }
}

extension CloudErrorKind {
    /// The meaning of an error.
    ///
    /// - Parameters:
    ///   - status: of the HTTP reply, or what the operation says it would have been; nil where there is none.
    ///   - codes: the error's reasons and codes, in whichever of its fields they stand: `quotaExceeded`,
    ///     `ZONE_RESOURCE_POOL_EXHAUSTED`.
    package init(status: Int?, codes: [String], message: String) {
        let kinds = codes.compactMap(Self.kind(ofCode:))
        // A shortage is also reported as 503, and a quota as 403.
        if let kind = kinds.first(where: \.isShortage) ?? kinds.first {
            self = kind
        } else if Self.tellsOfShortage(message) {
            self = .resourcesExhausted
        } else {
            self = Self.kind(ofStatus: status)
        }
    }

    private static func kind(ofCode code: String) -> CloudErrorKind? {
        switch code {
        case _ where code.contains("RESOURCE_POOL_EXHAUSTED"), "resourcePoolExhausted", "stockout", "STOCKOUT":
            .resourcesExhausted
        // What a request for several says of one that there was no room for.
        case "VM_MIN_COUNT_NOT_REACHED": .resourcesExhausted
        case "QUOTA_EXCEEDED", "quotaExceeded", "LIMIT_EXCEEDED", "limitExceeded": .quota
        case "rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_OPERATION_RATE_EXCEEDED",
            "operationRateExceeded", "concurrentLimitExceeded":
            .rateLimited
        case "forbidden", "PERMISSION_DENIED", "PERMISSIONS_ERROR", "SERVICE_DISABLED", "accessNotConfigured",
            "insufficientPermissions", "BILLING_DISABLED", "billingNotEnabled":
            .permission
        case "authError", "UNAUTHENTICATED", "invalid_grant", "invalid_client", "ACCESS_TOKEN_EXPIRED": .credentials
        case "notFound", "NOT_FOUND", "RESOURCE_NOT_FOUND": .notFound
        case "alreadyExists", "ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS", "resourceInUseByAnotherResource",
            "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", "RESOURCE_NOT_READY", "resourceNotReady", "fingerprintMismatch":
            .conflict
        case "invalid", "badRequest", "INVALID_ARGUMENT", "INVALID_FIELD_VALUE", "INVALID_USAGE", "required",
            "invalidParameter", "parseError":
            .invalid
        case "UNSUPPORTED_OPERATION", "UNIMPLEMENTED", "notImplemented", "httpMethodNotAllowed": .unsupported
        case "backendError", "internalError", "INTERNAL_ERROR", "UNAVAILABLE": .server
        default: nil
        }
    }

    private static func tellsOfShortage(_ message: String) -> Bool {
        let message = message.lowercased()
        return ["does not have enough resources", "resource pool exhausted", "stockout", "resources are unavailable"]
            .contains { message.contains($0) }
    }

    private static func kind(ofStatus status: Int?) -> CloudErrorKind {
        guard let status else { return .server }
        return switch status {
        case 401: .credentials
        case 403: .permission
        case 404: .notFound
        case 405, 501: .unsupported
        case 409, 412: .conflict
        case 408, 500...: .server
        case 429: .rateLimited
        case 400..<500: .invalid
        default: .transport
        }
    }
}
