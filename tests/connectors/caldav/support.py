"""What the tests of the CalDAV connector share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import requests

from autocapture.clock import FixedClock
from autocapture.connect.http import open_session
from autocapture.connector import Broken, Channel, Connection, Gone, Item, Page, Record, Tools
from autocapture.records import EventRecord

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


class Opener(Protocol):
    def __call__(
        self, at: str = "", *, password: str = ..., user: str = ..., with_: Tools | None = None
    ) -> Connection: ...


def tools(
    clock: FixedClock | None = None,
    *,
    zone: str = "Europe/Stockholm",
    session: Callable[[], requests.Session] | None = None,
    total: timedelta = timedelta(seconds=20),
) -> Tools:
    return Tools(
        clock=clock or FixedClock(NOW),
        time_zone=zone,
        http=session or (lambda: open_session(lambda _ip: True, total=total)),
    )


def channel(connection: Connection, name: str = "work") -> Channel:
    return next(each for each in connection.channels() if each.name == name)


def pulled(connection: Connection, of: Channel, cursor: str | None = None, *, limit: int = 100) -> Page:
    """All pages from `cursor` on as one."""
    items: list[Item] = []
    while True:
        page = connection.pull(of, cursor, limit=limit)
        items.extend(page.items)
        cursor = page.cursor
        if not page.more:
            return Page(items, cursor, complete=page.complete)


def ids(items: Sequence[Item]) -> list[str]:
    """Those that are there."""
    return sorted(item.id for item in items if not isinstance(item, Gone))


def gone(items: Sequence[Item]) -> list[str]:
    return sorted(item.id for item in items if isinstance(item, Gone))


def one(answers: Sequence[Record | Gone | Broken]) -> Record | Gone | Broken:
    (answer,) = answers
    return answer


def event(answers: Sequence[Record | Gone | Broken]) -> EventRecord:
    answer = one(answers)
    assert isinstance(answer, Record), answer
    assert isinstance(answer.data, EventRecord)
    return answer.data


def token_in(cursor: str) -> Any:
    return json.loads(cursor)["token"]


def calendar_text(*events: str, more: str = "") -> str:
    """An iCalendar stream of VEVENTs, each given as its lines."""
    inside = "".join(f"BEGIN:VEVENT\r\n{each}\r\nEND:VEVENT\r\n" for each in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//\r\n{more}{inside}END:VCALENDAR\r\n"
