"""iCalendar (RFC 5545, 5546) to `EventRecord`: masters with their exceptions, as calendars really write
them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from autocapture.errors import RecordUnusable
from autocapture.formats.content_lines import EFFORT_LIMIT, Component, Span, cut, parse_component
from autocapture.formats.recurrence import refuse_crowd
from autocapture.formats.time_zones import ZONE_WANTED, Zones
from autocapture.formats.vevent import WANTED, digest_of, moment_of, read_event, uid_of, unnamed
from autocapture.records import EventRecord

_UID_ONLY = frozenset({"UID"})
_SIMPLE_UID = re.compile(rb"\A(?i:BEGIN:VEVENT)\r?\nUID:([!-~]{1,200})\r?\n(?![ \t])")
_FIRST_UID = re.compile(rb"\n((?i:UID|BEGIN))[:;]")
_LINE_END = re.compile(rb"\n(?![ \t])")
_EXCEPTIONS_LIMIT = 5_000  # each instance of a daily series of thirteen years
_EVENT_EFFORT, _DATE_EFFORT = 300, 40  # beside their bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One VEVENT that exists but cannot be read. `digest` tells several of one UID apart; `why` holds no
    content. `whole`: it is everything of its UID, which it stands for.
    """

    uid: str
    why: str
    digest: str
    whole: bool = False


Parsed = EventRecord | Unreadable


@dataclass(frozen=True, slots=True)
class Block:
    """One VEVENT as written, from its BEGIN line on."""

    raw: bytes
    cancelled: bool = False


def parse_calendar(raw: bytes, *, default_time_zone: str) -> list[Parsed]:
    """The events of an iCalendar stream, one value per UID, in order of first appearance, and then what cannot be
    read.

    A master carries its exceptions in `overrides`; exceptions without their master stand alone, one value
    each. Of several copies of one instance the highest SEQUENCE counts, then the latest DTSTAMP.
    `default_time_zone` (IANA) gives floating times their zone; a zone that nothing explains is read as UTC
    with `time_zone` None. Raises RecordUnusable when the stream is too large to read at all.
    """
    calendar = Calendar(raw, default_time_zone=default_time_zone)
    parsed = [each for _, values in calendar.series(raw) for each in values]
    return sorted(parsed, key=lambda each: isinstance(each, Unreadable))


class Calendar:
    """Where the events of one stream lie, and what it takes to read one of them again without the others.

    The stream itself is not kept, nor is what was read of it: a large calendar costs little memory.
    """

    def __init__(self, raw: bytes, *, default_time_zone: str) -> None:
        """Raises RecordUnusable when the stream is too large to read at all."""
        self._events, zones = cut(raw)
        self._zones = Zones(_read_zones(raw, zones), default_time_zone)

    def series(self, raw: bytes) -> Iterator[tuple[tuple[Span, ...], list[Parsed]]]:
        """What each UID of the stream says, in order of first appearance, and where the events that say it lie. Exceptions
        without their master come one by one, so that each can be read again without the others.
        """
        by_uid: dict[str, list[Span]] = {}
        for span in self._events:
            by_uid.setdefault(_uid_in(raw[span.begins : span.ends]), []).append(span)
        for spans in by_uid.values():
            found = self._read([Block(raw[span.begins : span.ends], span.cancelled) for span in spans])
            while found and len(found[0][1]) < len(spans):
                parsed, numbers = found.pop(0)
                yield tuple(spans[number] for number in numbers), [parsed]
            if found:
                yield tuple(spans), [parsed for parsed, _ in found]

    def parsed(self, blocks: Sequence[Block]) -> list[Parsed]:
        """What events of one UID say: readable values first."""
        return [parsed for parsed, _ in self._read(blocks)]

    def _read(self, blocks: Sequence[Block]) -> list[tuple[Parsed, Sequence[int]]]:
        """What events of one UID say, and the numbers of those it takes to read it again: readable values first."""
        series = _Series()
        everything = range(len(blocks))
        unreadable: list[tuple[Parsed, Sequence[int]]] = []
        try:
            for number, block in enumerate(blocks):
                component = parse_component(block.raw, WANTED)
                series.make_room(component)
                uid = uid_of(component)
                try:
                    event = read_event(component, uid, self._zones, cancelled=block.cancelled)
                except RecordUnusable as error:
                    unreadable.append((Unreadable(uid, str(error), digest_of(component)), everything))
                    continue
                series.add(event, moment_of(component.first("DTSTAMP"), self._zones), number)
            records = series.records(everything)
            for record, _ in records:
                refuse_crowd(record)
        except RecordUnusable as error:
            return [(_unreadable_whole(blocks, str(error)), everything)]
        return [*records, *unreadable]


