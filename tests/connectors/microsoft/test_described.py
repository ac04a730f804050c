"""Microsoft's own description of Graph judges every request of ours and every answer of the fake."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import quote, unquote

import pytest
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

from autocapture.connector import Callback
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event, message
from autocapture.testing.fakes.microsoft.http import Request, Response
from autocapture.testing.fakes.microsoft.worlds import call_record
from autocapture.testing.fakes.source import FIRST

pytestmark = pytest.mark.skipif(openapi.missing() is not None, reason=str(openapi.missing()))


class Judged:
    """What a fake is told to tell its exchanges."""

    def __init__(self) -> None:
        self._judge = Judge(graph_document(), closed=False)
        self.exchanges: list[str] = []
        self.violations: list[str] = []

    def __call__(self, request: Request, response: Response) -> None:
        if request.path[-1] == "$batch":
            return  # what lies within is judged one by one; the frame is not described
        target = _without_slashes(request.target.removeprefix("/v1.0"))
        self.exchanges.append(f"{request.verb} {target.partition('?')[0]}")
        body = json.dumps(request.body).encode() if request.body else b""
        asked = Asked(request.verb, target, body)
        found = self._judge.violations(asked, Answered(response.status, response.sent()))
        self.violations += [f"{request.verb} {target}: {each}" for each in found]


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
    ]
    for asked, answer in wrong:
        assert judged._judge.violations(asked, Answered(200, json.dumps(answer).encode())), asked
