"""One calendar: single events, and series whose instances are derived, replaced or taken out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from autocapture.testing.fakes.microsoft.changes import ChangeLog
from autocapture.testing.fakes.microsoft.http import Json


@dataclass(slots=True)
class Event:
    """`told` is all that Graph tells of a single event or of a series' master. A series has `starts`, its instances' original
    starts, and `exceptions`, what replaces some of them by their original starts."""

    id: str
    told: Json
    changes: int = 1
    starts: list[datetime] = field(default_factory=list)
    exceptions: dict[datetime, Json] = field(default_factory=dict)

    @property
    def is_series(self) -> bool:
        return self.told.get("type") == "seriesMaster"

    @property
    def begins(self) -> datetime:
        return begins(self.told)

    def instances(self) -> Iterator[Json]:
        """Every instance whole, as Graph tells it where instances are asked for."""
        length = begins(self.told, "end") - begins(self.told)
        for start in self.starts:
            told = {
                **self.told,
                "id": f"{self.id}/{start:%Y%m%d%H%M}",
                "type": "occurrence",
                "seriesMasterId": self.id,
                "start": _moment(start),
                "end": _moment(start + length),
                "originalStart": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            }
            if start in self.exceptions:
                told = {**told, "type": "exception", **self.exceptions[start]}
            yield told


@dataclass(slots=True)
class FakeCalendar:
    id: str
    name: str
    log: ChangeLog
    is_default: bool = False
    can_edit: bool = True
    owner: str = ""
    events: dict[str, Event] = field(default_factory=dict)
    deleted: dict[str, Event] = field(default_factory=dict)
    """What lies among what was deleted, and can be read there."""
    _made: int = 0

    def add(self, told: Json) -> str:
        return self._add(told, [])

    def add_series(self, told: Json, starts: Sequence[datetime]) -> str:
        return self._add({**told, "type": "seriesMaster"}, list(starts))

    def _add(self, told: Json, starts: list[datetime]) -> str:
        self._made += 1
        made = Event(f"AAkALgE/{self.id[12:14]}{self._made:05d}+A=", told, starts=starts)
        self.events[made.id] = made
        self._note(made.id)
        return made.id

    def edit(self, id_: str, **told: Any) -> None:
        self.events[id_].told = {**self.events[id_].told, **told}
        self._note(id_)

    def replace(self, id_: str, original: datetime, **told: Any) -> None:
        """Makes an exception of one instance of a series."""
        known = self.events[id_].exceptions.get(original, {})
        self.events[id_].exceptions[original] = {**known, **told}
        self._note(id_)

    def take_out(self, id_: str, start: datetime) -> None:
        """Takes one instance out of a series: nothing but a change of the series is ever told of it."""
        self.events[id_].starts.remove(start)
        self._note(id_)

    def remove(self, id_: str, *, readable: bool = False) -> None:
        """Deletes it. `readable`: by its id it can be read on, from where it lies then."""
        removed = self.events.pop(id_)
        if readable:
            self.deleted[id_] = removed
        self._note(id_)

    def _note(self, id_: str) -> None:
        if id_ in self.events:
            self.events[id_].changes += 1
        self.log.note(self.id, id_)

    def seen(self, id_: str, first: datetime, last: datetime) -> list[Json]:
        """What a view of [first, last) tells of an event: itself, or of a series the master, its instances, bare, and its
        exceptions, whole. Empty where it has nothing in the view."""
        event = self.events.get(id_)
        if event is None:
            return []
        if not event.is_series:
            return [_whole(event, event.told)] if _overlaps(event.told, first, last) else []
        instances = [each for each in event.instances() if _overlaps(each, first, last)]
        if not instances:
            return []
        return [_whole(event, event.told), *(_as_seen(event, each) for each in instances)]


def begins(told: Json, name: str = "start") -> datetime:
    return datetime.fromisoformat(told[name]["dateTime"]).replace(tzinfo=UTC)


def _overlaps(told: Json, first: datetime, last: datetime) -> bool:
    return begins(told) < last and begins(told, "end") > first - timedelta(microseconds=1)


def _whole(event: Event, told: Json) -> Json:
    return {**told, "id": told.get("id", event.id), "changeKey": f"key{event.changes}"}


def _as_seen(event: Event, instance: Json) -> Json:
    if instance["type"] == "exception":
        return _whole(event, instance)
    return {name: instance[name] for name in ("id", "type", "seriesMasterId", "start", "end")}


def _moment(instant: datetime) -> Json:
    return {"dateTime": f"{instant:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}