def _read_zones(raw: bytes, spans: Sequence[Span]) -> list[Component]:
    """A time zone that cannot be read explains nothing."""
    found = []
    for span in spans:
        with suppress(RecordUnusable):
            found.append(parse_component(raw[span.begins : span.ends], ZONE_WANTED))
    return found


def _uid_in(block: bytes) -> str:
    """The UID of one event, found without reading more than it takes."""
    simple = _SIMPLE_UID.match(block)
    if simple is not None:
        return simple[1].decode()
    found = _FIRST_UID.search(block)
    try:
        if found is not None and found[1].upper() == b"UID":
            end = _LINE_END.search(block, found.end())
            line = block[found.start() : end.start() if end else len(block)]
            component = parse_component(b"BEGIN:VEVENT" + line, _UID_ONLY)
        else:
            component = parse_component(block, _UID_ONLY)
        return uid_of(component) if component.value("UID") else uid_of(parse_component(block, WANTED))
    except RecordUnusable:
        return unnamed(hashlib.sha256(block).hexdigest()[:16])


def _unreadable_whole(blocks: Sequence[Block], why: str) -> Unreadable:
    digest = hashlib.sha256(b"\n".join(block.raw for block in blocks)).hexdigest()[:16]
    return Unreadable(_uid_in(blocks[0].raw), why, digest, whole=True)


class _Series:
    """The VEVENTs of one UID, the best copy of each instance."""

    def __init__(self) -> None:
        self._best: dict[datetime | date | None, tuple[tuple[int, datetime], EventRecord, int]] = {}
        self._effort = 0

    def make_room(self, component: Component) -> None:
        """Raises RecordUnusable when with this one the series, superseded copies too, is larger than any may be."""
        dates = sum(
            prop.value.count(",")
            for name in ("RDATE", "EXDATE")
            for prop in component.properties.get(name, ())
        )
        self._effort += component.looked_at + _EVENT_EFFORT + _DATE_EFFORT * dates
        if len(self._best) > _EXCEPTIONS_LIMIT or self._effort > EFFORT_LIMIT:
            raise RecordUnusable(
                f"it has more than {_EXCEPTIONS_LIMIT:,} exceptions, or too many guests or dates in them"
            )

    def add(self, event: EventRecord, stamped_at: datetime | None, number: int) -> None:
        key = event.recurrence_id
        if isinstance(key, datetime):
            key = key.astimezone(UTC)
        rank = (event.sequence, stamped_at or datetime.min.replace(tzinfo=UTC))
        if key not in self._best or rank >= self._best[key][0]:
            self._best[key] = (rank, event, number)

    def records(self, everything: Sequence[int]) -> list[tuple[EventRecord, Sequence[int]]]:
        """The master with its exceptions, of `everything`, or else each exception, with its number."""
        exceptions = [(event, (number,)) for key, (_, event, number) in self._best.items() if key is not None]
        if None not in self._best:
            return list(exceptions)
        master = replace(self._best[None][1], overrides=tuple(event for event, _ in exceptions))
        return [(master, everything)]
