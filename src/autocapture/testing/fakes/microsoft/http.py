"""The HTTP under the fake: a server on a loopback port that hands requests to a function, and can be made to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]
Manner = Literal["whole", "drop", "cut", "html", "list"]


@dataclass(frozen=True, slots=True)
class Request:
    """`path` holds the parts below the version, each unquoted; `query` the parameters by name, `root` the server that was
    asked."""

    verb: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    target: str = ""
    root: str = ""

    @classmethod
    def of(cls, verb: str, target: str, headers: Mapping[str, str], body: Json) -> Request:
        parts = urlsplit(target)
        path = tuple(unquote(part) for part in parts.path.split("/") if part)
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(verb, path, dict(parse_qsl(parts.query, keep_blank_values=True)), lower, body, target)

    def prefers(self, preference: str) -> bool:
        return preference.lower() in self.headers.get("prefer", "").lower()

    def page_size(self, default: int) -> int:
        for preference in self.headers.get("prefer", "").split(","):
            name, _, value = preference.strip().partition("=")
            if name == "odata.maxpagesize" and value.isdigit():
                return max(1, int(value))
        return default


@dataclass(frozen=True, slots=True)
class Response:
    """`manner`: whole, or how its transport breaks: nothing is sent, half of it, or something else than was announced."""

    status: int
    body: Json | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    manner: Manner = "whole"

    def sent(self) -> bytes:
        if self.manner == "html":
            return b"<html><body>Sign in to the network</body></html>"
        if self.manner == "list":
            return b"[1, 2]"
        return b"" if self.body is None else json.dumps(self.body).encode()


Handle = Callable[[Request], Response]


class Server:
    """Runs until it is closed."""

    def __init__(self, handle: Handle) -> None:
        handler = type("Handler", (_Handler,), {"answer": staticmethod(handle)})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answer: Handle

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        body = json.loads(raw) if raw else {}
        response = type(self).answer(Request.of(self.command, self.path, dict(self.headers.items()), body))
        payload = response.sent()
        if response.manner == "drop":
            self.close_connection = True
            self.connection.close()
            return
        head = [f"HTTP/1.1 {response.status} X", f"Content-Length: {len(payload)}"]
        kind = "text/html" if response.manner == "html" else "application/json"
        named = {"Content-Type": kind, **response.headers}
        head += [f"{name}: {value}" for name, value in named.items()]
        sent = payload[: len(payload) // 2] if response.manner == "cut" else payload
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + sent)
        if response.manner == "cut":
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve

    def log_message(self, *_: object) -> None:
        return
