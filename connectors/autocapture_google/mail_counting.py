"""How much a mailbox holds, and about when it came in, without a search.

`gmail.metadata` allows no `q`; where `gmail.readonly` does, Gmail still tells no number by date but `resultSizeEstimate`, which
is no count. So the ids are listed, newest first, 500 a request, and the dates of a few of them are asked for: at least one of
each page. 100,000 messages are about 5,000 units of Gmail's quota, less than a minute's. Where the budget, or `MOST_PAGES`, ends
first, what was listed until then is dated, and the rest is older.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from autocapture.connector import Channel, Count
from autocapture.errors import RateLimited
from autocapture_google.budget import GET_LABEL, GET_MESSAGE, LIST_MESSAGES, Budget

MOST_PAGES = 200
DATED = 50
"""Of a mailbox of few pages as many messages are dated, so that a month of it can be told from a year."""

FOLDERS = {"INBOX": "Inbox", "SENT": "Sent"}

Listed = tuple[list[str], str]
"""The ids of a page, and the token of the next one."""


def count(
    channel: Channel,
    total: int | None,
    budget: Budget,
    *,
    page_of: Callable[[str], Listed],
    dates_of: Callable[[Sequence[str]], Sequence[datetime | None]],
    held_by: Callable[[str], int | None],
) -> Count:
    """What there is: `total` by Gmail's own count, or the number listed where all of it was.

    `page_of` and `dates_of` spend what is held of the budget; `held_by` asks for one label.
    """
    budget.hold(GET_LABEL, len(FOLDERS), len(FOLDERS))
    folders = {name: held for label, name in FOLDERS.items() if (held := held_by(label)) is not None}
    ids, is_whole = _ids(budget, page_of)
    dated: list[tuple[datetime, int]] = []
    with suppress(RateLimited):  # Gmail asks for less, whatever the budget says
        dated = _dated(ids, budget, dates_of)
    return Count(
        channel,
        len(ids) if is_whole else total,
        method=GET_MESSAGE,
        text_method=GET_MESSAGE,
        dated=dated,
        folders=folders,
    )


def _ids(budget: Budget, page_of: Callable[[str], Listed]) -> tuple[list[str], bool]:
    """The ids, newest first, and whether they are all. What dating one of each page takes is held."""
    ids: list[str] = []
    token = ""
    for _ in range(MOST_PAGES):
        try:
            budget.hold(LIST_MESSAGES, 1, 1)
            budget.hold(GET_MESSAGE, 1, 1)
        except RateLimited:
            return ids, False
        page, token = page_of(token)
        ids += page
        if not token:
            return ids, True
    return ids, False


def _dated(
    ids: Sequence[str], budget: Budget, dates_of: Callable[[Sequence[str]], Sequence[datetime | None]]
) -> list[tuple[datetime, int]]:
    """How many of `ids` came in from which moment on; nothing where the order of the listing is not that of time."""
    if (short := min(len(ids), DATED) - budget.held(GET_MESSAGE)) > 0:
        with suppress(RateLimited):
            budget.hold(GET_MESSAGE, short, 1)
    places = _places(len(ids), budget.held(GET_MESSAGE))
    dates = dates_of([ids[place] for place in places])
    known = [(at, place + 1) for at, place in zip(dates, places, strict=True) if at is not None]
    later = [at for at, _ in known]
    return known if later == sorted(later, reverse=True) else []


def _places(number: int, most: int) -> list[int]:
    """Places in a list, evenly apart, the first and the last among them."""
    if number <= max(most, 1):
        return list(range(number))
    return sorted({round(place * (number - 1) / max(most - 1, 1)) for place in range(most)})
