"""Enumeration, arrivals, changes and departures of one channel, a page at a time.

An enumeration pages through the listing taken at its beginning, which travels in the cursor: files that come and go
between two pages change nothing of it, and the first pull after it compares that listing with the present.
"""

from __future__ import annotations

from dataclasses import replace

from autocapture.connector import Channel, Cursor, Gone, Item, Page, Ref
from autocapture.errors import CursorExpired
from autocapture_files.cursor import Position, Versions, decode, digest_of
from autocapture_files.snapshot import Snapshot, Source


def pull(source: Source, channel: Channel, cursor: Cursor | None, limit: int) -> Page:
    """The page after `cursor`. Raises CursorExpired, ChannelGone, Unreachable."""
    limit = max(limit, 1)
    if cursor is None:
        snapshot = source.snapshot(channel)
        position = Position(snapshot.stamp, "", snapshot.versions, digest_of(snapshot.versions))
        return _enumerate(position, snapshot.versions, limit)
    position = decode(cursor)
    if position.after is not None:
        listing = position.known
        return _enumerate(position, source.snapshot(channel).versions if listing is None else listing, limit)
    if position.stamp is not None and source.stamp(channel) == position.stamp:
        return Page((), cursor)
    return _changes(position, source.snapshot(channel), limit)


def _enumerate(position: Position, listing: Versions, limit: int) -> Page:
    """In order of ids. A listing too large for the cursor is the present one: nothing that stayed is left out of it, and
    the digest of the first one shows afterwards whether anything moved."""
    waiting = sorted(item_id for item_id in listing if item_id > (position.after or ""))
    listed, more = waiting[:limit], len(waiting) > limit
    items = [Ref(item_id, listing[item_id]) for item_id in listed]
    after = replace(position, after=listed[-1] if more else None)
    return Page(items, after.encode(), more=more, complete=not more)


def _changes(position: Position, snapshot: Snapshot, limit: int) -> Page:
    """What differs from the known listing, at most `limit` items; the rest follows on the next page."""
    if position.known is None:
        if digest_of(snapshot.versions) != position.digest:
            raise CursorExpired("the channel changed, and too much was listed to tell where")
        return Page((), replace(position, stamp=snapshot.stamp).encode())
    known, present = position.known, snapshot.versions
    changed = sorted(
        item_id
        for item_id in known.keys() | present.keys()
        if item_id not in known or item_id not in present or known[item_id] != present[item_id]
    )
    told, more = changed[:limit], len(changed) > limit
    items: list[Item] = [Ref(each, present[each]) if each in present else Gone(each) for each in told]
    after = {**known, **{each: present[each] for each in told if each in present}}
    for each in told:
        if each not in present:
            del after[each]
    stamp = None if more else snapshot.stamp
    return Page(items, Position(stamp, None, after, digest_of(after)).encode(), more=more)
