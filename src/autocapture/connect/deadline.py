"""A socket whose reads and writes all end by one deadline, however slowly the other side drips."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable
from typing import Any

Monotonic = Callable[[], float]


class Deadline:
    """The end of one exchange: no single wait is longer than `each` seconds, all together no longer than `total`."""

    def __init__(self, monotonic: Monotonic, *, each: float, total: float) -> None:
        self._monotonic = monotonic
        self._each = each
        self._ends = monotonic() + total

    def wait(self) -> float:
        """How many seconds the next wait may last. Raises TimeoutError once the whole time is over."""
        left = self._ends - self._monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole exchange is over")
        return min(self._each, left)


class TimedSocket:
    """What `http.client` uses of a socket, under a deadline that each exchange sets anew."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.deadline = deadline
        self._sock = sock

    def sendall(self, data: Any) -> None:
        self._sock.settimeout(self.deadline.wait())
        self._sock.sendall(data)

    def makefile(self, *_args: object, **_options: object) -> io.BufferedReader:
        return _Lines(_TimedReader(self._sock, self.deadline))

    def has_news(self) -> bool:
        """Whether something can be read although nothing was asked: mostly the end of the connection."""
        self._sock.settimeout(0)
        try:
            self._sock.recv(1)
        except OSError as nothing:
            return not _would_block(nothing)
        return True

    def close(self) -> None:
        self._sock.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until this is closed too

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._deadline.wait())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Lines(io.BufferedReader):
    """Where the connection ends within a line, the line is none: `http.client` would take half a head for a whole one."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line.endswith(b"\n") and len(line) != size:
            raise ConnectionResetError("the connection ended within a line")
        return line


def _would_block(error: OSError) -> bool:
    return isinstance(error, BlockingIOError | ssl.SSLWantReadError)
