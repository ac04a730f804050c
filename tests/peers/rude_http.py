"""An HTTP server on loopback that answers with the very bytes a test tells it to: for rude behaviour no real server shows.

    with rude_http(b"HTTP/1.1 200 OK\\r\\nContent-Length: 99\\r\\n\\r\\nhalf") as server: ...

Each answer is a sequence of steps: bytes to send, seconds to wait, or one of the marks below. The first request gets the first
answer, and so on; the last one serves all that follow. After its steps the connection stays open for the next request.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CLOSE = "close"
RESET = "reset"
SILENCE = "silence"

Step = bytes | float | str
Answer = Sequence[Step]


def ok(body: bytes, *headers: str) -> bytes:
    """A polite answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class RudeHttp:
    """The running server. `requests` holds the head of every request, tokens included; `connections` how many were made."""

    port: int
    answers: Sequence[Answer]
    scheme: str = "http"
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while head := _head(client):
                self.requests.append(head)
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if not all(self._step(client, step) for step in answer):
                    return

    def _step(self, client: socket.socket, step: Step) -> bool:
        match step:
            case bytes():
                client.sendall(step)
            case float():
                return not self.stopping.wait(step)
            case "silence":
                self.stopping.wait(30)
                return False
            case "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case _:
                return False
        return True


def _head(client: socket.socket) -> str:
    """One request up to its empty line, and its body read away."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65_536)
        if not piece:
            return ""
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    lengths = [line.split(":")[1] for line in text.splitlines() if line.lower().startswith("content-length:")]
    while lengths and len(rest) < int(lengths[0]):
        rest += client.recv(65_536)
    return text


@contextmanager
def rude_http(*answers: bytes | Answer, context: ssl.SSLContext | None = None) -> Iterator[RudeHttp]:
    """Serves every connection in a thread of its own until the block ends; over TLS where a `context` is given."""
    listener = socket.create_server(("127.0.0.1", 0))
    steps = [[answer] if isinstance(answer, bytes) else answer for answer in answers]
    server = RudeHttp(listener.getsockname()[1], steps, "https" if context else "http")

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server.connections += 1
                threading.Thread(target=one, args=(client,), daemon=True).start()

    def one(client: socket.socket) -> None:
        with suppress(OSError):
            server.serve(context.wrap_socket(client, server_side=True) if context else client)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
