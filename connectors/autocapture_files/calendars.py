"""An .ics file, or a folder of them: one channel per file, one item per event or series.

An id is a hash of the event's UID (of a lone exception with its original start): some programs make UIDs of titles, and of
an event that is not captured nothing may be kept. ``printf %s 'UID' | b2sum -l 80`` tells an event's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, RecordUnusable, SetupError, Unreachable
from autocapture.formats.content_lines import CALENDAR_LIMIT
from autocapture.formats.icalendar import Unreadable, parse_calendar
from autocapture.formats.recurrence import original_key
from autocapture.records import EventRecord
from autocapture_files.files import regular_files
from autocapture_files.snapshot import Snapshot, fingerprint, settled, stamp_of, twin

_PREFIX = "ics:"


class Calendars:
    """One .ics file, or every one directly in a folder."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path = path
        self._clock = tools.clock
        self._time_zone = tools.time_zone
        self._parsed: dict[str, tuple[str, dict[str, Record | Broken]]] = {}

    def channels(self) -> Sequence[Channel]:
        if self._path.is_file():
            return [Channel(f"{_PREFIX}{self._path.name}", "event", self._path.stem)]
        if not self._path.is_dir():
            raise SetupError(f"{self._path} is neither an iCalendar file nor a folder")
        try:
            names = sorted(entry.name for entry in regular_files(self._path, self._path.resolve()))
        except OSError as error:
            raise SetupError(f"{self._path} cannot be listed: {error.strerror}") from None
        return [
            Channel(f"{_PREFIX}{name}", "event", Path(name).stem)
            for name in names
            if name.lower().endswith(".ics")
        ]

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(self._file(channel))
        except OSError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot:
        stamp = self.stamp(channel)
        trusted = settled(self._clock, self._file(channel))
        items = self._items(channel, stamp or "")
        return Snapshot(
            {item_id: item.version for item_id, item in items.items()}, stamp if trusted else None
        )

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        return self._items(channel, self.stamp(channel) or "").get(item_id) or Gone(item_id)

    def text(self, channel: Channel, item_id: str) -> str | None:
        return None

    def _file(self, channel: Channel) -> Path:
        name = channel.id.removeprefix(_PREFIX)
        path = self._path / name if self._path.is_dir() else self._path
        if path.name != name or not path.resolve().is_relative_to(self._path.resolve()):
            raise ChannelGone(f"the calendar {channel.name} is no longer there")
        return path

    def _items(self, channel: Channel, stamp: str) -> dict[str, Record | Broken]:
        """What the file holds, parsed once while it stays as it is."""
        known = self._parsed.get(channel.id)
        if known is not None and known[0] == stamp:
            return known[1]
        path = self._file(channel)
        try:
            if path.stat().st_size > CALENDAR_LIMIT:
                raise Unreachable(f"the calendar {channel.name} is larger than {CALENDAR_LIMIT >> 20} MiB")
            parsed = parse_calendar(path.read_bytes(), default_time_zone=self._time_zone)
        except FileNotFoundError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None
        except (OSError, RecordUnusable) as error:
            raise Unreachable(f"the calendar {channel.name} cannot be read: {error}") from None
        items: dict[str, Record | Broken] = {}
        seen: dict[str, int] = {}
        for each in parsed:
            item = _item(each, seen)
            items[item.id] = item
        self._parsed[channel.id] = (stamp, items)
        return items


def _item(event: EventRecord | Unreadable, seen: dict[str, int]) -> Record | Broken:
    """An unreadable event adds to its UID what tells it from its siblings."""
    if isinstance(event, Unreadable):
        return Broken(twin(_id(f"{event.uid}!{event.digest}"), seen), event.why, event.digest)
    name = event.uid
    if event.recurrence_id is not None:
        name += f"#{original_key(event.recurrence_id).isoformat()}"
    return Record(twin(_id(name), seen), event, fingerprint(repr(event).encode()))


def _id(name: str) -> str:
    return fingerprint(name.encode("utf-8", "surrogatepass"))
