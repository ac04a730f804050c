"""Where providers send their notices. Open to the internet, without session: each proves itself or is ignored.

A notice is verified, its channels are due now, and it is answered. Those that come while a transaction is under way share the
next one, so that a burst of thousands costs a few.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from autocapture.application import Application
from autocapture.connect.pubsub import mailbox_of
from autocapture.connect.push_tokens import PushTokens
from autocapture.errors import CredentialRejected, TryLater
from autocapture.web.notice_desk import Desk, Refusals
from autocapture.workflows.notices import Change, Known
from autocapture.workflows.subscriptions import hash_of

MICROSOFT = "/notices/microsoft"
CALENDAR = "/notices/google/calendar"
MAIL = "/notices/google/mail"

LONGEST_GREETING = 2_048
AT_ONCE = 4
"""Tokens that are judged at a time: Google's keys may be slow, and most threads are to be left to the pages."""

MOST_IN_ONE = 1_000
"""Notices in one request that are looked at; a provider sends far fewer."""

_LIFECYCLE: dict[str, Change] = {
    "reauthorizationRequired": "renew",
    "subscriptionRemoved": "removed",
    "missed": "news",
}


def add_routes(app: FastAPI) -> None:
    """Plain routes, past the dependencies of pages: there is no visit to look up a thousand times a second."""
    notices = _Notices(app.state.application)
    app.router.routes.extend(
        [
            Route(MICROSOFT, notices.microsoft, methods=["POST"]),
            Route(CALENDAR, notices.calendar, methods=["POST"]),
            Route(MAIL, notices.mail, methods=["POST"]),
        ]
    )


class _Notices:
    def __init__(self, application: Application) -> None:
        push, web = application.settings.push, application.settings.web
        self._desk = Desk(application)
        self._refusals = Refusals(application.clock)
        self._verifying = asyncio.Semaphore(AT_ONCE)
        self._tokens = PushTokens(
            application.settings.google,
            push.gmail_sender,
            push.gmail_audience or f"{web.address}{MAIL}",
            application.open_http,
            application.clock,
        )

    async def microsoft(self, request: Request) -> Response:
        """Graph's change notifications, those about subscriptions themselves, and its greeting before it promises any."""
        if "validationToken" in request.query_params:
            return _greeting(request.query_params.getlist("validationToken"))
        told = _listed(await request.body())
        if told is None:
            return PlainTextResponse("This is no notice.\n", 400)
        changes: list[tuple[int, Change]] = []
        for notice in told[:MOST_IN_ONE]:
            key, secret = notice.get("subscriptionId"), notice.get("clientState")
            change = _LIFECYCLE.get(str(notice.get("lifecycleEvent", "")), "news")
            proved = await self._proved(request, "microsoft", key, secret)
            changes += [(known.channel_id, change) for known in proved]
        self._desk.put(changes)
        return Response(status_code=202)

    async def calendar(self, request: Request) -> Response:
        """Google Calendar's: headers alone (https://developers.google.com/workspace/calendar/api/guides/push)."""
        key, secret = request.headers.get("x-goog-channel-id"), request.headers.get("x-goog-channel-token")
        proved = await self._proved(request, "google", key, secret)
        self._desk.put((known.channel_id, "news") for known in proved)
        return Response(status_code=202)

    async def mail(self, request: Request) -> Response:
        """Gmail's, as Pub/Sub pushes them. One that cannot be understood is taken all the same: it would come for ever."""
        try:
            given = request.headers.get("authorization", "")
            async with self._verifying:
                await run_in_threadpool(self._tokens.verify, given)
        except CredentialRejected as refused:
            self._refusals.tell(request, str(refused))
            return PlainTextResponse("This proves nothing.\n", 401)
        except TryLater:
            return PlainTextResponse("Google's keys cannot be had now.\n", 503)
        try:
            pushed = json.loads(await request.body())
        except (ValueError, RecursionError):
            pushed = None
        mailbox = mailbox_of(pushed.get("message") if isinstance(pushed, dict) else None)
        found = await self._desk.find("google", mailbox) if mailbox else ()
        self._desk.put((known.channel_id, "news") for known in found)
        return Response(status_code=204)

    async def _proved(self, request: Request, provider: str, key: object, secret: object) -> list[Known]:
        """The subscriptions that a notice is of; none, and a line in the log, where its secret is not theirs."""
        if not isinstance(key, str) or not isinstance(secret, str) or not key or not secret:
            self._refusals.tell(request, "no secret")
            return []
        given = hash_of(secret).encode()
        found = await self._desk.find(provider, key)
        proved = [known for known in found if hmac.compare_digest(known.secret_hash.encode(), given)]
        if not proved:
            self._refusals.tell(request, "wrong secret" if found else "unknown subscription")
        return proved


def _greeting(given: list[str]) -> Response:
    """The very same text, plainly, so that it does nothing in a browser. What no provider sends is refused."""
    (token,) = given if len(given) == 1 else ("",)
    if not 0 < len(token) <= LONGEST_GREETING or not token.isprintable():
        return PlainTextResponse("This is no greeting.\n", 400)
    return PlainTextResponse(token)


def _listed(body: bytes) -> list[dict[str, Any]] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    listed = told.get("value") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        return None
    return [notice for notice in listed if isinstance(notice, dict)]
