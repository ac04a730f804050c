"""What a calendar file holds, found a bounded part at a time: an honest diary may be dense, and no pull of it may take long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autocapture.connector import Broken
from autocapture.formats.content_lines import Span, effort_of
from autocapture.formats.icalendar import Calendar, Parsed, Unreadable
from autocapture.formats.recurrence import most_attendances, original_key
from autocapture_files.snapshot import PAGE_WEIGHT, Weight, fingerprint, twin

PART = PAGE_WEIGHT.effort
"""The effort (`formats.content_lines.effort_of`) of what one pull reads of a file, beside its largest series."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the events of one item lie in the file. `content` is their fingerprint."""

    version: str
    spans: tuple[Span, ...]
    content: str
    weight: Weight


@dataclass(slots=True)
class Index:
    """What a file of this `stamp` holds, without what its events say: a large calendar costs little memory."""

    stamp: str
    calendar: Calendar
    items: dict[str, Place | Broken] = field(default_factory=dict)


class Indexing:
    """An index that is being made. The file's content is held until it is finished, so that it is that of one moment."""

    def __init__(self, stamp: str, raw: bytes, time_zone: str) -> None:
        """Raises RecordUnusable when the file is too large to read at all."""
        self.index = Index(stamp, Calendar(raw, default_time_zone=time_zone))
        self._raw = raw
        self._series = self.index.calendar.series(raw)
        self._seen: dict[str, int] = {}

    def go_on(self, effort: int | None) -> bool:
        """Reads more of the file, at least one series and until `effort` is spent (None: all of it). Whether it is finished."""
        spent = 0
        for spans, values in self._series:
            blocks = [self._raw[span.begins : span.ends] for span in spans]
            cost = sum(map(effort_of, blocks))
            self._add(spans, values, content_of(blocks), cost)
            spent += cost
            if effort is not None and spent >= effort:
                return False
        self._raw = b""
        return True

    def _add(self, spans: tuple[Span, ...], values: Sequence[Parsed], content: str, cost: int) -> None:
        for each in values:
            item_id = twin(_id(_name(each)), self._seen)
            if isinstance(each, Unreadable):
                self.index.items[item_id] = Broken(item_id, each.why, each.digest)
            else:
                version = fingerprint(repr(each).encode())
                weight = Weight(rows=most_attendances(each), effort=cost)
                self.index.items[item_id] = Place(version, spans, content, weight)


def content_of(blocks: Sequence[bytes]) -> str:
    return fingerprint(b"\n".join(blocks))


def _name(event: Parsed) -> str:
    """What the item is called by. An unreadable event adds to its UID what tells it from its siblings."""
    if isinstance(event, Unreadable):
        return event.uid if event.whole else f"{event.uid}!{event.digest}"
    if event.recurrence_id is not None:
        return f"{event.uid}#{original_key(event.recurrence_id).isoformat()}"
    return event.uid


def _id(name: str) -> str:
    return fingerprint(name.encode("utf-8", "surrogatepass"))
