"""An .ics file, or a folder of them: one channel per file, one item per event or series.

An id is a hash of the event's UID (of a lone exception with its original start): some programs make UIDs of titles, and of
an event that is not captured nothing may be kept. ``printf %s 'UID' | b2sum -l 80`` tells an event's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, RecordUnusable, SetupError, Unreachable
from autocapture.formats.content_lines import CALENDAR_LIMIT, Span
from autocapture.formats.icalendar import Block, Calendar, Parsed, Unreadable
from autocapture.formats.recurrence import most_attendances, original_key
from autocapture_files.files import regular_files, storable, stored_name
from autocapture_files.snapshot import Snapshot, UnusableWhole, fingerprint, settled, stamp_of, twin

_PREFIX = "ics:"
_READINGS = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the events of one item lie in the file, and which of what they say it is. `content` is their fingerprint."""

    version: str
    spans: tuple[Span, ...]
    number: int
    content: str
    weight: int


@dataclass(frozen=True, slots=True)
class _Index:
    """What a file of this `stamp` holds, without what its events say: a large calendar costs little memory."""

    stamp: str
    calendar: Calendar
    items: dict[str, _Place | Broken]


class Calendars:
    """One .ics file, or every one directly in a folder."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path = path
        self._clock = tools.clock
        self._time_zone = tools.time_zone
        self._indexed: dict[str, _Index] = {}

    def channels(self) -> Sequence[Channel]:
        if self._path.is_file():
            return [_channel(self._path.name)]
        if not self._path.is_dir():
            raise SetupError(f"{self._path} is neither an iCalendar file nor a folder")
        try:
            names = sorted(entry.name for entry in regular_files(self._path, self._path.resolve()))
        except OSError as error:
            raise SetupError(f"{self._path} cannot be listed: {error.strerror}") from None
        return [_channel(name) for name in names if name.lower().endswith(".ics")]

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(self._file(channel))
        except OSError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot:
        stamp = self.stamp(channel)
        trusted = settled(self._clock, self._file(channel))
        items = self._index(channel, stamp or "").items
        versions = {item_id: item.version for item_id, item in items.items()}
        weights = {item_id: item.weight for item_id, item in items.items() if isinstance(item, _Place)}
        return Snapshot(versions, stamp if trusted else None, weights)

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        for _ in range(_READINGS):
            index = self._index(channel, self.stamp(channel) or "")
            place = index.items.get(item_id)
            if place is None:
                return Gone(item_id)
            if isinstance(place, Broken):
                return place
            blocks = self._blocks(channel, place)
            if blocks is not None:
                event = index.calendar.parsed(blocks)[place.number]
                if not isinstance(event, Unreadable):
                    return Record(item_id, event, place.version)
            del self._indexed[channel.id]  # somebody wrote since it was indexed
        raise Unreachable(f"the calendar {channel.name} changes while it is read")

    def text(self, channel: Channel, item_id: str) -> str | None:
        return None

    def _file(self, channel: Channel) -> Path:
        name = stored_name(channel.id.removeprefix(_PREFIX))
        path = self._path / name if self._path.is_dir() else self._path
        if path.name != name or not path.resolve().is_relative_to(self._path.resolve()):
            raise ChannelGone(f"the calendar {channel.name} is no longer there")
        return path

    def _index(self, channel: Channel, stamp: str) -> _Index:
        """What the file holds, parsed once while it stays as it is. Raises UnusableWhole."""
        known = self._indexed.get(channel.id)
        if known is not None and known.stamp == stamp:
            return known
        path = self._file(channel)
        try:
            if path.stat().st_size > CALENDAR_LIMIT:
                raise RecordUnusable(f"it is larger than {CALENDAR_LIMIT >> 20} MiB")
            raw = path.read_bytes()
            calendar = Calendar(raw, default_time_zone=self._time_zone)
        except FileNotFoundError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"the calendar {channel.name} cannot be read: {error.strerror}") from None
        except RecordUnusable as error:
            raise UnusableWhole(f"the calendar {channel.name} cannot be read: {error}", stamp) from None
        items: dict[str, _Place | Broken] = {}
        seen: dict[str, int] = {}
        for spans, values in calendar.series(raw):
            content = _content([raw[span.begins : span.ends] for span in spans])
            for number, each in enumerate(values):
                item_id = twin(_id(_name(each)), seen)
                if isinstance(each, Unreadable):
                    items[item_id] = Broken(item_id, each.why, each.digest)
                else:
                    version = fingerprint(repr(each).encode())
                    items[item_id] = _Place(version, spans, number, content, most_attendances(each))
        index = self._indexed[channel.id] = _Index(stamp, calendar, items)
        return index

    def _blocks(self, channel: Channel, place: _Place) -> list[Block] | None:
        """The events of one item as the file holds them now; None when they are no longer what they were."""
        found = []
        try:
            with self._file(channel).open("rb") as file:
                for span in place.spans:
                    file.seek(span.begins)
                    found.append(Block(file.read(span.ends - span.begins), span.cancelled))
        except FileNotFoundError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"the calendar {channel.name} cannot be read: {error.strerror}") from None
        return found if _content([block.raw for block in found]) == place.content else None


def _channel(file_name: str) -> Channel:
    return Channel(f"{_PREFIX}{storable(file_name)}", "event", storable(Path(file_name).stem))


def _content(blocks: Sequence[bytes]) -> str:
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
