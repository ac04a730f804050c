"""How fresh what is shown is: from the provider's time of an item to the moment at which it is visible here.

Measured of live items alone: a first import, and what is read again because its rules changed, say nothing of it. Kept as a
histogram for each account and day, four buckets an octave, so that a figure is at most a fifth too large; nothing of the items
themselves is kept.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from autocapture.model.activities import Activity
from autocapture.model.ledger import CAPTURED
from autocapture.model.watching import Freshness
from autocapture.store.bulk import among, rows_of, table_of, upsert
from autocapture.store.lookup import Lookup
from autocapture.workflows.pulling import Run
from autocapture.workflows.staging import Staged

SHOWN_DAYS = 7
AHEAD = timedelta(minutes=5)
"""By which a provider's clock may be ahead of ours; what is dated further ahead has a date that means nothing."""

_ACTIVITY, _FRESHNESS = table_of(Activity).c, table_of(Freshness).c
_NEW = Lookup(
    lambda among: select(_ACTIVITY.id).where(
        among(_ACTIVITY.id, "ids"), _ACTIVITY.known_at >= bindparam("began")
    )
)
_COUNTED = select(_FRESHNESS.counts).where(
    _FRESHNESS.account_id == bindparam("of"), _FRESHNESS.day == bindparam("on")
)

_OCTAVE = 4
_LAST_BUCKET = 92  # about three months


@dataclass(frozen=True, slots=True)
class Delays:
    """Of `count` items half, 19 of 20, and 99 of 100 were visible within these times."""

    count: int
    p50: timedelta
    p95: timedelta
    p99: timedelta


def note_arrivals(
    session: Session, run: Run, staged: Sequence[Staged], began: datetime
) -> dict[str, datetime]:
    """Counts the delays of what a page brought and was not known before `began`; the channel's columns that change by it."""
    now = run.app.clock.now()
    told = [item.told_at for item in staged if item.told_at is not None and item.told_at <= now + AHEAD]
    if run.channel.backfilled and not run.channel.reread:
        _count(session, run.lease.account_id, _live(session, run, staged, began), now)
    newest = max(told, default=None)
    known = run.channel.newest_at
    return {"newest_at": newest} if newest is not None and (known is None or newest > known) else {}


def _live(session: Session, run: Run, staged: Sequence[Staged], began: datetime) -> list[datetime]:
    """When the items came that nobody could see before. A mail that only moved, or that a colleague's mailbox had first, was
    known; a calendar's item is one whenever it changes."""
    seen = [item for item in staged if item.told_at is not None and item.entry.outcome == CAPTURED]
    if run.channel.kind != "event" and seen:
        ids = [item.entry.activity_id for item in seen if item.entry.activity_id is not None]
        new = {activity_id for (activity_id,) in _NEW(session, ids=ids, began=began)}
        seen = [item for item in seen if item.entry.activity_id in new]
    return [item.told_at for item in seen if item.told_at is not None]


def _count(session: Session, account_id: int, told: Sequence[datetime], now: datetime) -> None:
    if not told:
        return
    found = Counter(str(bucket_of(now - at)) for at in told)
    day = now.astimezone(UTC).date()
    for (counts,) in rows_of(session, _COUNTED, {"of": account_id, "on": day}):
        found.update(counts)
    upsert(session, Freshness, [{"account_id": account_id, "day": day, "counts": dict(found)}])


def bucket_of(delay: timedelta) -> int:
    """The bucket of a delay: the n-th begins at 2^(n/4) seconds, the first holds all below its end too."""
    seconds = delay.total_seconds()
    return 0 if seconds < 1 else min(int(math.log2(seconds) * _OCTAVE), _LAST_BUCKET)


def end_of(bucket: int) -> timedelta:
    return timedelta(seconds=2 ** ((bucket + 1) / _OCTAVE))


def delays(session: Session, account_ids: Collection[int], today: date) -> dict[int, Delays]:
    """Of each account's last `SHOWN_DAYS` days; accounts without live items are left out."""
    first = today - timedelta(days=SHOWN_DAYS - 1)
    rows = session.execute(
        select(col(Freshness.account_id), col(Freshness.counts)).where(
            among(session, col(Freshness.account_id), account_ids), col(Freshness.day) >= first
        )
    )
    totals: dict[int, Counter[int]] = {}
    for account_id, counts in rows:
        totals.setdefault(account_id, Counter()).update({int(key): number for key, number in counts.items()})
    return {account_id: _delays(counts) for account_id, counts in totals.items()}


def _delays(counts: Mapping[int, int]) -> Delays:
    number = sum(counts.values())
    p50, p95, p99 = (_quantile(counts, number, share) for share in (0.5, 0.95, 0.99))
    return Delays(number, p50, p95, p99)


def _quantile(counts: Mapping[int, int], number: int, share: float) -> timedelta:
    """The end of the bucket in which that share of the items is reached."""
    reached = 0
    for bucket in sorted(counts):
        reached += counts[bucket]
        if reached >= share * number:
            return end_of(bucket)
    return timedelta(0)
