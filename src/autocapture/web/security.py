"""What every answer and every request must be, whatever page is asked for; who may see which page is in `web.access`.

Until the first person can sign in, whoever reaches the port can read everything: so it is answered on this machine alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from uuid import uuid4

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autocapture.application import Application
from autocapture.errors import SetupError
from autocapture.web.arrival import Arrival, arrival, is_loopback
from autocapture.web.templating import render
from autocapture.workflows.sign_in_sessions import an_admin_can_sign_in, is_closed

LARGEST_BODY = 64 * 1024  # a form holds a few words
LARGEST_NOTICE = 1024 * 1024  # a provider may tell of hundreds of changes at once
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # to nobody else; with less, forms would come without their origin
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HTTPS_ALWAYS = {"strict-transport-security": "max-age=31536000"}
_METHODS = ("GET", "HEAD", "POST")


def assert_reachable(application: Application) -> None:
    """Raises SetupError where the web would listen beyond this machine before an admin can sign in, or without https."""
    web = application.settings.web
    if is_loopback(web.host):
        return
    if not an_admin_can_sign_in(application):
        raise SetupError(
            "until an admin can sign in, the web listens on this machine only: set web.host to 127.0.0.1, not "
            f"{web.host!r}, or run `autocapture users invite EMAIL --admin` and follow the link on this machine"
        )
    if not web.public_url.startswith("https://") or not web.proxies:
        raise SetupError(
            f"web.host {web.host!r} is beyond this machine: set web.public_url to the https address of the proxy in front, "
            "and web.proxies to its network"
        )


class Closing:
    """Whether the pages need sign-in. Asked for each request until the answer is yes, which it stays."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._closed = False

    def __call__(self) -> bool:
        if not self._closed:
            self._closed = is_closed(self._application)
        return self._closed


class Guard:
    """ASGI middleware around everything: refuses what did not come as it should, sets the headers of every answer, and turns an
    exception into a page with a number that the log knows too. The `Arrival` is in the scope's state."""

    def __init__(self, app: ASGIApp, application: Application, closed: Callable[[], bool]) -> None:
        self._app = app
        self._web = application.settings.web
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came = arrival(scope["headers"], (scope["client"] or ("", 0))[0], self._web)
        bodyless = scope["method"] == "HEAD"
        headed = _with_headers(send, bodyless=bodyless, secure=came is not None and came.is_public)
        try:
            refusal = await self._refusal(scope, came)
            if refusal is not None:
                await refusal(scope, receive, headed)
                return
            method = "GET" if bodyless else scope["method"]
            state = {**scope.get("state", {}), "arrival": came}
            await self._app(
                {**scope, "method": method, "state": state}, _bounded(receive, _most(scope)), headed
            )
        except _TooLarge:
            await PlainTextResponse("This is too large.\n", 413)(scope, receive, headed)
        except Exception as problem:
            await _failure(problem)(scope, receive, headed)

    async def _refusal(self, scope: Scope, came: Arrival | None) -> Response | None:
        if scope["method"] not in _METHODS:
            return PlainTextResponse(
                "This cannot be done here.\n", 405, headers={"Allow": ", ".join(_METHODS)}
            )
        if came is None or (came.is_public and not await run_in_threadpool(self._closed)):
            return PlainTextResponse(
                "This is served under the name of this machine itself, and, once an admin can sign in, under web.public_url "
                "by https through one of web.proxies.\n",
                421,
            )
        return None


class _TooLarge(Exception):
    """More came than any form of ours holds."""


def _most(scope: Scope) -> int:
    return LARGEST_NOTICE if scope["path"].startswith("/notices/") else LARGEST_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _TooLarge
        return message

    return bounded


def _with_headers(send: Send, *, bodyless: bool, secure: bool) -> Send:
    wanted = {**_HEADERS, **_HTTPS_ALWAYS} if secure else _HEADERS

    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _value in message["headers"]}
            extra = dict(wanted)
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
