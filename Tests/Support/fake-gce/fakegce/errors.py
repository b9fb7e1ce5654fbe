"""Errors in the shapes in which Google's API gives them."""

from __future__ import annotations

from typing import Any

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class ApiError(Exception):
    """A request that is refused."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
        status: str | None = None,
        domain: str = "global",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = headers or {}
        self.status = status or STATUS.get(code)
        self.domain = domain

    def body(self) -> dict[str, Any]:
        """The reply's body."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "errors": [{"message": self.message, "domain": self.domain, "reason": self.reason}],
        }
        # Compute Engine's own checks give no status; those of the layer before it do.
        if self.status and (self.details is not None or self.code in (401, 429, 500, 503)):
            error["status"] = self.status
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def invalid(field: str, value: object, why: str) -> ApiError:
    """A field's value that Compute Engine refuses."""
    if isinstance(value, bool):
        value = str(value).lower()
    return ApiError(400, "invalid", f"Invalid value for field '{field}': '{value}'. {why}")


def required(field: str) -> ApiError:
    """A field that is missing."""
    return ApiError(400, "required", f"Required field '{field}' not specified")


def bad_payload(text: str, field: str = "") -> ApiError:
    """JSON or a parameter that doesn't fit the message."""
    violation = {"description": text} | ({"field": field} if field else {})
    return ApiError(
        400,
        "invalid",
        text,
        details=[{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}],
    )


def not_found(path: str) -> ApiError:
    """A resource that there isn't; `path` begins with projects/."""
    return ApiError(404, "notFound", f"The resource '{path}' was not found")


def unauthenticated(has_token: bool) -> ApiError:
    """No token, or one that doesn't hold."""
    if not has_token:
        text = (
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie "
            "or other valid authentication credential. See "
            "https://developers.google.com/identity/sign-in/web/devconsole-project."
        )
        return _info(
            401,
            "required",
            text,
            "CREDENTIALS_MISSING",
            {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/"'},
        )
    text = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    return _info(
        401,
        "authError",
        text,
        "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
    )


def missing_scope() -> ApiError:
    """A token that isn't for Compute Engine."""
    return _info(
        403,
        "insufficientPermissions",
        "Request had insufficient authentication scopes.",
        "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        {
            "WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope", '
            'scope="https://www.googleapis.com/auth/compute '
            'https://www.googleapis.com/auth/cloud-platform"'
        },
    )


def rate_limited(code: int, retry_after: float | None, project_number: str) -> ApiError:
    """Too many requests."""
    text = (
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service "
        f"'compute.googleapis.com' for consumer 'project_number:{project_number}'."
    )
    error = _info(code, "rateLimitExceeded", text, "RATE_LIMIT_EXCEEDED", {})
    if retry_after is not None:
        error.headers["Retry-After"] = f"{retry_after:g}"
    error.domain = "usageLimits"
    error.status = "RESOURCE_EXHAUSTED"
    return error


def _info(code: int, reason: str, text: str, info: str, headers: dict[str, str]) -> ApiError:
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": info,
            "domain": "googleapis.com",
            "metadata": {"service": "compute.googleapis.com"},
        }
    ]
    return ApiError(code, reason, text, details=details, headers=headers)


def fault(code: int) -> ApiError:
    """A failure of Google's own."""
    text = {
        503: "The service is currently unavailable.",
        500: "Internal error. Please try again or contact Google Support.",
    }.get(code, "The request failed.")
    reason = {
        503: "backendError",
        500: "internalError",
        502: "badGateway",
        404: "notFound",
        405: "httpMethodNotAllowed",
        501: "notImplemented",
    }.get(code, "backendError")
    return ApiError(code, reason, text)
