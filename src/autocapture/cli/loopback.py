"""A browser's way back to a command that waits on the same machine (RFC 8252 section 7.3): 127.0.0.1, one port, one answer.

The port is the same each time, since Google sends nobody back to an address that is not registered to the letter, port and all.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from autocapture.clock import Clock
from autocapture.connect.redirects import loopback_address
from autocapture.errors import AutocaptureError, InputError

WITHIN = timedelta(minutes=10)
_LONGEST_QUERY = 8_000
_LOOK_UP_EVERY = 0.5  # seconds; then the time limit, and Ctrl-C, are looked at
_PAGE = """\
<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>autocapture</title>
<body style="font:17px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem"><h1>{title}</h1><p>{words}</p>
"""

Answer = TypeVar("Answer")


class Loopback(HTTPServer, Generic[Answer]):
    """Listens while the block lasts. The browser is told what came of its answer, in a sentence."""

    def __init__(self, clock: Clock, port: int) -> None:
        """Raises InputError where something else listens on `port`; 0 is any that is free."""
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError):
            raise InputError(
                f"port {port} of 127.0.0.1 is not to be had: wait for who connects there now, or choose another by "
                "--redirect-port (at Google its address must be registered too)"
            ) from None
        self.timeout = _LOOK_UP_EVERY
        self._clock = clock
        self._state = ""
        self._take: Callable[[Mapping[str, str]], Answer] | None = None
        self._found: list[Answer] = []
        self._problem: AutocaptureError | None = None

    @property
    def redirect_uri(self) -> str:
        return loopback_address(self.server_port)

    def wait(
        self, state: str, take: Callable[[Mapping[str, str]], Answer], *, within: timedelta = WITHIN
    ) -> Answer:
        """What `take` makes of the one answer that brings `state`; others are turned away and waited past.

        Raises what `take` raises, and InputError once the time is over.
        """
        self._state, self._take = state, take
        until = self._clock.monotonic() + within.total_seconds()
        while not self._found and self._problem is None:
            if self._clock.monotonic() > until:
                minutes = round(within.total_seconds() / 60)
                raise InputError(f"nobody came back from the browser within {minutes} minutes; start again")
            self.handle_request()
        if self._problem is not None:
            raise self._problem
        return self._found[0]

    def answer(self, path: str) -> tuple[int, str, str]:
        """Status, heading and sentence for a request of the browser."""
        parts = urlsplit(path)
        pairs = parse_qsl(parts.query[:_LONGEST_QUERY], keep_blank_values=True)
        query = dict(pairs)
        ours = hmac.compare_digest(query.get("state", "").encode(), self._state.encode())
        if parts.path not in ("", "/") or not self._state or not ours or len(query) != len(pairs):
            return 404, "Nothing here", "This is not the answer that is waited for."
        if self._take is None or self._found or self._problem is not None:
            return 410, "Over", "This answer was taken already."
        try:
            self._found.append(self._take(query))
        except AutocaptureError as problem:
            self._problem = problem
            return 403, "This did not work", f"{problem}."
        return 200, "Connected", "You can close this page and go back to where you started."

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that hangs up is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: Loopback[object]
    timeout = 5  # seconds that a browser may take over its request

    def do_GET(self) -> None:
        status, title, words = self.server.answer(self.path)
        body = _PAGE.format(title=escape(title), words=escape(words)).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """The query holds a code: it is not for the terminal."""
