"""Budgets of requests, shared by all workers through the database.

A limit is "so many units within so many seconds". What was spent is kept with its time, and is free again exactly when it has
left the window: in no window of that length, wherever it begins, is more spent than the limit, so a provider that counts
in minutes, in sliding windows or by a bucket has nothing to refuse. A bucket that refills while it is drained could spend
nearly twice its limit in one window, or would have to stay far below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine, bindparam, select
from sqlmodel import Session

from autocapture.clock import Clock
from autocapture.errors import RateLimited, SetupError
from autocapture.model.budgets import RateBucket
from autocapture.sections import RateLimit, RateLimits
from autocapture.store.bulk import table_of
from autocapture.store.engine import insert_for, writing

Spent = list[tuple[float, int]]

# Asked before every request to a provider: statements of the ORM, or made anew each time, cost more than the request.
_BUCKETS = table_of(RateBucket)
_HELD = (
    select(_BUCKETS.c.name, _BUCKETS.c.spent)
    .where(_BUCKETS.c.name.in_(bindparam("names", expanding=True)))
    .order_by(_BUCKETS.c.name)
    .with_for_update()
)
_KEPT = _BUCKETS.update().where(_BUCKETS.c.name == bindparam("of")).values(spent=bindparam("kept"))

MARGIN = 0.5
"""Seconds that a window is held to be longer: requests do not all take the same time to the provider."""

_GRAINS = 120  # a window is kept in at most so many entries
_WORTH_WAITING_FOR = (
    10  # a wait lasts until this fraction of the limit is free: opening an account costs requests too
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit of one account or project. `most` is what may be spent of it by who asks."""

    name: str
    limit: int
    most: int
    seconds: float

    def left(self, spent: Spent, now: float) -> Spent:
        """What is still in the window. A time far ahead was written by a clock that has been set back."""
        window = self.seconds + MARGIN
        return [(at, units) for at, units in spent if -window < now - at < window]

    def free(self, spent: Spent) -> int:
        return self.most - sum(units for _, units in spent)

    def added(self, spent: Spent, now: float, units: int) -> Spent:
        """`spent` with `units` more. Entries close together are one, with the time of the later."""
        grain = self.seconds / _GRAINS
        if spent and spent[-1][0] // grain == now // grain:
            return [*spent[:-1], (now, spent[-1][1] + units)]
        return [*spent, (now, units)]

    def wait(self, spent: Spent, now: float, units: int) -> float:
        """Seconds until so many `units` are free."""
        wanted = units - self.free(spent)
        for at, gone in spent:
            wanted -= gone
            if wanted <= 0:
                return at + self.seconds + MARGIN - now
        return self.seconds


class AccountMeter:
    """The budget of one account: `connector.Meter` over the database. An account that is not stored yet (None) takes from the
    project's alone.

    A backfill leaves the reserve of a project's budget to all others. Services without a limit are not counted.
    """

    def __init__(
        self, engine: Engine, clock: Clock, limits: RateLimits, account_id: int | None, *, backfill: bool
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = limits
        self._account_id = account_id
        self._backfill = backfill

    def take(self, method: str, want: int = 1, least: int = 1) -> int:
        """See `connector.Meter`. The wait that RateLimited names is long enough for a good number of calls."""
        limit, cost = self._limit(method)
        buckets = self._buckets(method, limit)
        if not buckets or cost == 0:
            return want
        for bucket in buckets:
            if least * cost > bucket.most:
                raise SetupError(
                    f"rate_limits: the budget of {bucket.name} does not suffice for {least} {method}"
                )
        with writing(self._engine) as session:
            now = self._clock.now().timestamp()
            held = _locked(session, buckets, now)
            calls = min(want, *(bucket.free(held[bucket.name]) // cost for bucket in buckets))
            if calls >= least:
                _store(session, {b.name: b.added(held[b.name], now, calls * cost) for b in buckets})
                return calls
        waits = (
            bucket.wait(held[bucket.name], now, max(least * cost, bucket.most // _WORTH_WAITING_FOR))
            for bucket in buckets
            if bucket.free(held[bucket.name]) < least * cost
        )
        raise RateLimited(f"the budget for {method} is spent", timedelta(seconds=max(waits)))

    def give_back(self, method: str, calls: int) -> None:
        limit, cost = self._limit(method)
        buckets = self._buckets(method, limit)
        if not buckets or calls * cost <= 0:
            return
        with writing(self._engine) as session:
            held = _locked(session, buckets, self._clock.now().timestamp())
            _store(session, {name: _less(spent, calls * cost) for name, spent in held.items()})

    def _limit(self, method: str) -> tuple[RateLimit | None, int]:
        service, _, name = method.partition(".")
        limit = self._limits.of(service)
        return limit, 0 if limit is None else limit.cost(name)

    def _buckets(self, method: str, limit: RateLimit | None) -> Sequence[Bucket]:
        """In the order in which every worker locks them."""
        if limit is None:
            return ()
        service = method.partition(".")[0]
        buckets = []
        if limit.account is not None and self._account_id is not None:
            name = f"{service}/account/{self._account_id}"
            buckets.append(Bucket(name, limit.account, limit.account, limit.seconds))
        if limit.project is not None:
            kept = int(limit.project * self._limits.reserve) if self._backfill else 0
            buckets.append(Bucket(f"{service}/project", limit.project, limit.project - kept, limit.seconds))
        return buckets


def _locked(session: Session, buckets: Sequence[Bucket], now: float) -> dict[str, Spent]:
    """What is in the windows of `buckets`, whose rows are this transaction's until it ends."""
    names = [bucket.name for bucket in buckets]
    connection = session.connection()
    found = connection.execute(_HELD, {"names": names}).all()
    if len(found) < len(names):
        missing = [{"name": name, "spent": []} for name in names]
        session.execute(insert_for(session)(RateBucket).values(missing).on_conflict_do_nothing())
        found = connection.execute(_HELD, {"names": names}).all()
    spent = {name: [(float(at), int(units)) for at, units in entries] for name, entries in found}
    return {bucket.name: bucket.left(spent[bucket.name], now) for bucket in buckets}


def _store(session: Session, spent: Mapping[str, Spent]) -> None:
    rows = [{"of": name, "kept": [[at, units] for at, units in entries]} for name, entries in spent.items()]
    session.connection().execute(_KEPT, rows)


def _less(spent: Spent, units: int) -> Spent:
    """Without the `units` spent last."""
    left = list(spent)
    while left and units > 0:
        at, last = left.pop()
        if last > units:
            left.append((at, last - units))
        units -= last
    return left
