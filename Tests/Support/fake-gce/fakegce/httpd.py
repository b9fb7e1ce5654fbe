"""A small HTTP server: each request is a call, each reply a value."""

from __future__ import annotations

import dataclasses
import http.server
import json
import socketserver
import threading
import traceback
import urllib.parse
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass
class Request:
    """What a client sent. `query` keeps order and repetitions."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    client: str

    def form(self) -> dict[str, str]:
        """The body of a form."""
        return dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclasses.dataclass
class Reply:
    """What it is told. `cut` closes the connection instead."""

    code: int = 200
    value: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    content_type: str = "application/json; charset=UTF-8"
    cut: bool = False

    def data(self) -> bytes:
        """The body's bytes."""
        if isinstance(self.value, bytes):
            return self.value
        if isinstance(self.value, str):
            return self.value.encode()
        return b"" if self.value is None else (json.dumps(self.value, indent=2) + "\n").encode()


Answer = Callable[[Request], Reply]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _handle(self) -> None:
        if "Content-Length" not in self.headers and self.command in ("POST", "PUT"):
            self.close_connection = True
            self._send(Reply(411, "<title>Error 411 (Length Required)!!1</title>\n", content_type="text/html"))
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urllib.parse.urlsplit(self.path)
        request = Request(
            self.command,
            parts.path,
            urllib.parse.parse_qsl(parts.query, keep_blank_values=True),
            {key.lower(): value for key, value in self.headers.items()},
            body,
            self.client_address[0],
        )
        try:
            reply = self.server.answer(request)
        except Exception:
            traceback.print_exc()
            reply = Reply(500, traceback.format_exc(), content_type="text/plain")
        if reply.cut:
            self.close_connection = True
            return
        self._send(reply)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

    def _send(self, reply: Reply) -> None:
        data = reply.data()
        self.send_response(reply.code)
        for key, value in reply.headers.items():
            self.send_header(key, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def version_string(self) -> str:
        return self.server.banner

    def log_message(self, format: str, *args: Any) -> None:
        """The log of requests is written elsewhere."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves in threads of its own until it is shut down."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], answer: Answer, banner: str = "ESF") -> None:
        self.answer = answer
        self.banner = banner
        super().__init__(address, _Handler)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    @property
    def port(self) -> int:
        """The port at which it listens."""
        return int(self.socket.getsockname()[1])

    def shutdown(self) -> None:
        """Stops listening."""
        super().shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away whenever they like."""
