"""An IMAP server that says what a test tells it to: for rude behaviour that no real server shows on demand.

    with scripted_imap({"UID FETCH": b"* BYE\\r\\n" + DROP}) as server: ...

`answers` maps the beginning of a command (without its tag) to what is sent back; the longest match wins and the rest
behaves like a small, polite server with one folder of `messages` messages. `%T` stands for the command's tag.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DROP = b"\0"
"""At the end of an answer: the connection is closed after it."""

POLITE: Mapping[str, bytes] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n%T OK done\r\n",
    "LOGIN": b"%T OK signed in\r\n",
    "LIST": b'* LIST () "/" INBOX\r\n%T OK done\r\n',
    "STATUS": b'* STATUS "INBOX" (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7)\r\n%T OK done\r\n',
    "EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n* OK [UIDNEXT 4] fine\r\n%T OK [READ-ONLY] done\r\n",
    "UID SEARCH": b"* SEARCH 1 2 3\r\n%T OK done\r\n",
    "UID FETCH": b"%T OK done\r\n",
    "IDLE": b"+ idling\r\n",
    "NOOP": b"%T OK done\r\n",
    "LOGOUT": b"* BYE good bye\r\n%T OK done\r\n" + DROP,
}


@dataclass
class ScriptedImap:
    """The running server. `received` holds every line of every client, credentials included."""

    port: int
    answers: Mapping[str, bytes]
    greeting: bytes
    host: str = "127.0.0.1"
    received: list[str] = field(default_factory=list)

    def commands(self) -> list[str]:
        """What was received, without tags."""
        return [line.partition(" ")[2] for line in self.received]

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            lines = client.makefile("rb")
            idle_tag = ""
            if not self._send(client, self.greeting, ""):
                return
            for raw in lines:
                line = raw.decode("latin-1").rstrip("\r\n")
                self.received.append(line)
                tag, _, command = line.partition(" ")
                if line == "DONE":
                    tag, command = idle_tag, "NOOP"
                elif command == "IDLE":
                    idle_tag = tag
                if not self._send(client, self._answer(command), tag):
                    return

    def _answer(self, command: str) -> bytes:
        known = {**POLITE, **self.answers}
        matching = [key for key in known if command.upper().startswith(key)]
        return known[max(matching, key=len)] if matching else b"%T BAD unknown command\r\n"

    def _send(self, client: socket.socket, answer: bytes, tag: str) -> bool:
        client.sendall(answer.removesuffix(DROP).replace(b"%T", tag.encode()))
        return not answer.endswith(DROP)


@contextmanager
def scripted_imap(
    answers: Mapping[str, bytes] | None = None, *, greeting: bytes = b"* OK ready\r\n"
) -> Iterator[ScriptedImap]:
    """Serves every connection in a thread of its own until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = ScriptedImap(listener.getsockname()[1], answers or {}, greeting)
    clients: list[tuple[socket.socket, threading.Thread]] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                thread = threading.Thread(target=server.serve, args=(client,), daemon=True)
                clients.append((client, thread))
                thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for client, thread in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            client.close()
