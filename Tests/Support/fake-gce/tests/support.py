"""Starts a fake for tests, and talks to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import subprocess
import tempfile
import time
import unittest
import urllib.parse
from typing import Any

PROGRAM = pathlib.Path(__file__).resolve().parent.parent / "fake-gce"
ZONE = "us-central1-a"
Body = dict[str, Any]


class Fake:
    """A running fake."""

    def __init__(self, settings: Body | None = None) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fake-gce-"))
        (self.folder / "config.json").write_text(json.dumps(settings or {}), encoding="utf-8")
        self.process = subprocess.Popen(
            [str(PROGRAM), str(self.folder), "--config", str(self.folder / "config.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if self.process.stdout.readline() != "ready\n":
            raise AssertionError(f"the fake didn't start: {line}")
        self.ready: dict[str, str] = json.loads(line)

    def end(self) -> None:
        """Ends it, and all of its machines."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
        subprocess.run(["rm", "-rf", str(self.folder)], check=True)

    def request(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Any]:
        """A request as it is; gives status, parsed body and headers."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=150)
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        try:
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request(method, target, data, headers or {})
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        with contextlib.suppress(ValueError):
            return reply.status, json.loads(text), reply.headers
        return reply.status, text, reply.headers

    def control(self, verb: str, body: Any = None, method: str = "") -> Any:
        """Something of the control endpoint."""
        method = method or ("GET" if body is None else "POST")
        status, value, _ = self.request(method, f"{self.ready['control']}/{verb}", body)
        if status != 200:
            raise AssertionError(f"{verb}: {value}")
        return value

    def api(
        self, method: str, path: str, body: Any = None, token: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """A request to the API; the path begins behind the project."""
        sent = {"Authorization": f"Bearer {token or self.ready['accessToken']}", "Content-Type": "application/json"}
        url = f"{self.ready['compute']}/projects/{self.ready['project']}/{path}"
        if method == "POST" and body is None:
            body = b""
        status, value, _ = self.request(method, url, body, sent | (headers or {}))
        return status, value

    def insert(self, body: Body, zone: str = ZONE, request_id: str = "") -> tuple[int, Any]:
        """Inserts an instance."""
        query = f"?requestId={request_id}" if request_id else ""
        return self.api("POST", f"zones/{zone}/instances{query}", body)

    def done(self, operation: Body) -> Body:
        """The operation, once it is done."""
        zone = operation["zone"].rpartition("/")[2]
        while operation["status"] != "DONE":
            status, operation = self.api("POST", f"zones/{zone}/operations/{operation['name']}/wait")
            assert status == 200, operation
        return operation

    def make(self, body: Body) -> Body:
        """Makes an instance; waits until sshd answers, and gives what the control endpoint knows."""
        status, operation = self.insert(body)
        assert status == 200, operation
        operation = self.done(operation)
        assert "error" not in operation, operation
        self.control("wait", {"name": body["name"], "status": "SSH"})
        return self.known(body["name"])

    def known(self, name: str) -> Body:
        """What the control endpoint knows of an instance."""
        return [entry for entry in self.control("instances") if entry["name"] == name][-1]

    def status(self, name: str) -> str:
        """An instance's status."""
        return str(self.api("GET", f"zones/{ZONE}/instances/{name}")[1].get("status", "GONE"))


def instance(name: str, zone: str = ZONE, **others: Any) -> Body:
    """An instance as a client would ask for it."""
    return {
        "name": name,
        "machineType": f"zones/{zone}/machineTypes/n1-standard-4",
        "disks": [
            {
                "boot": True,
                "autoDelete": True,
                "initializeParams": {
                    "sourceImage": "projects/debian-cloud/global/images/family/debian-12",
                    "diskSizeGb": "20",
                },
            }
        ],
        "networkInterfaces": [
            {
                "network": "global/networks/default",
                "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "name": "External NAT"}],
            }
        ],
    } | others


class FakeTest(unittest.TestCase):
    """Tests that share one fake."""

    settings: Body = {}
    fake: Fake

    @classmethod
    def setUpClass(cls) -> None:
        cls.fake = Fake(cls.settings)
        cls.addClassCleanup(cls.fake.end)

    def eventually(self, holds: Any, seconds: float = 20) -> None:
        """Waits until it holds."""
        limit = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > limit:
                self.fail("it never came to be")
            time.sleep(0.01)
