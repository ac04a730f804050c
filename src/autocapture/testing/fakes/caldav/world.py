"""The server as a world of the conformance suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from autocapture.connector import Connector, PasswordCredential
from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Collection, Store, event_text
from autocapture.testing.source_world import SourceWorld


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an item is and how it reads. `copy` counts its moves: each gives it another address."""

    channel: int
    copy: int = 0
    version: int = 0
    readable: bool = True

    def name(self, number: int) -> str:
        return f"{number}@c {self.copy}.ics"

    def content(self, number: int) -> str:
        return f"item {number} v{self.version}"


class CaldavWorld(SourceWorld):
    """Two calendars, and a task and an invitation that no connector may take for events."""

    can = frozenset({"edit", "remove", "move", "expire", "poison"})
    channel_count = 2
    idle_requests = 2

    def __init__(self, connector: Connector[Any], manners: Manners | None = None) -> None:
        self.connector = connector
        self.store = Store()
        self.server = CaldavServer(self.store, manners)
        self.server.start()
        self.options = {"url": self.server.url}
        self.credential = PasswordCredential(USER, PASSWORD)
        self.items: dict[int, Placed] = {}
        self.calendars: list[Collection] = [
            self.store.make(f"cal{index}") for index in range(self.channel_count)
        ]
        self.store.make("inbox", kinds="<D:collection/><C:schedule-inbox/>")
        task = event_text(99).replace("VEVENT", "VTODO")
        self.store.put(self.calendars[0], "task.ics", task)

    def add(self, number: int, channel: int) -> None:
        self._put(number, Placed(channel))

    def edit(self, number: int) -> None:
        placed = self.items[number]
        self._put(number, replace(placed, version=placed.version + 1))

    def remove(self, number: int) -> None:
        placed = self.items.pop(number)
        self.store.delete(self.calendars[placed.channel], placed.name(number))

    def move(self, number: int, channel: int) -> None:
        placed = self.items[number]
        self.remove(number)
        self._put(number, replace(placed, channel=channel, copy=placed.copy + 1))

    def expire(self) -> None:
        self.store.expire()

    def poison(self, number: int) -> None:
        self._put(number, replace(self.items[number], readable=False))

    def heal(self, number: int) -> None:
        self._put(number, replace(self.items[number], readable=True))

    def _put(self, number: int, placed: Placed) -> None:
        self.items[number] = placed
        text = event_text(number, placed.version, readable=placed.readable)
        self.store.put(self.calendars[placed.channel], placed.name(number), text)

    def truth(self) -> list[Counter[str]]:
        return [
            Counter(
                placed.content(number)
                for number, placed in self.items.items()
                if placed.channel == channel and placed.readable
            )
            for channel in range(self.channel_count)
        ]

    def unreadable(self) -> list[int]:
        return [
            sum(placed.channel == channel and not placed.readable for placed in self.items.values())
            for channel in range(self.channel_count)
        ]

    def on_step(self, act: Callable[[], None], nth: int) -> None:
        self.store.on_step(act, nth)

    def requests(self) -> int:
        return self.store.requests

    def fingerprint(self) -> object:
        """A connector that writes is seen by its requests."""
        return tuple(self.server.wrote)

    def close(self) -> None:
        self.server.stop()
