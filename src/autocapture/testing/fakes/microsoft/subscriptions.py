"""Subscriptions: the handshake before one is promised, notices, and notices about the subscription itself."""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autocapture.clock import Clock
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Json, Request, Response
from autocapture.testing.fakes.microsoft.mail_answers import DENIED, NOT_FOUND
from autocapture.testing.fakes.microsoft.session import Login

_CALLS = "communications/callRecords"
_GREETING = "Validation: Testing client application reachability for subscription Request-Id: 1 <ok>"


@dataclass(slots=True)
class Subscriptions:
    """`longest` is what Outlook's resources are promised for at most; a longer wish is refused. `reach` tells where an address
    is really served, as a proxy does."""

    clock: Clock
    longest: timedelta = timedelta(minutes=10_080)
    held: dict[str, Json] = field(default_factory=dict)
    reach: Callable[[str], str] = field(default=str)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, login: Login, request: Request, id_: str | None) -> Response:
        if request.verb == "POST" and id_ is None:
            return self._create(login, request.body)
        if request.verb == "GET" and id_ is None:
            return Response(200, {"value": [self._told(each) for each in self.held.values()]})
        if id_ is None or id_ not in self.held:
            return NOT_FOUND
        match request.verb:
            case "DELETE":
                del self.held[id_]
                return Response(204)
            case "PATCH":
                return self._renew(self.held[id_], request.body)
            case _:
                return Response(200, self._told(self.held[id_]))

    def _create(self, login: Login, wanted: Json) -> Response:
        resource = str(wanted.get("resource", ""))
        if not _may_watch(login, resource):
            return DENIED
        if resource.startswith(_CALLS) and not _is_of_calls(resource, str(wanted.get("changeType", ""))):
            return refusal(400, "InvalidRequest", "The changeType or the resource is not supported.")
        if len(str(wanted.get("clientState", ""))) > 128:
            return refusal(400, "InvalidRequest", "The clientState is too long.")
        if (refused := self._until(wanted)) is not None:
            return refused
        for name in ("notificationUrl", "lifecycleNotificationUrl"):
            if wanted.get(name) and not _greets(self.reach(str(wanted[name]))):
                return refusal(400, "InvalidRequest", "Subscription validation request failed.")
        id_ = f"7f105c7d-2dc5-4530-97cd-{next(self._numbers):012d}"
        self.held[id_] = {**wanted, "id": id_}
        return Response(201, self._told(self.held[id_]))

    def _renew(self, held: Json, wanted: Json) -> Response:
        if (refused := self._until(wanted)) is not None:
            return refused
        held["expirationDateTime"] = wanted["expirationDateTime"]
        return Response(200, self._told(held))

    def _until(self, wanted: Json) -> Response | None:
        try:
            until = datetime.fromisoformat(str(wanted["expirationDateTime"]))
        except (KeyError, ValueError):
            return refusal(400, "InvalidRequest", "The expirationDateTime is missing.")
        if not self.clock.now() < until <= self.clock.now() + self.longest:
            return refusal(400, "InvalidRequest", "Subscription expiration can only be so far in the future.")
        return None

    def _told(self, held: Json) -> Json:
        """What was promised lies a minute before what was wished for: it must be read back."""
        until = datetime.fromisoformat(held["expirationDateTime"]) - timedelta(minutes=1)
        told = {name: value for name, value in held.items() if name != "clientState"}
        return {
            **told,
            "expirationDateTime": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "applicationId": "24d3b144-21ae-4080",
        }

    def notify(self, id_: str, *, secret: str | None = None) -> int:
        """Sends a notice of a change; the status of what answered."""
        held = self.held[id_]
        notice = {
            **self._header(held, secret),
            "changeType": "updated",
            "resource": held["resource"],
            "resourceData": {"@odata.type": "#Microsoft.Graph.Message", "id": "AAkALg="},
        }
        return _send(self.reach(str(held["notificationUrl"])), {"value": [notice]})

    def tell_lifecycle(self, id_: str, event: str) -> int:
        """`reauthorizationRequired`, `subscriptionRemoved` or `missed`."""
        held = self.held[id_]
        if event == "subscriptionRemoved":
            del self.held[id_]
        notice = {**self._header(held, None), "lifecycleEvent": event}
        return _send(self.reach(str(held["lifecycleNotificationUrl"])), {"value": [notice]})

    def _header(self, held: Json, secret: str | None) -> Json:
        return {
            "subscriptionId": held["id"],
            "subscriptionExpirationDateTime": held["expirationDateTime"],
            "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
            "clientState": held.get("clientState") if secret is None else secret,
        }


def _is_of_calls(resource: str, changes: str) -> bool:
    """Records are made and changed, never deleted; and here their people are called otherwise than in a listing
    (https://learn.microsoft.com/graph/changenotifications-for-callrecords)."""
    filtered = resource.removeprefix(_CALLS)
    known = not filtered or filtered.startswith("?$filter=participants/any(p:p/id eq '")
    return known and set(changes.split(",")) <= {"created", "updated"}


def _may_watch(login: Login, resource: str) -> bool:
    if resource.startswith(_CALLS):
        return login.is_application and "CallRecords.Read.All" in login.scopes
    return login.reads("mail") if "/messages" in resource else login.reads_whole("calendars")


def _greets(url: str) -> bool:
    """Whether an address answers the greeting with the very same text, plainly."""
    query = urllib.parse.urlencode({"validationToken": _GREETING})
    ask = urllib.request.Request(f"{url}{'&' if '?' in url else '?'}{query}", data=b"", method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(ask, timeout=5) as answer:  # noqa: S310
            plain = answer.headers.get_content_type() == "text/plain"
            return bool(plain and answer.status == 200 and answer.read().decode() == _GREETING)
    except (OSError, ValueError):
        return False


def _send(url: str, body: Json) -> int:
    data = json.dumps(body).encode()
    ask = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(ask, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
