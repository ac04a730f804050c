"""Subscriptions: Gmail publishes to a Cloud Pub/Sub topic, Google Calendar calls an HTTPS address."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.connector import Callback, Channel, Subscription, Tools
from autocapture.errors import Unreachable
from autocapture_google.api import Api, Json
from autocapture_google.budget import STOP_CHANNEL, STOP_MAILBOX, WATCH_EVENTS, WATCH_MAILBOX
from autocapture_google.refusals import Refused, fault

_NO_PUSH = "pushNotSupportedForRequestedResource"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=60)


class MailboxWatch:
    """One watch per mailbox and Cloud project: watching again prolongs it, whoever began it. It lasts seven days."""

    def __init__(self, api: Api, tools: Tools) -> None:
        self._api = api
        self._tools = tools
        self._users = api.resource("users")

    def watch(self, callback: Callback) -> Subscription | None:
        """None where `callback` names no topic."""
        if not callback.target.startswith("projects/"):
            return None
        body = {"topicName": callback.target}
        self._tools.meter.take(WATCH_MAILBOX)
        try:
            answer = self._api.ask(self._users.watch(userId="me", body=body))
        except Refused as refused:
            raise fault(refused, self._api.title) from None
        return Subscription("mailbox", _expiry(answer, self._tools.clock.now()))

    def unwatch(self) -> None:
        _ended(self._api, self._tools, STOP_MAILBOX, self._users.stop(userId="me"))


class CalendarWatch:
    """One channel per calendar and subscription. Google cannot prolong one, so renewing opens the next before the last ends."""

    def __init__(self, api: Api, tools: Tools, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._api = api
        self._tools = tools
        self._new_id = new_id

    def watch(self, channel: Channel, callback: Callback) -> Subscription | None:
        """None where `callback` is no HTTPS address, and for a calendar of which Google sends no notices."""
        if not callback.target.startswith("https://"):
            return None
        body = {
            "id": self._new_id(),
            "type": "web_hook",
            "address": callback.target,
            "token": callback.secret,
        }
        self._tools.meter.take(WATCH_EVENTS)
        try:
            answer = self._api.ask(self._api.resource("events").watch(calendarId=channel.id, body=body))
        except Refused as refused:
            if _NO_PUSH in refused.reasons:
                return None
            raise fault(refused, self._api.title) from None
        return Subscription(
            str(answer.get("id") or body["id"]),
            _expiry(answer, self._tools.clock.now()),
            state=str(answer.get("resourceId", "")),
        )

    def unwatch(self, subscription: Subscription) -> None:
        body = {"id": subscription.id, "resourceId": subscription.state}
        request = self._api.resource("channels").stop(body=body)
        _ended(self._api, self._tools, STOP_CHANNEL, request)


def _ended(api: Api, tools: Tools, method: str, request: Any) -> None:
    """What is no longer known needs no ending."""
    tools.meter.take(method)
    try:
        api.tell(request)
    except Refused as refused:
        if not refused.gone:
            raise fault(refused, api.title) from None


def _expiry(answer: Json, now: datetime) -> datetime:
    """`expiration`, in milliseconds, as text or number."""
    text = str(answer.get("expiration", ""))
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Unreachable("Google does not say how long it will send notices")
    return min(_EPOCH + timedelta(milliseconds=int(text)), now + _LONGEST)
