"""An .ics file, or a folder of them: one channel per file, one item per event or series.

An id is a hash of the event's UID (of a lone exception with its original start): some programs make UIDs of titles, and of
an event that is not captured nothing may be kept. ``printf %s 'UID' | b2sum -l 80`` tells an event's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from autocapture.connector import Broken, Channel, Gone, Record, Tools
from autocapture.errors import ChannelGone, RecordUnusable, SetupError, Unreachable
from autocapture.formats.content_lines import CALENDAR_LIMIT
from autocapture.formats.icalendar import Block, Unreadable
from autocapture_files.calendar_files import NO_CALENDAR, is_calendar
from autocapture_files.calendar_index import PART, Index, Indexing, Place, content_of
from autocapture_files.files import regular_files, storable, stored_name
from autocapture_files.snapshot import Snapshot, UnusableWhole, settled, stamp_of

_PREFIX = "ics:"
_READINGS = 3


class Calendars:
    """One .ics file, or every one directly in a folder."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._path = path
        self._clock = tools.clock
        self._time_zone = tools.time_zone
        self._indexed: dict[str, Index] = {}
        self._indexing: dict[str, Indexing] = {}
        self._begun: Counter[str] = Counter()  # readings of a channel that none was finished of yet

    def channels(self) -> Sequence[Channel]:
        if self._path.is_file():
            return [_channel(self._path.name)]
        if not self._path.is_dir():
            raise SetupError(f"{self._path} is neither an iCalendar file nor a folder")
        try:
            names = sorted(entry.name for entry in regular_files(self._path, self._path.resolve()))
        except OSError as error:
            raise SetupError(f"{self._path} cannot be listed: {error.strerror}") from None
        found = [_channel(name) for name in names if name.lower().endswith(".ics")]
        if not found and self._path.suffix.lower() == ".ics":
            raise SetupError(f"{self._path} is not an iCalendar file: it is a folder")
        return found

    def stamp(self, channel: Channel) -> str | None:
        try:
            return stamp_of(self._file(channel))
        except OSError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None

    def snapshot(self, channel: Channel) -> Snapshot | None:
        stamp = self.stamp(channel)
        trusted = settled(self._clock, self._file(channel))
        index = self._index(channel, stamp or "", effort=PART)
        if index is None:
            return None
        versions = {item_id: item.version for item_id, item in index.items.items()}
        weights = {item_id: item.weight for item_id, item in index.items.items() if isinstance(item, Place)}
        return Snapshot(versions, stamp if trusted else None, weights)

    def read(self, channel: Channel, item_id: str) -> Record | Gone | Broken:
        for _ in range(_READINGS):
            index = self._index(channel, self.stamp(channel) or "", effort=None)
            place = None if index is None else index.items.get(item_id)
            if index is None or place is None:
                return Gone(item_id)
            if isinstance(place, Broken):
                return place
            blocks = self._blocks(channel, place)
            if blocks is not None:
                event = index.calendar.parsed(blocks)[0]
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

    def _index(self, channel: Channel, stamp: str, *, effort: int | None) -> Index | None:
        """What the file holds, read once while it stays as it is. None while there is more of it than `effort` (None: without
        bound) could read. Raises UnusableWhole, and Unreachable of one that never stays long enough.
        """
        known = self._indexed.get(channel.id)
        if known is not None and known.stamp == stamp:
            return known
        indexing = self._indexing.get(channel.id)
        if indexing is None or indexing.index.stamp != stamp:
            indexing = self._indexing[channel.id] = self._begin(channel, stamp)
        if not indexing.go_on(effort):
            return None
        self._forget_indexing(channel)
        self._indexed[channel.id] = indexing.index
        return indexing.index

    def _forget_indexing(self, channel: Channel) -> None:
        self._indexing.pop(channel.id, None)
        self._begun.pop(channel.id, None)

    def _begin(self, channel: Channel, stamp: str) -> Indexing:
        if self._begun[channel.id] == _READINGS:
            self._forget_indexing(channel)
            raise Unreachable(f"the calendar {channel.name} changes while it is read")
        self._begun[channel.id] += 1
        path = self._file(channel)
        try:
            if path.stat().st_size > CALENDAR_LIMIT:
                raise RecordUnusable(f"it is larger than {CALENDAR_LIMIT >> 20} MiB")
            content = path.read_bytes()
            if not is_calendar(content):
                raise RecordUnusable(f"it {NO_CALENDAR}")
            return Indexing(stamp, content, self._time_zone)
        except FileNotFoundError:
            raise ChannelGone(f"the calendar {channel.name} is no longer there") from None
        except OSError as error:
            raise Unreachable(f"the calendar {channel.name} cannot be read: {error.strerror}") from None
        except RecordUnusable as error:
            self._forget_indexing(channel)
            raise UnusableWhole(f"the calendar {channel.name} cannot be read: {error}", stamp) from None

    def _blocks(self, channel: Channel, place: Place) -> list[Block] | None:
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
        return found if content_of([block.raw for block in found]) == place.content else None


def _channel(file_name: str) -> Channel:
    return Channel(f"{_PREFIX}{storable(file_name)}", "event", storable(Path(file_name).stem))
