"""The server: HTTP on a free loopback port, passwords, faults at any request, and a list of whatever tried to write."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast

from autocapture.testing.fakes.caldav.answers import Answers, Reply, refusal
from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Store

Fault = Literal[
    "timeout before", "timeout after", "reset", "429", "500", "503", "truncated", "drip", "half-open",
    "wrong type", "gzip bomb",
]  # fmt: skip
FAULTS: tuple[Fault, ...] = (
    "timeout before", "timeout after", "reset", "429", "500", "503", "truncated", "drip", "half-open",
    "wrong type", "gzip bomb",
)  # fmt: skip

_NONCE = "5f2b"
_STATUS: dict[str, Reply] = {
    "429": Reply(429, headers=(("Retry-After", "90"),)),
    "500": Reply(500),
    "503": Reply(503, headers=(("Retry-After", "120"),)),
    "wrong type": Reply(200, b"<html>Please sign in to this network</html>", "text/html"),
}


class CaldavServer:
    """`store` is what it holds, `manners` how it behaves. `wrote` has every request that would have changed something."""

    def __init__(self, store: Store, manners: Manners | None = None) -> None:
        self.store = store
        self.manners = manners or Manners()
        self.wrote: list[str] = []
        self.asked: list[str] = []
        self.password = PASSWORD
        self.stall = threading.Event()
        """Set when the server is stopped: nobody waits any longer."""
        self._faults: dict[int, Fault] = {}
        self._requests = 0
        self._lock = threading.RLock()
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.fake = self
        self.url = f"http://127.0.0.1:{self._http.server_port}/"
        self._answers = Answers(store, self.manners, self.url.rstrip("/"))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stall.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def fault(self, kind: Fault, nth: int = 1) -> None:
        """The `nth` request from now on meets it."""
        self._faults[self._requests + nth] = kind

    def next_fault(self) -> Fault | None:
        with self._lock:
            self._requests += 1
            return self._faults.pop(self._requests, None)

    def reply(self, method: str, path: str, body: bytes, depth: str | None, authorization: str) -> Reply:
        with self._lock:
            self.asked.append(f"{method} {path}")
            if method not in ("PROPFIND", "REPORT", "GET"):
                self.wrote.append(f"{method} {path}")
                return refusal(405)
            if path in self.manners.redirects:
                status, location = self.manners.redirects[path]
                return Reply(status, headers=(("Location", location),))
            if not self._is_known(method, authorization):
                wanted = f'Digest realm="cal", nonce="{_NONCE}", qop="auth", algorithm=MD5'
                challenge = wanted if self.manners.digest else 'Basic realm="cal"'
                return Reply(401, headers=(("WWW-Authenticate", challenge),))
            if path in self.manners.raw:
                status, kind, raw = self.manners.raw[path]
                return Reply(status, raw, kind)
            return self._answers.answer(method, path, body, depth)

    def _is_known(self, method: str, authorization: str) -> bool:
        if not self.manners.digest:
            plain = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
            return authorization == f"Basic {plain}"
        given: dict[str, str] = dict(re.findall(r'(\w+)="?([^",]*)"?', authorization.partition(" ")[2]))
        if not authorization.startswith("Digest ") or given.get("nonce") != _NONCE:
            return False
        secret, asked = _md5(f"{USER}:cal:{self.password}"), _md5(f"{method}:{given['uri']}")
        proof = _md5(f"{secret}:{_NONCE}:{given['nc']}:{given['cnonce']}:auth:{asked}")
        return given["response"] == proof


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@contextmanager
def caldav_server(store: Store, manners: Manners | None = None) -> Iterator[CaldavServer]:
    server = CaldavServer(store, manners)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    fake: CaldavServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is none."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        fake = cast(_Http, self.server).fake
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = fake.next_fault()
        if fault in ("timeout before", "half-open"):
            fake.stall.wait(30)
            self.close_connection = True
            return
        if fault in _STATUS:
            self._send(_STATUS[fault])
            return
        reply = fake.reply(
            self.command, self.path, body, self.headers.get("Depth"), self.headers.get("Authorization", "")
        )
        if fault == "timeout after":
            fake.stall.wait(30)
            self.close_connection = True
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif fault == "gzip bomb":
            packed = gzip.compress(bytes(64 << 20), 1)
            self._send(Reply(207, packed, headers=(("Content-Encoding", "gzip"),)))
        else:
            self._send(reply, fault)

    do_PROPFIND = do_REPORT = do_GET = do_PUT = do_DELETE = do_POST = do_MKCALENDAR = do_PROPPATCH = (
        do_HEAD
    ) = _serve
    do_OPTIONS = do_MKCOL = do_MOVE = do_COPY = do_LOCK = _serve

    def _send(self, reply: Reply, fault: Fault | None = None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        if fault == "truncated":
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        elif fault == "drip":
            for byte in reply.body:
                self.wfile.write(bytes([byte]))
                if cast(_Http, self.server).fake.stall.wait(0.05):
                    break
            self.close_connection = True
        else:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """A test reads what was asked from the server itself."""
