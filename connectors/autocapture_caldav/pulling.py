"""Enumeration and changes of one calendar, a page at a time.

A question to the server tells everything that changed at once, so what does not fit on a page waits in the cursor, and the next
page takes it from there: the token that goes with it is that of the same answer. What waits may be out of date when it is
told; it is a set of dirty ids, and what changed since comes again after the token, or after the mark that was asked for before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from autocapture.clock import Clock
from autocapture.connector import Cursor, Gone, Item, Page, Ref
from autocapture.errors import CursorExpired
from autocapture_caldav.calendars import Calendar
from autocapture_caldav.cursor import Entry, Position, decode
from autocapture_caldav.listing import Changes, Refusal, ask_mark, list_present, report_changes
from autocapture_caldav.reading import Answer
from autocapture_caldav.session import Dav

MOST_ON_A_PAGE = 1_000
SHORTEST_LIFE = 3_600
"""Seconds. A server that forgets its tokens sooner would be enumerated at every look: it is listed instead."""


@dataclass(slots=True)
class Pulling:
    """One calendar within one connection. `fresh`: its marks were told just now. `unreliable` holds the paths of calendars
    whose REPORT was refused in this connection; what is then listed says so in its cursor, so it is not asked again.
    """

    dav: Dav
    clock: Clock
    calendar: Calendar
    fresh: bool
    unreliable: set[str]
    read: Callable[[Calendar, Sequence[str]], Mapping[str, Answer]]

    def pull(self, cursor: Cursor | None, limit: int) -> Page:
        """Raises CursorExpired, ChannelGone, Unreachable."""
        position = None if cursor is None else decode(cursor)
        if position is None:
            position = self._beginning()
        elif not (position.waiting or position.more):
            if self._is_unchanged(position):
                return Page((), cursor or "")
            position = self._changed(position) if position.token is not None else self._relisted(position)
        elif not position.waiting:
            position = self._changed(position)
        return self._told(position, max(1, min(limit, MOST_ON_A_PAGE)))

    def _is_unchanged(self, position: Position) -> bool:
        """The server's marks are compared as text."""
        if not self.fresh:
            return False
        if position.token is not None:
            return position.token == self.calendar.token
        return position.ctag is not None and position.ctag == self.calendar.ctag

    def _beginning(self) -> Position:
        if self.calendar.syncs and self.calendar.path not in self.unreliable:
            changes = report_changes(self.dav, self.calendar, "")
            if isinstance(changes, Changes):
                return self._after(changes, whole=True)
            self.unreliable.add(self.calendar.path)
        return self._relisted(Position())

    def _changed(self, position: Position) -> Position:
        changes = report_changes(self.dav, self.calendar, position.token or "")
        if isinstance(changes, Changes):
            return self._after(changes, whole=position.whole, before=position)
        raise self._expired(changes, position)

    def _expired(self, refusal: Refusal, position: Position) -> CursorExpired:
        age = self.clock.now().timestamp() - position.since
        if refusal == "refused" or age < SHORTEST_LIFE:
            self.unreliable.add(self.calendar.path)
        return CursorExpired("the CalDAV server no longer tells what changed since the last look")

    def _after(self, changes: Changes, *, whole: bool, before: Position | None = None) -> Position:
        """An enumeration that came in several answers ends with a listing: there are servers whose tokens lead past what they
        left out of the first one.
        """
        entries = dict(changes.entries)
        if whole and before is not None and not changes.truncated:
            present = list_present(self.dav, self.calendar)
            entries = {**present.entries, **entries}
            whole = present.whole
        known = before is not None and before.token == changes.token
        return Position(
            token=changes.token,
            since=before.since if known and before is not None else int(self.clock.now().timestamp()),
            waiting=_in_order(entries, drop_gone=whole and before is None),
            whole=whole,
            more=changes.truncated,
        )

    def _relisted(self, position: Position) -> Position:
        """The mark is asked for before anything is listed."""
        ctag = self.calendar.ctag if self.fresh else ask_mark(self.dav, self.calendar)
        if ctag is not None and ctag == position.ctag:
            return position
        present = list_present(self.dav, self.calendar)
        listed = Position(ctag=ctag, sum=present.sum())
        if listed.sum is not None and listed.sum == position.sum:
            return listed
        return replace(listed, waiting=_in_order(present.entries, drop_gone=True), whole=present.whole)

    def _told(self, position: Position, limit: int) -> Page:
        told, waiting = position.waiting[:limit], position.waiting[limit:]
        unsure = [each.id for each in told if each.version is None and not each.gone]
        answers = self.read(self.calendar, unsure) if unsure else {}
        items: list[Item] = [answers[each.id] if each.id in answers else _item(each) for each in told]
        more = bool(waiting) or position.more
        following = replace(position, waiting=waiting, whole=position.whole and more)
        return Page(items, following.encode(), more=more, complete=position.whole and not more)


def _item(entry: Entry) -> Item:
    return Gone(entry.id) if entry.gone else Ref(entry.id, entry.version)


def _in_order(entries: Mapping[str, Entry], *, drop_gone: bool) -> tuple[Entry, ...]:
    """By id, so that the same listing gives the same pages."""
    return tuple(entries[name] for name in sorted(entries) if not (drop_gone and entries[name].gone))
