"""What an operating system says of a connection that fails, in words for whoever reads why nothing is captured."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

_BY_NUMBER = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.ECONNRESET: "the connection was cut",
    errno.EPIPE: "the connection was cut",
    errno.ECONNABORTED: "the connection was cut",
    errno.EHOSTUNREACH: "no way leads there",
    errno.ENETUNREACH: "no way leads there",
    errno.ENETDOWN: "this machine's network is down",
    errno.ETIMEDOUT: "not in time",
}


def in_words(error: BaseException | None) -> str:
    """A few words. What is unknown has no name that would help: its number, where the system gives one."""
    if isinstance(error, http.client.RemoteDisconnected | http.client.IncompleteRead | EOFError):
        return "the connection was cut"
    if isinstance(error, http.client.HTTPException):
        return "what came is no HTTP"
    if isinstance(error, TimeoutError):
        return "not in time"
    if isinstance(error, socket.gaierror):
        return "the name is unknown"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the connection was cut"
    if isinstance(error, ssl.SSLError):
        return "what came is no TLS that is accepted here"
    if isinstance(error, OSError):
        return _BY_NUMBER.get(error.errno or 0) or (error.strerror or "the connection failed").lower()
    return "the connection failed"
