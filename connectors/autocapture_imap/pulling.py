"""Enumeration, arrivals and departures of one folder, a page at a time.

Every page begins with the numbers of an EXAMINE that preceded its listing; nothing reported later is stored. Within a
folder's UIDVALIDITY UIDs only grow, so arrivals have a UID above `top`, and the count of messages tells of departures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from autocapture.connector import Gone, Page, Ref
from autocapture.errors import CursorExpired
from autocapture_imap.cursor import Position
from autocapture_imap.listing import Numbers
from autocapture_imap.session import Session
from autocapture_imap.uids import difference, format_ranges, item_id, members, pieces, ranges_of, union

Scope = tuple[str | date, ...]
"""Search criteria of what is captured; the same for the first listing, arrivals and census."""

_LISTED_LIMIT = 200_000  # UIDs one SEARCH answer may hold: far below the limit of a line
_WINDOWS = 50  # searches in one page: a sparse folder yields an early, short page instead of a long wait
_WIDEN = 4


def is_unchanged(position: Position, numbers: Numbers) -> bool:
    """Whether a finished listing still says all there is to say."""
    return (
        position.scan is None
        and numbers.uid_next is not None
        and (position.uid_validity, position.top, position.count)
        == (numbers.uid_validity, numbers.top, numbers.messages)
    )


def first_position(uid_validity: int, numbers: Numbers) -> Position:
    return Position(uid_validity, top=numbers.top, count=numbers.messages, scan=numbers.top, seen=())


def check_same_folder(position: Position, numbers: Numbers) -> None:
    """Raises CursorExpired where the UIDs of `position` mean nothing any more."""
    if numbers.uid_validity is None:
        raise CursorExpired("the folder names no UIDVALIDITY any more")
    if numbers.uid_validity != position.uid_validity:
        raise CursorExpired("the folder's UIDVALIDITY changed")
    if numbers.top < position.top:
        raise CursorExpired("the folder's UIDNEXT went down")


def next_page(session: Session, position: Position, numbers: Numbers, *, limit: int, scope: Scope) -> Page:
    """The page that follows `position` in the folder that is open, whose EXAMINE told `numbers`."""
    if position.scan is not None:
        return _enumerate(session, position, position.scan, limit, scope)
    if numbers.top > position.top:
        return _arrivals(session, position, numbers, limit, scope)
    if numbers.messages != position.count:
        return _departures(session, position, numbers, limit)
    return Page((), position.encode())


def _enumerate(session: Session, position: Position, scan: int, limit: int, scope: Scope) -> Page:
    """Newest first, in windows of UIDs about as wide as `limit` messages are apart."""
    width = _first_width(position.count, position.top, limit)
    found: list[int] = []
    for _ in range(_WINDOWS):
        if scan == 0 or len(found) >= limit:
            break
        lowest = max(1, scan - width + 1)
        uids = [uid for uid in session.search("UID", f"{lowest}:{scan}", *scope) if lowest <= uid <= scan]
        uids.sort(reverse=True)
        room = limit - len(found)
        scan = lowest - 1 if len(uids) <= room else uids[room - 1] - 1
        found += uids[:room]
        if len(uids) * _WIDEN < room:
            width = min(width * _WIDEN, _widest(position.count, position.top))
    after = replace(position, scan=scan or None, seen=_with(position, found))
    return Page(_refs(position, found), after.encode(), more=scan > 0, complete=scan == 0)


def _arrivals(session: Session, position: Position, numbers: Numbers, limit: int, scope: Scope) -> Page:
    """UIDs above `top`, oldest first, so that `top` may rise page by page."""
    lowest = position.top + 1
    highest = min(numbers.top, lowest + max(limit, _widest(numbers.messages, numbers.top)) - 1)
    arrived = sorted(uid for uid in session.search("UID", f"{lowest}:{highest}") if lowest <= uid <= highest)
    if len(arrived) > limit:
        arrived = arrived[:limit]
        highest = arrived[-1]
    wanted = arrived
    if scope and arrived:
        in_scope = set(session.search("UID", f"{lowest}:{highest}", *scope))
        wanted = [uid for uid in arrived if uid in in_scope]
    after = replace(position, top=highest, count=position.count + len(arrived), seen=_with(position, wanted))
    return Page(_refs(position, wanted), after.encode(), more=not is_unchanged(after, numbers))


def _departures(session: Session, position: Position, numbers: Numbers, limit: int) -> Page:
    """Which of the listed UIDs are no longer there. `count` stays as it was until all of them are named."""
    if position.seen is None:
        raise CursorExpired("messages left the folder, and too many UIDs were listed to tell which")
    gone: list[int] = []
    for part in pieces(position.seen, _LISTED_LIMIT):
        present = ranges_of(session.search("UID", format_ranges(part)))
        gone += members(difference(part, present))
        if len(gone) > limit:
            break
    more = len(gone) > limit
    named = gone[:limit]
    after = replace(
        position,
        count=position.count if more else numbers.messages,
        seen=difference(position.seen, ranges_of(named)),
    )
    return Page([Gone(item_id(position.uid_validity, uid)) for uid in named], after.encode(), more=more)


def _with(position: Position, uids: Sequence[int]) -> tuple[tuple[int, int], ...] | None:
    return None if position.seen is None else union(position.seen, ranges_of(uids))


def _refs(position: Position, uids: Sequence[int]) -> list[Ref]:
    return [Ref(item_id(position.uid_validity, uid)) for uid in uids]


def _first_width(messages: int, top: int, limit: int) -> int:
    return min(max(limit, limit * top // max(messages, 1)), _widest(messages, top))


def _widest(messages: int, top: int) -> int:
    """No answer can hold more UIDs than the folder has messages, so a small folder may be asked about at once."""
    return max(top, 1) if messages <= _LISTED_LIMIT else _LISTED_LIMIT
