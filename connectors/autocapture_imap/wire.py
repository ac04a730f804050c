"""The byte stream under imapclient: one socket, one buffer, a time limit for every read and every command.

imaplib names open, read, readline, send and shutdown as the methods to override; doing so lets responses be read without
imaplib's parser where speed matters (`fetching`), and lets STARTTLS see whether anything was sent ahead of the handshake.
"""

from __future__ import annotations

import imaplib
import re
import selectors
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from imapclient import IMAPClient

from autocapture.errors import SetupError
from autocapture_imap.dial import wrap
from autocapture_imap.faults import expect_ok

if TYPE_CHECKING:
    from typing_extensions import Buffer

LINE_LIMIT = 8_000_000
"""Bytes of one response line; a SEARCH answer with half a million UIDs fits."""

LITERAL_LIMIT = (1 << 20) + 4_096
"""Bytes kept of one literal, somewhat more than a usable header block; the rest of a longer one is read and dropped."""

_CHUNK = 1 << 18
_COMMAND_FACTOR = 10  # a server may answer slowly, not for ever: whole command against single read


class Wire(imaplib.IMAP4):
    """imaplib over an already connected socket. Every read error is an OSError."""

    def __init__(
        self, sock: socket.socket, host: str, port: int, timeout: float, monotonic: Callable[[], float]
    ) -> None:
        self._given = sock
        self._buffer = bytearray()
        self._position = 0
        self._monotonic = monotonic
        self.timeout = timeout
        self.restart_deadline()
        super().__init__(host, port, timeout)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port, self.sock = host, port, self._given
        self.sock.settimeout(self.timeout)

    def send(self, data: Buffer) -> None:
        self.restart_deadline()
        self.sock.sendall(data)

    def readline(self) -> bytes:
        """One line with its end; at the end of the stream, what is left (b"" when nothing is)."""
        end = self._buffer.find(b"\n", self._position)
        while end < 0:
            searched = len(self._buffer) - self._position
            if searched > LINE_LIMIT:
                raise ConnectionError("a response line is too long")
            if not self._fill():
                return self._take(searched)
            end = self._buffer.find(b"\n", self._position + searched)
        return self._take(end + 1 - self._position)

    def untagged_count(self, name: str) -> int | None:
        """The newest `* n NAME` since the folder was opened, taken off imaplib's list; None when there was none."""
        reported = self.untagged_responses.pop(name, [])
        return int(reported[-1]) if reported and isinstance(reported[-1], bytes) else None

    def read(self, size: int) -> bytes:
        """`size` bytes; of a longer literal than `LITERAL_LIMIT` only that many are kept."""
        if size <= LITERAL_LIMIT and len(self._buffer) - self._position >= size:
            return self._take(size)
        while len(self._buffer) - self._position < min(size, LITERAL_LIMIT):
            if not self._fill():
                raise ConnectionError("the connection ended within a literal")
        kept = self._take(min(size, LITERAL_LIMIT))
        dropped = len(kept)
        while dropped < size:
            if self._position == len(self._buffer) and not self._fill():
                raise ConnectionError("the connection ended within a literal")
            dropped += len(self._take(min(size - dropped, len(self._buffer) - self._position)))
        return kept

    def take_whole(self, head: re.Pattern[bytes], tail: bytes) -> tuple[tuple[bytes, ...], bytes] | None:
        """A response of one literal, taken at once where all of it has arrived: the groups of `head`, the last of which is the
        literal's size, and the literal, after which `tail` must follow. None, and nothing is taken, for any other response."""
        found = head.match(self._buffer, self._position)
        if found is None:
            return None
        groups, start = found.groups(), found.end()
        end = start + int(groups[-1])
        if not self._buffer.startswith(tail, end):
            return None
        self._position = end + len(tail)
        return groups, bytes(self._buffer[start:end])

    def shutdown(self) -> None:
        self.sock.close()

    def secure(self, context: ssl.SSLContext) -> None:
        """STARTTLS. Whatever was said in the clear is forgotten, and anything sent ahead of the handshake is an attack
        (response injection, nostarttls.secvuln.info): SetupError."""
        expect_ok(*self._simple_command("STARTTLS"))
        if self.news_within(0):
            raise SetupError(f"{self.host} sent data ahead of the TLS handshake: the connection is not safe")
        self.untagged_responses.clear()
        self.sock = wrap(self.sock, self.host, context)
        self._get_capabilities()

    def news_within(self, seconds: float) -> bool:
        """Whether a read would return at once, now or within `seconds`; also True when the connection ended."""
        if self._position < len(self._buffer):
            return True
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def restart_deadline(self) -> None:
        """The time for one command begins now: with each command sent, and again after waiting in IDLE."""
        self._deadline = self._monotonic() + self.timeout * _COMMAND_FACTOR

    def _fill(self) -> bool:
        if self._monotonic() > self._deadline:
            raise TimeoutError("the server takes too long")
        data = self.sock.recv(_CHUNK)
        del self._buffer[: self._position]
        self._position = 0
        self._buffer += data
        return bool(data)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[self._position : self._position + count])
        self._position += count
        return taken


class Client(IMAPClient):  # type: ignore[misc]  # imapclient has no types
    """imapclient over a `Wire`. Folder names are passed as they travel: in modified UTF-7 (RFC 3501, 5.1.3)."""

    def __init__(self, wire: Wire, host: str, *, encrypted: bool) -> None:
        self._wire = wire
        super().__init__(host, wire.port, ssl=encrypted)
        self.folder_encode = False
        wire.debug = 0  # imapclient turns imaplib's log of every line on: slow, and it holds mail
        wire.sock.settimeout(wire.timeout)  # imapclient took the limit away

    def _create_IMAP4(self) -> Wire:
        return self._wire


def quoted(text: str) -> str:
    """An IMAP quoted string (RFC 3501, 4.3) of printable ASCII; ValueError for anything that could end it."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("only printable ASCII can be quoted")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
