"""Microsoft's own description of Graph judges every request of ours and every answer of the fake."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, unquote

import pytest
import requests
from tests.connectors.microsoft.account import (
    CALL_REP,
    INBOX,
    SENT,
    calls_opened,
    items,
    opened,
    rounds,
)
from tests.connectors.microsoft.callbacks import callbacks
from tests.peers import openapi
from tests.peers.graph_description import graph_document
from tests.peers.openapi import Answered, Asked, Judge

from autocapture.connector import Callback, Tools
from autocapture.errors import AutocaptureError
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event, message
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Json, Request, Response
from autocapture.testing.fakes.microsoft.worlds import call_record, grant
from autocapture.testing.fakes.source import FIRST, REP
from autocapture_microsoft import connector
from autocapture_microsoft.options import MicrosoftOptions

pytestmark = pytest.mark.skipif(openapi.missing() is not None, reason=str(openapi.missing()))


class Judged:
    """What a fake is told to tell its exchanges."""

    def __init__(self) -> None:
        self._judge = Judge(graph_document(), closed=False)
        self.exchanges: list[str] = []
        self.violations: list[str] = []

    def __call__(self, request: Request, response: Response) -> None:
        if request.path[-1] == "$batch":
            self.exchanges.append(f"POST /$batch {response.status}")
            if response.status == 200:
                self._of_frame(request.body["requests"], json.loads(response.sent())["responses"])
            return
        body = json.dumps(request.body).encode() if request.body else b""
        self._of(request.verb, request.target.removeprefix("/v1.0"), body, response.status, response.sent())

    def _of(self, verb: str, target: str, body: bytes, status: int, answer: bytes) -> None:
        target = _without_slashes(target)
        self.exchanges.append(f"{verb} {target.partition('?')[0]} {status}")
        found = self._judge.violations(Asked(verb, target, body), Answered(status, answer))
        self.violations += [f"{verb} {target} {status}: {each}" for each in found]

    def _of_frame(self, asked: list[Json], answered: list[Json]) -> None:
        """The frame is not described, and its form is JSON batching's
        (https://learn.microsoft.com/graph/json-batching); what lies in it is judged as if it had come alone."""
        assert 0 < len(asked) <= 20
        assert sorted(each["id"] for each in answered) == sorted(each["id"] for each in asked)
        by_id = {each["id"]: each for each in answered}
        for each in asked:
            assert each.keys() == {"id", "method", "url", "headers"}
            found = by_id[each["id"]]
            assert {"id", "status", "body"} <= found.keys() <= {"id", "status", "headers", "body"}
            self._of(
                each["method"],
                f"/{each['url'].lstrip('/')}",
                b"",
                found["status"],
                json.dumps(found["body"]).encode(),
            )


def _without_slashes(target: str) -> str:
    """An id that holds a quoted slash is one part of the path, to Graph as to us; the judge unquotes before it cuts."""
    path, mark, query = target.partition("?")
    parts = (quote(unquote(part).replace("/", "_"), safe="") for part in path.split("/"))
    return "/".join(parts) + mark + query


@pytest.fixture(scope="module")
def judged() -> Judged:
    return Judged()


def fill(mailbox: FakeMailbox) -> None:
    mailbox.add_folder("Projecten", "inbox")
    for number in range(12):
        mailbox.add(message(number), "inbox" if number % 2 else "sentitems", number)
    weeks = [FIRST + timedelta(weeks=week) for week in range(4)]
    series = mailbox.calendar.add_series(event(1, "weekly", starts=weeks[0]), weeks)
    mailbox.calendar.replace(series, weeks[1], subject="other")
    mailbox.calendar.add(event(2, "single"))
    mailbox.add_calendar("Beurzen").add(event(3, "fair"))


def test_every_exchange_about_mail_and_calendars_is_as_described(
    graph: FakeGraph, mailbox: FakeMailbox, judged: Judged
) -> None:
    fill(mailbox)
    graph.judge = judged
    with opened(graph, {"Mail.Read", "Calendars.Read"}) as connection, callbacks() as target:
        for channel in connection.channels():
            pages = rounds(connection, channel, limit=3)
            mailbox.edit(1, isRead=True)
            mailbox.remove(max(mailbox.messages))
            rounds(connection, channel, pages[-1].cursor, limit=3)
            connection.get(channel, [item.id for item in items(pages)] + ["none"])
            connection.count(channel)  # type: ignore[attr-defined]
            callback = Callback(target, "secret", f"{target}/lifecycle")
            subscription = connection.watch(channel, callback)  # type: ignore[attr-defined]
            renewed = connection.renew(channel, subscription, callback)  # type: ignore[attr-defined]
            connection.unwatch(channel, renewed)  # type: ignore[attr-defined]
        connection.texts(INBOX, [each.id for each in mailbox.messages.values()])  # type: ignore[attr-defined]
        connection.newest(SENT)  # type: ignore[attr-defined]
    assert judged.violations == []
    spoken = " ".join(judged.exchanges)
    for part in ("/messages/delta", "/childFolders", "/instances", "/me/calendarView/delta", "/calendars/"):
        assert part in spoken
    assert {exchange.split()[0] for exchange in judged.exchanges} == {"GET", "POST", "PATCH", "DELETE"}
    assert "POST /$batch 200" in judged.exchanges
    assert {exchange.split()[-1] for exchange in judged.exchanges} >= {"200", "201", "204", "404"}


def test_every_exchange_by_the_applications_permission_is_as_described(
    graph: FakeGraph, mailbox: FakeMailbox, judged: Judged
) -> None:
    fill(mailbox)
    graph.judge = judged
    scopes = {"Mail.Read", "Calendars.Read"}
    granted = replace(grant("", scopes, graph.sign_in_application(scopes)), subject=f"application:{REP}")
    options = MicrosoftOptions(graph_url=graph.url, mailbox=REP, allowed_mailboxes=(REP,))
    tools = Tools(graph.clock, http=lambda: requests.Session())
    with connector.open(options, granted, tools) as connection:
        for channel in connection.channels():
            found = items(rounds(connection, channel, limit=3))
            connection.get(channel, [item.id for item in found])
    assert judged.violations == []
    assert any("/users/" in exchange and "/messages/delta" in exchange for exchange in judged.exchanges)


def test_refusals_are_as_described(graph: FakeGraph, mailbox: FakeMailbox, judged: Judged) -> None:
    graph.judge = judged
    with opened(graph, {"Mail.Read"}) as connection:
        (channel, *_) = connection.channels()
        for status, code in (
            (429, "ApplicationThrottled"),
            (403, "ErrorAccessDenied"),
            (503, "ServiceUnavailable"),
        ):
            graph.fail(refusal(status, code), where="delta")
            with pytest.raises(AutocaptureError):
                connection.pull(channel, None, limit=3)
    graph.withdraw(next(iter(graph._logins)))
    with opened(graph, {"Mail.Read"}) as connection:
        graph._logins.clear()
        with pytest.raises(AutocaptureError):
            connection.channels()
    assert judged.violations == []
    assert {exchange.split()[-1] for exchange in judged.exchanges} >= {"401", "403", "429", "503"}


def test_every_exchange_about_calls_is_as_described(graph: FakeGraph, judged: Judged) -> None:
    began = graph.clock.now() - timedelta(hours=2)
    for number in range(3):
        graph.calls[f"call-{number}"] = call_record(number, CALL_REP, began, timedelta(seconds=90))
    graph.judge = judged
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        found = items(rounds(connection, channel, limit=2))
        connection.get(channel, [item.id for item in found])
    assert judged.violations == []


def test_the_judge_sees_what_is_wrong(judged: Judged) -> None:
    """An event's start that is no date and time, a listing that is no list, a subscription of numbers, an unknown path."""
    wrong = [
        (Asked("GET", "/me/events/1"), {"id": "1", "start": 7}),
        (Asked("GET", "/me/mailFolders"), {"value": {}}),
        (Asked("POST", "/subscriptions", b'{"changeType": 5}'), {}),
        (Asked("GET", "/me/postboxes"), {}),
        (Asked("GET", "/me/messages/1?$select=nonsense"), {"id": "1"}),
        (Asked("GET", f"/users/{REP}/mailFolders"), {"value": {}}),
    ]
    for asked, answer in wrong:
        assert judged._judge.violations(asked, Answered(200, json.dumps(answer).encode())), asked
    subscribed = Asked("POST", "/subscriptions", b"{}")
    assert judged._judge.violations(subscribed, Answered(201, b'{"expirationDateTime": 7}'))
    assert judged._judge.violations(Asked("GET", "/me/mailFolders"), Answered(404, b'{"error": "no"}'))
    with pytest.raises(AssertionError):
        judged._of_frame(
            [{"id": "1", "method": "GET", "url": "/me/mailFolders"}], [{"id": "2", "status": 200}]
        )
