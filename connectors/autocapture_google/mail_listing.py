"""Where a listing of a mailbox ends, without a search.

`gmail.metadata` allows no search, so nothing can be asked by date. A listing names ids alone, newest first; the date of a few of
them tells where those begin that came in before the bound. They are looked for by halves, and some behind the place found are
looked at too: were the order ever another one, the listing goes on to its end instead of losing what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

LOOKED_AT_BEHIND = 4

DateOf = Callable[[str], datetime | None]
"""When a message came in; None for one that is no longer there."""


def within(ids: Sequence[str], since: datetime | None, date_of: DateOf) -> Sequence[str]:
    """The leading `ids`, newest first, that came in since then: all of them where the last one did, or where the order does
    not hold."""
    if since is None or not ids or not _is_older(ids, len(ids) - 1, since, date_of):
        return ids
    newest, oldest = 0, len(ids) - 1  # the first older one is not before the one, nor behind the other
    while newest < oldest:
        middle = (newest + oldest) // 2
        if _is_older(ids, middle, since, date_of):
            oldest = middle
        else:
            newest = middle + 1
    behind = range(newest, len(ids), max(1, (len(ids) - newest) // LOOKED_AT_BEHIND))
    if all(_is_older(ids, index, since, date_of) for index in behind):
        return ids[:newest]
    return ids


def _is_older(ids: Sequence[str], index: int, since: datetime, date_of: DateOf) -> bool:
    """For one that is gone, the one before it speaks."""
    while index >= 0:
        received = date_of(ids[index])
        if received is not None:
            return received < since
        index -= 1
    return False
