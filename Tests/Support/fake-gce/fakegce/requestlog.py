"""The log of all requests, a line of JSON each."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import threading
import time
from typing import Any

from .httpd import Reply, Request

SECRETS = {"assertion", "refresh_token", "client_secret", "access_token"}


def hashed(text: str) -> str:
    """What stands in the log for a secret."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:16]


class RequestLog:
    """Written as requests are answered, in this order."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._file = open(path, "a", encoding="utf-8")

    def add(self, request: Request, operation: str, reply: Reply, seconds: float) -> None:
        """Writes one down."""
        headers = dict(request.headers)
        if "authorization" in headers:
            headers["authorization"] = re.sub(r"\S+$", lambda match: hashed(match[0]), headers["authorization"])
        entry = {
            "time": time.time(),
            "operation": operation,
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "headers": headers,
            "body": self._body(request),
            "status": 0 if reply.cut else reply.code,
            "seconds": round(seconds, 6),
        }
        if reply.cut and reply.code:
            entry["lostStatus"] = reply.code
        if not reply.cut and reply.code >= 400 and isinstance(reply.value, dict):
            entry["error"] = reply.value.get("error")
        with self._lock:
            entry["number"] = len(self.entries) + 1
            self.entries.append(entry)
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    @staticmethod
    def _body(request: Request) -> Any:
        if request.path == "/token":
            return {key: hashed(value) if key in SECRETS else value for key, value in request.form().items()}
        try:
            return json.loads(request.body) if request.body else None
        except ValueError:
            return request.body.decode("utf-8", "replace")

    def since(self, number: int) -> list[dict[str, Any]]:
        """All behind this one."""
        with self._lock:
            return self.entries[number:]
