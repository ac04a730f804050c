"""A failed connection is told in words, without the names that only programs use."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl

import pytest

from autocapture.connect.failures import in_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)),
            "nothing listens there",
        ),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "the connection was cut"),
        (http.client.RemoteDisconnected("closed"), "the connection was cut"),
        (http.client.BadStatusLine("SSH-2.0"), "what came is no HTTP"),
        (TimeoutError(), "not in time"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "the name is unknown"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "what came is no TLS that is accepted here"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no way leads there"),
        (OSError(errno.EACCES, "Permission denied"), "permission denied"),
        (OSError("plain"), "the connection failed"),
        (ValueError("x"), "the connection failed"),
    ],
)
def test_what_the_system_says_is_told_in_words(error: Exception, words: str) -> None:
    assert in_words(error) == words
