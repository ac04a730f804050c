"""The contract of a connector, over one login at a CalDAV server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autocapture.connector import Broken, Channel, Count, Cursor, Gone, Page, Record, Tools
from autocapture.errors import ChannelGone
from autocapture_caldav.calendars import Calendar
from autocapture_caldav.dating import years
from autocapture_caldav.discovery import Home, Listing, find_home, list_calendars
from autocapture_caldav.listing import list_present
from autocapture_caldav.pulling import Pulling
from autocapture_caldav.reading import Reader
from autocapture_caldav.session import Dav

_FRESH_FOR = 60.0  # seconds that the marks of a listing stand for the calendar


class CaldavConnection:
    """One login's calendars. A channel's id is the path of its collection, an item's id what follows that path, both in one form
    of escaping. `tools.since` bounds nothing here: a calendar tells what was changed, not what lies when.
    """

    def __init__(self, dav: Dav, start: str, tools: Tools) -> None:
        self._dav = dav
        self._start = start
        self._tools = tools
        self._reader = Reader(dav, tools.time_zone)
        self._home: Home | None = None
        self._listed: dict[str, Calendar] = {}
        self._fresh: set[str] = set()
        self._listed_at = 0.0
        self._unreliable: set[str] = set()

    def channels(self) -> Sequence[Channel]:
        """The calendars to capture. The same answer tells their marks, so an unchanged calendar's next `pull` costs nothing."""
        return [Channel(each.path, "event", each.name) for each in self._list().captured]

    def left_out(self) -> Mapping[str, str]:
        return self._list().left_out

    def pull(self, channel: Channel, cursor: Cursor | None, *, limit: int) -> Page:
        calendar = self._calendar(channel)
        pulling = Pulling(
            self._dav,
            self._tools.clock,
            calendar,
            self._is_fresh(calendar),
            self._unreliable,
            self._reader.read,
        )
        return pulling.pull(cursor, limit)

    def get(self, channel: Channel, ids: Sequence[str]) -> Sequence[Record | Gone | Broken]:
        return list(self._reader.read(self._calendar(channel), ids).values())

    def count(self, channel: Channel) -> Count:
        """By the year in which an event, or a series, begins. What the server does not tell from a task is counted too."""
        calendar = self._calendar(channel)
        present = list_present(self._dav, calendar)
        if not present.whole:
            return Count(channel, None)
        there = [each.id for each in present.entries.values() if not each.gone]
        return Count(channel, len(there), years(self._dav, calendar, there))

    def _list(self) -> Listing:
        if self._home is None:
            self._home = find_home(self._dav, self._start)
        listing = list_calendars(self._dav, self._home)
        self._listed = {each.path: each for each in listing.captured}
        self._fresh = set(self._listed)
        self._listed_at = self._tools.clock.monotonic()
        return listing

    def _calendar(self, channel: Channel) -> Calendar:
        if channel.id not in self._listed:
            self._list()
        try:
            return self._listed[channel.id]
        except KeyError:
            raise ChannelGone("the calendar is no longer among those of this login") from None

    def _is_fresh(self, calendar: Calendar) -> bool:
        """Marks stand for the calendar once: a second look asks anew."""
        fresh = calendar.path in self._fresh and self._tools.clock.monotonic() - self._listed_at < _FRESH_FOR
        self._fresh.discard(calendar.path)
        return fresh
