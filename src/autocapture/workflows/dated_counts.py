"""How many items came in from a moment on, where the dates of only some of them are known. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

Dated = Sequence[tuple[datetime, int]]
"""A moment, and how many items came in from then on; the newest first (`Count.dated`)."""


def newer(dated: Dated, total: int, since: datetime) -> int | None:
    """About how many of `total` came in since; None where that is older than what was dated."""
    if not dated:
        return None
    if since > dated[0][0]:
        return 0
    for (later, fewer), (earlier, more) in pairwise(dated):
        if since > earlier:
            return fewer + round((more - fewer) * (later - since) / (later - earlier))
    if dated[-1][1] >= total:
        return total
    return dated[-1][1] if since == dated[-1][0] else None


def years(dated: Dated, total: int) -> dict[int, int]:
    """About how many came in in each year, of those years that are known whole."""
    if not dated:
        return {}
    found: dict[int, int] = {}
    counted = 0
    for year in range(dated[0][0].year, dated[-1][0].year - 1, -1):
        up_to = newer(dated, total, datetime(year, 1, 1, tzinfo=UTC))
        if up_to is None:
            break
        found[year], counted = up_to - counted, up_to
    return dict(sorted(found.items()))
