"""A call log that can only be asked for what was modified since a time: ties, rows that change later, no removals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autocapture.connector import Broken, Channel, Gone, Item, Page, Record
from autocapture.errors import CursorExpired
from autocapture.records import CallRecord
from autocapture.testing.fakes.source import MemoryConnector, Source, call, callee
from autocapture.testing.source_world import SourceWorld

FROM_THE_START: dict[str, Any] = {"v": 1, "since": 0, "start": None, "after": None, "all": True}

TICK = 3
"""Changes that share one time stamp: a bulk import writes many rows in one second."""


@dataclass(slots=True)
class Row:
    version: int
    modified: int


class WindowSource(Source):
    """`compose` writes what a row says, by its number and version."""

    def __init__(self, compose: Callable[[int, int], CallRecord] = call) -> None:
        super().__init__()
        self.compose = compose
        self.rows: dict[int, Row] = {}
        self.unreadable: set[int] = set()
        self.changes = 0

    def now(self) -> int:
        return self.changes // TICK

    def write(self, number: int) -> None:
        version = self.rows[number].version + 1 if number in self.rows else 1
        self.rows[number] = Row(version, self.now())
        self.changes += 1


class WindowConnection:
    """The cursor is (since, start, position): every run reads the closed range from `since`, keyset by (modified, id), and the
    next run begins at the smaller of what was seen and the time at which this run started."""

    def __init__(self, source: WindowSource) -> None:
        self.source = source

    def channels(self) -> Sequence[Channel]:
        self.source.request()
        return [Channel("calls", "call", "calls")]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        self.source.request()
        state = dict(FROM_THE_START) if cursor is None else _decode(cursor)
        start = state["start"] if state["start"] is not None else self.source.now()
        self.source.step()
        rows = sorted(
            (row.modified, number)
            for number, row in self.source.rows.items()
            if row.modified >= state["since"]
        )
        if state["after"] is not None:
            rows = [row for row in rows if row > tuple(state["after"])]
        page = rows[:limit]
        items = [self._item(number) for _, number in page]
        self.source.step()
        if len(rows) > limit:
            cursor = json.dumps({**state, "start": start, "after": page[-1]})
            return Page(items, cursor, more=True)
        done = {"v": 1, "since": start, "start": None, "after": None, "all": False}
        return Page(items, json.dumps(done), more=False, complete=state["all"])

    def _item(self, number: int) -> Item:
        row = self.source.rows.get(number)
        if row is None:
            return Gone(str(number))
        if number in self.source.unreadable:
            return Broken(str(number), "unreadable on purpose", str(row.version))
        return Record(str(number), self.source.compose(number, row.version), str(row.version))

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        self.source.request()
        return [self._item(int(source_id)) for source_id in ids]  # type: ignore[misc]


def _decode(cursor: str) -> dict[str, Any]:
    try:
        state = json.loads(cursor)
        if state["v"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("a cursor of another form") from None
    return state  # type: ignore[no-any-return]


class WindowWorld(SourceWorld):
    can = frozenset({"edit", "poison"})
    channel_count = 1
    idle_requests = 2
    relists = True

    def __init__(
        self, directory: Path | None = None, connection: type[WindowConnection] = WindowConnection
    ) -> None:
        self.source = WindowSource()
        self.connector = MemoryConnector("window", frozenset({"call"}), lambda: connection(self.source))
        self.options = {}

    def add(self, number: int, channel: int) -> None:
        self.source.write(number)

    def edit(self, number: int) -> None:
        self.source.write(number)

    def poison(self, number: int) -> None:
        self.source.write(number)
        self.source.unreadable.add(number)

    def heal(self, number: int) -> None:
        self.source.unreadable.discard(number)

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(
                f"{callee(number)}:{60 + row.version}"
                for number, row in self.source.rows.items()
                if number not in self.source.unreadable
            )
        ]

    def unreadable(self) -> list[int]:
        return [sum(number in self.source.unreadable for number in self.source.rows)]

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.source.on_step(act, nth)

    def requests(self) -> int:
        return self.source.requests
