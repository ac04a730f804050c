"""A calendar with a change feed and cursors that can expire, as Google's sync tokens and Graph's delta links are: every
change has a number, a listing takes the number first, and the feed tells which items are dirty since. Tasks lie among the
events, which the connector leaves out: whole pages may be empty though more follow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autocapture.connector import Broken, Channel, Gone, Item, Page, Record
from autocapture.errors import ChannelGone, CursorExpired
from autocapture.records import EventRecord
from autocapture.testing.fakes.source import MemoryConnector, Source, meeting
from autocapture.testing.source_world import SourceWorld

TASKS = range(-4, 0)
"""Numbers of what every calendar holds beside its events."""


@dataclass(slots=True)
class Calendar:
    """Events by number with their versions, and the feed: (sequence, number) of every change, tasks included."""

    versions: dict[int, int] = field(default_factory=dict)
    feed: list[tuple[int, int]] = field(default_factory=list)


class FeedSource(Source):
    """`compose` writes what an event says, by its number and version."""

    def __init__(self, calendars: int, compose: Callable[[int, int], EventRecord] = meeting) -> None:
        super().__init__()
        self.compose = compose
        self.calendars = {f"calendar{index}": Calendar() for index in range(calendars)}
        self.unreadable: set[int] = set()
        self.sequence = 8
        self.epoch = 0
        """Raised when every cursor given out so far is refused; also those in the middle of a listing."""

    def note(self, calendar: Calendar, number: int) -> None:
        """Every third change of an event is followed by some of tasks."""
        for changed in (number, *(TASKS if self.sequence % 3 == 0 else ())):
            self.sequence += 1 + self.sequence // 4  # soon one more digit, and again: numbers are not text
            calendar.feed.append((self.sequence, changed))


class FeedConnection:
    """The cursor is (epoch, phase, position, mark): phase *list* with the last id listed, phase *feed* with the last change."""

    def __init__(self, source: FeedSource) -> None:
        self.source = source

    def channels(self) -> Sequence[Channel]:
        self.source.request()
        return [Channel(name, "event", name) for name in self.source.calendars]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        calendar = self._calendar(channel)
        if cursor is None:
            state = self._start()
        else:
            state = _decode(cursor)
        if state["epoch"] != self.source.epoch:
            raise CursorExpired("410 Gone")
        if state["phase"] == "list":
            return self._list(calendar, state, limit)
        return self._feed(calendar, state, limit)

    def _calendar(self, channel: Channel) -> Calendar:
        self.source.request()
        try:
            return self.source.calendars[channel.id]
        except KeyError:
            raise ChannelGone(channel.name) from None

    def _start(self) -> dict[str, Any]:
        """The watermark is read before anything is listed."""
        state = {
            "v": 1,
            "epoch": self.source.epoch,
            "phase": "list",
            "after": TASKS[0] - 1,
            "mark": self.source.sequence,
        }
        self.source.step()
        return state

    def _list(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        numbers = sorted(number for number in (*TASKS, *calendar.versions) if number > state["after"])
        page = numbers[:limit]
        items = [self._item(calendar, number) for number in page if number not in TASKS]
        self.source.step()
        if len(numbers) > limit:
            return Page(items, json.dumps({**state, "after": page[-1]}), more=True)
        done = {"v": 1, "epoch": state["epoch"], "phase": "feed", "after": state["mark"]}
        return Page(items, json.dumps(done), more=False, complete=True)

    def _feed(self, calendar: Calendar, state: dict[str, Any], limit: int) -> Page:
        changes = [(seq, number) for seq, number in calendar.feed if seq > state["after"]]
        page = changes[:limit]
        self.source.step()
        if not page:
            return Page([], json.dumps(state))
        dirty = dict.fromkeys(number for _, number in page if number not in TASKS)
        items = [self._item(calendar, number) for number in dirty]
        return Page(items, json.dumps({**state, "after": page[-1][0]}), more=len(changes) > limit)

    def _item(self, calendar: Calendar, number: int) -> Item:
        """What the id is now, not what happened to it: a feed is a set of dirty ids."""
        version = calendar.versions.get(number)
        if version is None:
            return Gone(str(number))
        if number in self.source.unreadable:
            return Broken(str(number), "unreadable on purpose", str(version))
        return Record(str(number), self.source.compose(number, version), str(version))

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        calendar = self._calendar(channel)
        return [self._item(calendar, int(source_id)) for source_id in ids]  # type: ignore[misc]


def _decode(cursor: str) -> dict[str, Any]:
    try:
        state = json.loads(cursor)
        if state["v"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise CursorExpired("a cursor of another form") from None
    return state  # type: ignore[no-any-return]


class FeedWorld(SourceWorld):
    can = frozenset({"edit", "remove", "expire", "poison"})
    channel_count = 2
    idle_requests = 2

    def __init__(
        self, directory: Path | None = None, connection: type[FeedConnection] = FeedConnection
    ) -> None:
        self.source = FeedSource(self.channel_count)
        self.connector = MemoryConnector("feed", frozenset({"event"}), lambda: connection(self.source))
        self.options = {}

    def _calendar(self, number: int) -> Calendar:
        return next(c for c in self.source.calendars.values() if number in c.versions)

    def add(self, number: int, channel: int) -> None:
        calendar = self.source.calendars[f"calendar{channel}"]
        calendar.versions[number] = 1
        self.source.note(calendar, number)

    def edit(self, number: int) -> None:
        calendar = self._calendar(number)
        calendar.versions[number] += 1
        self.source.note(calendar, number)

    def remove(self, number: int) -> None:
        calendar = self._calendar(number)
        del calendar.versions[number]
        self.source.note(calendar, number)

    def expire(self) -> None:
        """Old changes are forgotten with the cursors, as a provider's history is."""
        self.source.epoch += 1
        for calendar in self.source.calendars.values():
            calendar.feed.clear()

    def poison(self, number: int) -> None:
        self.edit(number)
        self.source.unreadable.add(number)

    def heal(self, number: int) -> None:
        self.source.unreadable.discard(number)

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(
                f"item {number} v{version}"
                for number, version in calendar.versions.items()
                if number not in self.source.unreadable
            )
            for calendar in self.source.calendars.values()
        ]

    def unreadable(self) -> list[int]:
        return [
            sum(number in self.source.unreadable for number in calendar.versions)
            for calendar in self.source.calendars.values()
        ]

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.source.on_step(act, nth)

    def requests(self) -> int:
        return self.source.requests
