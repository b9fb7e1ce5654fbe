"""Zone operations, and requests that come twice."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any

from .config import Config
from .errors import ApiError, invalid, not_found
from .names import link
from .state import Shared, timestamp

UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
HTTP_MESSAGES = {
    400: "BAD REQUEST",
    403: "FORBIDDEN",
    404: "NOT FOUND",
    409: "CONFLICT",
    412: "PRECONDITION FAILED",
    500: "INTERNAL SERVER ERROR",
    503: "SERVICE UNAVAILABLE",
}


class OperationError(Exception):
    """Why an operation fails that was accepted."""

    def __init__(self, http: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.http = http
        self.entry: dict[str, Any] = {"code": code, "message": message}
        if details:
            self.entry["errorDetails"] = details


class Operation:
    """One operation of a zone. PENDING, RUNNING, DONE, in this order."""

    def __init__(
        self, shared: Shared, config: Config, zone: str, kind: str, target: str, target_id: str, user: str
    ) -> None:
        number = shared.number()
        digest = hashlib.sha256(f"{number}{time.time()}".encode()).hexdigest()
        name = f"operation-{int(time.time() * 1000)}-{digest[:13]}-{digest[13:21]}-{digest[21:29]}"
        path = f"projects/{config.project}/zones/{zone}/operations/{name}"
        now = timestamp()
        self.zone = zone
        self.name = name
        self.resource: dict[str, Any] = {
            "kind": "compute#operation",
            "id": str((int(time.time() * 1000) << 20) + number),
            "name": name,
            "zone": link(f"projects/{config.project}/zones/{zone}"),
            "operationType": kind,
            "targetLink": link(target),
            "targetId": target_id,
            "status": "PENDING",
            "user": user,
            "progress": 0,
            "insertTime": now,
            "selfLink": link(path),
        }

    @property
    def is_done(self) -> bool:
        """Whether it ended, well or not."""
        return bool(self.resource["status"] == "DONE")

    def run(self) -> None:
        """It begins."""
        self.resource |= {"status": "RUNNING", "startTime": timestamp()}

    def finish(self, error: OperationError | None = None) -> None:
        """It ends. Only the first end counts."""
        if self.is_done:
            return
        self.resource |= {"status": "DONE", "progress": 100, "endTime": timestamp()}
        self.resource.setdefault("startTime", self.resource["insertTime"])
        if error:
            self.resource |= {
                "error": {"errors": [error.entry]},
                "httpErrorStatusCode": error.http,
                "httpErrorMessage": HTTP_MESSAGES[error.http],
            }


class Operations:
    """All operations ever made; the lock is held by whoever calls."""

    def __init__(self, shared: Shared, config: Config) -> None:
        self.shared = shared
        self.config = config
        self.all: dict[tuple[str, str], Operation] = {}
        self._requests: dict[str, tuple[str, Operation]] = {}

    def make(
        self,
        zone: str,
        kind: str,
        target: str,
        target_id: str,
        user: str,
        action: Callable[[Operation], None] | None = None,
    ) -> Operation:
        """A new operation, which runs the action once it is RUNNING; the action or somebody later finishes it.

        One without action is done at once: those that Google itself begins.
        """
        operation = Operation(self.shared, self.config, zone, kind, target, target_id, user)
        self.all[zone, operation.name] = operation
        if action is None:
            operation.finish()
            return operation

        def begin() -> None:
            operation.run()
            self.shared.after(self.config.operation_running, lambda: action(operation))

        self.shared.after(self.config.operation_pending, begin)
        return operation

    def get(self, zone: str, name: str) -> Operation:
        """The operation of this name."""
        if (zone, name) not in self.all:
            raise not_found(f"projects/{self.config.project}/zones/{zone}/operations/{name}")
        return self.all[zone, name]

    def wait(self, zone: str, name: str) -> Operation:
        """The operation, once it is done or the time is up."""
        operation = self.get(zone, name)
        self.shared.changed.wait_for(lambda: operation.is_done, self.config.wait_limit)
        return operation

    def earlier(self, request_id: str | None, digest: str) -> Operation | None:
        """The operation that the same request made before."""
        if request_id is None:
            return None
        check_request_id(request_id)
        if request_id not in self._requests:
            return None
        known, operation = self._requests[request_id]
        if known != digest:
            raise ApiError(
                400,
                "invalid",
                f"Invalid value for field 'requestId': '{request_id}'. The request ID was "
                "used before, by a request with other parameters.",
            )
        return operation

    def keep(self, request_id: str | None, digest: str, operation: Operation) -> None:
        """Remembers what a request made."""
        if request_id is not None:
            self._requests[request_id] = (digest, operation)


def check_request_id(text: str) -> None:
    """Refuses what is no UUID, and that of zeros."""
    if not re.fullmatch(UUID, text) or not text.strip("0-"):
        raise invalid("requestId", text, "Must be a valid non-zero UUID.")
