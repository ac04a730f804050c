"""Each request that the connectors make fails in each way, one after the other: it is told as what it is, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.connectors.microsoft.account import (
    CALENDARS,
    CALL_REP,
    TEXTS,
    calls_opened,
    items,
    new_mailbox,
    opened,
    rounds,
)

from autocapture.connector import Broken, Connection, Record, Ref
from autocapture.errors import RateLimited, TryLater, Unreachable
from autocapture.testing.fakes.microsoft import FakeGraph, event, message
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Response
from autocapture.testing.fakes.microsoft.worlds import call_record
from autocapture.testing.fakes.source import FIRST

FAULTS = {
    "429": (refusal(429, "TooManyRequests", Retry_After="3"), RateLimited),
    "503": (refusal(503, "ServiceUnavailable"), Unreachable),
    "reset": (Response(200, {}, manner="drop"), Unreachable),
    "truncated": (Response(200, {"value": [], "responses": []}, manner="cut"), Unreachable),
    "another type": (Response(200, {}, manner="html"), Unreachable),
}
CALLS = {
    "mailbox": (
        *(
            "/mailFolders.%24select",
            "/mailFolders/junkemail",
            "/childFolders",
            "/messages/delta",
            "/messages/AAk",
        ),
        *(
            "%24orderby=receivedDateTime.desc&%24top",
            r"/calendars\?",
            "/calendarView/delta",
            r"/events/[^/]+\?",
            "/instances",
        ),
        r"/\$batch",
    ),
    "calls": (r"/callRecords\?", "/callRecords/call", r"/\$batch"),
}
"""Every address at which the connectors ask, so that each is refused."""


def read_all(connection: Connection) -> dict[str, object]:
    """Everything that there is, by id; what is only listed is read."""
    found: dict[str, object] = {}
    for channel in connection.channels():
        for item in items(rounds(connection, channel, limit=40)):
            if isinstance(item, Ref):
                (item,) = connection.get(channel, [item.id])
            found[item.id] = item
        ids = list(found)
        if channel.kind == "email":
            connection.texts(channel, ids[:2])  # type: ignore[attr-defined]
            connection.newest(channel)  # type: ignore[attr-defined]
        connection.get(channel, ids[:2])
    return found


def fill(graph: FakeGraph) -> None:
    mailbox = new_mailbox(graph)
    mailbox.add_folder("Projecten", "inbox")
    for number in range(4):
        mailbox.add(message(number), "inbox", number)
    weeks = [FIRST + timedelta(weeks=week) for week in range(3)]
    mailbox.calendar.add_series(event(1, "weekly", starts=weeks[0]), weeks)
    mailbox.calendar.add(event(2, "single"))
    for number in range(2):
        began = graph.clock.now() - timedelta(hours=3 + number)
        graph.calls[f"call-{number}"] = call_record(number, CALL_REP, began, timedelta(seconds=90))


@pytest.mark.parametrize("of", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_request_says_so_and_the_next_try_finds_everything(fault: str, of: str) -> None:
    response, kind = FAULTS[fault]
    with FakeGraph() as graph:
        fill(graph)
        scopes = TEXTS | CALENDARS
        connected = (lambda: opened(graph, scopes)) if of == "mailbox" else (lambda: calls_opened(graph))
        with connected() as connection:
            whole = read_all(connection)
            assert len(whole) == (6 if of == "mailbox" else 2)
            assert all(isinstance(item, Record) for item in whole.values())
        for where in CALLS[of]:
            graph.fail(response, where=where)
            with connected() as connection:
                raised, found = fault_of(lambda connection=connection: read_all(connection))
            assert graph.forget_failures() == 0, f"nothing asks for {where}"
            assert isinstance(raised, kind | None)
            if raised is None:  # one of several in a batch: the others are read, and it is read again
                assert found.keys() == whole.keys()
                odd = [item for item in found.values() if not isinstance(item, Record)]
                assert all(isinstance(item, Broken) for item in odd)
                assert len(odd) <= 1
        with connected() as connection:
            assert read_all(connection) == whole


def fault_of(work: Callable[[], dict[str, object]]) -> tuple[TryLater | None, dict[str, object]]:
    try:
        return None, work()
    except TryLater as raised:
        return raised, {}
