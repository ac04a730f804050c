"""Enumeration, arrivals, changes and departures of one channel, a page at a time.

An enumeration lists the present in order of ids, so nothing that stays throughout is left out, whatever comes and goes
between two pages. What the pages told travels along in the cursor, and that alone; the first pull after the enumeration
compares it with the present, which tells all that came, changed or went meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from autocapture.connector import Channel, Cursor, Gone, Item, Page, Ref
from autocapture.errors import CursorExpired
from autocapture_files.cursor import Position, Versions, decode
from autocapture_files.snapshot import Snapshot, Source
from autocapture_files.sums import Sums


def pull(source: Source, channel: Channel, cursor: Cursor | None, limit: int) -> Page:
    """The page after `cursor`; an empty one with more to come, and the same cursor, while a large file is still being read.
    Raises CursorExpired, ChannelGone, Unreachable."""
    limit = max(limit, 1)
    position = None
    if cursor is not None:
        position = decode(cursor)
        if _is_unchanged(position, source, channel):
            return Page((), cursor)
    snapshot = source.snapshot(channel)
    if snapshot is None:
        return Page((), beginning() if cursor is None else cursor, more=True)
    if position is None:
        return _enumerate(Position.of({}, stamp=snapshot.stamp, after=""), snapshot, "", limit)
    if position.after is not None:
        return _enumerate(position, snapshot, position.after, limit)
    return _changes(position, snapshot, limit)


def _is_unchanged(position: Position, source: Source, channel: Channel) -> bool:
    if position.after is not None or position.stamp is None:
        return False
    return source.stamp(channel) == position.stamp


def beginning() -> Cursor:
    """A cursor after which an enumeration lists everything."""
    return Position.of({}, stamp=None, after="").encode()


def _enumerate(position: Position, present: Snapshot, after: str, limit: int) -> Page:
    """The stamp stays that of the first listing: as long as it holds, nothing came or went since."""
    waiting = sorted(item_id for item_id in present.versions if item_id > after)
    listed = present.first_page(waiting, limit)
    more = len(listed) < len(waiting)
    told = {item_id: present.versions[item_id] for item_id in listed}
    following = replace(position.plus(told), after=listed[-1] if more else None)
    items = [Ref(item_id, version) for item_id, version in told.items()]
    return Page(items, following.encode(), more=more, complete=not more)


def _changes(position: Position, snapshot: Snapshot, limit: int) -> Page:
    known = position.listing()
    if isinstance(known, Sums):
        return _additions(position, known, snapshot, limit)
    return _differences(known, snapshot, limit)


def _differences(known: Versions, snapshot: Snapshot, limit: int) -> Page:
    """What differs from the known listing, at most `limit` items; the rest follows on the next page."""
    present = snapshot.versions
    changed = sorted(
        item_id
        for item_id in known.keys() | present.keys()
        if item_id not in known or item_id not in present or known[item_id] != present[item_id]
    )
    told = snapshot.first_page(changed, limit)
    more = len(told) < len(changed)
    items: list[Item] = [Ref(each, present[each]) if each in present else Gone(each) for each in told]
    now_known = {**known, **{each: present[each] for each in told if each in present}}
    for each in told:
        if each not in present:
            del now_known[each]
    following = Position.of(now_known, stamp=None if more else snapshot.stamp)
    return Page(items, following.encode(), more=more)


def _additions(position: Position, sums: Sums, snapshot: Snapshot, limit: int) -> Page:
    """What was added to a listing too large to remember. Raises CursorExpired for any other change."""
    added = sums.added(snapshot.versions)
    if added is None:
        raise CursorExpired("the channel changed, and too much was listed to tell where")
    told = snapshot.first_page(added, limit)
    more = len(told) < len(added)
    versions = {each: snapshot.versions[each] for each in told}
    following = replace(position.plus(versions), stamp=None if more else snapshot.stamp)
    return Page([Ref(*each) for each in versions.items()], following.encode(), more=more)
