"""The gateway: it takes each request, and hands it on unless it is to break."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from autocapture.testing.fakes.gateway.wire import Reply, Wire

LONGEST = 20.0
"""Seconds that somebody is kept waiting at most."""

RouteOf = Callable[[str, str, bytes], str]
"""The name of a request's route, by method, target and body."""

_OF_THE_HOP = frozenset({"connection", "content-length", "transfer-encoding", "date", "server"})


class Gateway(AbstractContextManager["Gateway"]):
    """Listens on a free port until it is left. `words` are the provider's own refusals by their status, for kinds that need
    them. `served` and `trusted` make it speak TLS on its two sides."""

    def __init__(
        self,
        wire: Wire,
        service: str,
        upstream: str,
        route_of: RouteOf,
        *,
        words: Mapping[int, Reply] | None = None,
        served: ssl.SSLContext | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self.wire, self.service, self.route_of = wire, service, route_of
        self.words = dict(words or {})
        self.upstream = upstream.rstrip("/")
        self._served, self._trusted = served, trusted
        self._reserved = socket.socket()  # keeps the port while nobody listens
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._port = int(self._reserved.getsockname()[1])
        self._closed = False
        self._listener = self._listening()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.wire.released.set()
        self.stop_listening()
        self._thread.join()
        self._reserved.close()

    @property
    def url(self) -> str:
        return f"http{'s' if self._served else ''}://127.0.0.1:{self._port}"

    def stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # who waits in accept is woken by nothing else
        self._listener.close()

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the server behind."""
        parts = urlsplit(self.upstream)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(parts.hostname or "", parts.port, context=self._trusted)
        return http.client.HTTPConnection(parts.hostname or "", parts.port)

    def _listening(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", self._port))
        made.listen(64)
        return made

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                while self.wire.is_down and not self._closed:
                    time.sleep(0.01)
                if not self._closed:
                    self._listener = self._listening()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection. Where nobody is let in though somebody listens, the handshake is none."""
        with suppress(OSError), client:
            client.settimeout(LONGEST)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.wire.is_down:
                client.sendall(b"220 this is another service\r\n")
            elif self._served is None:
                Exchange(client, self)
            else:
                with self._served.wrap_socket(client, server_side=True) as secured:
                    Exchange(secured, self)


class Exchange(BaseHTTPRequestHandler):
    """One client's connection. What a kind of fault does, it does with the methods below."""

    protocol_version = "HTTP/1.1"

    def __init__(self, client: socket.socket, gateway: Gateway) -> None:
        self.gateway = gateway
        self._behind: http.client.HTTPConnection | None = None
        self._sent = b""
        try:
            super().__init__(client, ("127.0.0.1", 0), gateway)  # type: ignore[arg-type]
        finally:
            if self._behind is not None:
                self._behind.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Whoever is told of the sites needs no log."""

    def _serve(self) -> None:
        self._sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        route = self.gateway.route_of(self.command, self.path, self._sent)
        kind = self.gateway.wire.arrive(self.gateway.service, route)
        if kind is None:
            self.send(self.hand_on())
        else:
            kind.strike(self)

    def hand_on(self) -> Reply:
        """The request has its effect, and this is the answer. Addresses in it lead to the gateway again."""
        if self._behind is None:
            self._behind = self.gateway.connect()
        own, behind = self.gateway.url, self.gateway.upstream
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_HOP}
        headers["Host"] = urlsplit(behind).netloc
        headers["Accept-Encoding"] = "identity"
        self._behind.request(self.command, self.path, self._sent, headers)
        answer = self._behind.getresponse()
        told = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_HOP}
        return Reply(answer.status, answer.read().replace(behind.encode(), own.encode()), told)

    def head(self, reply: Reply, *more: str, length: int | None = None) -> bytes:
        """The head of an answer; `length` is what it says of the body's, below 0 nothing."""
        said = len(reply.body) if length is None else length
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in reply.headers.items())]
        if said >= 0 and reply.status != 204:
            lines.append(f"Content-Length: {said}")
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")

    def send(self, reply: Reply, *more: str) -> None:
        self.raw(self.head(reply, *more) + reply.body)

    def raw(self, data: bytes) -> None:
        self.wfile.write(data)

    def wait(self, seconds: float = LONGEST) -> bool:
        """Waits until everybody is let go (True), or for so long."""
        return self.gateway.wire.released.wait(seconds)

    def end(self) -> None:
        """The connection ends after this."""
        self.close_connection = True

    def reset(self) -> None:
        """The connection ends as when a machine crashed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def refuse(self, *, silently: bool = True) -> None:
        """The connection ends, and nobody is let in any more until the wire is healed: nobody listens, or who does speaks
        something else."""
        self.gateway.wire.take_down()
        if silently:
            self.gateway.stop_listening()
        self.reset()
