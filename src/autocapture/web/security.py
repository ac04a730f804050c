"""What every answer and every request must be, whatever page is asked for.

Until sign-in exists, anyone who reaches the port can read everything: so it listens on loopback alone, and a request must name
a loopback host, or a page elsewhere could read it through a name that resolves to 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import traceback
from uuid import uuid4

import structlog
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autocapture.errors import SetupError
from autocapture.web.templating import render

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_READS = ("GET", "HEAD")


def assert_loopback(host: str) -> None:
    """Raises SetupError where the web would listen on anything but this machine itself."""
    if not is_loopback(host):
        raise SetupError(
            f"the web has no sign-in yet and listens on this machine only: set web.host to 127.0.0.1, not {host!r}"
        )


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, no port) means this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware around everything: refuses what is not a read of a loopback host, sets the headers of every answer, and
    turns an exception into a page with a number that the log knows too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headed = _with_headers(send, bodyless=scope["method"] == "HEAD")
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, headed)
            return
        try:
            await self._app({**scope, "method": "GET"}, receive, headed)
        except Exception as problem:
            await _failure(problem)(scope, receive, headed)


def _refusal(scope: Scope) -> Response | None:
    if scope["method"] not in _READS:
        return PlainTextResponse("This is read-only.\n", 405, headers={"Allow": ", ".join(_READS)})
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or not is_loopback(_without_port(hosts[0])):
        return PlainTextResponse("This is only served under the name of this machine itself.\n", 421)
    return None


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _with_headers(send: Send, *, bodyless: bool) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _value in message["headers"]}
            extra = dict(_HEADERS)
            if b"cache-control" not in present:
                extra["cache-control"] = "no-store"
            added = [
                (name.encode(), value.encode())
                for name, value in extra.items()
                if name.encode() not in present
            ]
            message = {**message, "headers": [*message["headers"], *added]}
        elif bodyless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headed


def _failure(problem: Exception) -> Response:
    number = uuid4().hex[:12]
    last = traceback.extract_tb(problem.__traceback__)[-1]
    # the message of an exception may quote a row; its type and place never do
    structlog.get_logger("autocapture.web").error(
        "page_failed",
        error_id=number,
        error=type(problem).__name__,
        place=f"{last.filename.rpartition('/')[2]}:{last.lineno}",
    )
    return HTMLResponse(
        render("error.html", title="Something went wrong", words=f"The log knows it as {number}."), 500
    )
