"""The daily rollup: counts of each user's local day, kept beside the rows and never believed when they may be stale.

Whoever changes an activity marks the cells of its participations dirty in the same transaction: their `local_date` and their
`booked_date`, as they were and as they become. `refresh` computes those cells anew, and all of them where a metric is defined
otherwise than when it was last rolled up. Rolled up are only metrics whose rows depend on nothing but the days of their own
user. A shared fact (one meeting, two reps) is in the cells of both, marked as shared; for a team, whose sum would count it
twice, shared facts are read from their rows, and so are days too young to be settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Date,
    Insert,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    union,
)
from sqlmodel import Session

from autocapture.measure.compile import counted_rows, summed
from autocapture.measure.declare import Metric
from autocapture.measure.explain import ANYTHING, fingerprint
from autocapture.measure.period import Period
from autocapture.measure.query import Query
from autocapture.measure.sql import FIRST_USER, MARGIN, PERIOD_END, PERIOD_START, parameters, prepare, table

metric_day = table("metric_day")
dirty_cell = table("dirty_cell")
rollup_definition = table("rollup_definition")
participation = table("participation")
membership = table("membership")

_EVENTUALLY = datetime(9999, 1, 1, tzinfo=UTC)
_LAST_DAY = date(2999, 12, 31)
_DAY = timedelta(days=1)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of several whose sums are the answer, shaped as `compile.summed`, and the period it is about."""

    statement: Select[*tuple[Any, ...]]
    period: Period
    only_shared: bool = False


def mark_everything_dirty(session: Session) -> None:
    """Forgets the rollup and marks every cell: for a new definition of a metric, and for repair."""
    session.execute(delete(rollup_definition))
    session.execute(delete(metric_day))
    session.execute(delete(dirty_cell))
    days = union(
        select(participation.c.user_id, participation.c.local_date),
        select(participation.c.user_id, participation.c.booked_date).where(
            participation.c.booked_date.is_not(None)
        ),
    )
    session.execute(insert(dirty_cell).from_select(["user_id", "local_date"], days))


def refresh(session: Session, metrics: Sequence[Metric]) -> int:
    """Computes the dirty cells anew and clears them, in the caller's transaction; returns how many there were. Where the
    definition of a metric is not that of its rollup (another release, another set of metrics), every cell is dirty.

    Idempotent: each cell is deleted and inserted. Running it after every change or once at the end gives the same rollup.
    """
    _wait_for_writers(session)
    _start_anew_if_redefined(session, [metric for metric in metrics if metric.rolled_up])
    removed = session.execute(delete(dirty_cell).returning(dirty_cell.c.user_id, dirty_cell.c.local_date))
    cells = sorted((row.user_id, row.local_date) for row in removed)
    prepare(session)
    for user_id, own in groupby(cells, key=itemgetter(0)):
        days = [day for _, day in own]
        for metric in metrics:
            if metric.rolled_up and metric.looks_back:
                _refill_since(session, metric, user_id, days[0] - MARGIN)
            elif metric.rolled_up:
                for chunk in _chunks(days):
                    _refill(session, metric, user_id, chunk)
    return len(cells)


def _start_anew_if_redefined(session: Session, metrics: Sequence[Metric]) -> None:
    held = {row.metric: row.fingerprint for row in session.execute(select(rollup_definition))}
    wanted = {metric.name: _definition(metric) for metric in metrics}
    if held == wanted:
        return
    mark_everything_dirty(session)
    rows = [{"metric": name, "fingerprint": definition} for name, definition in wanted.items()]
    if rows:
        session.execute(insert(rollup_definition), rows)


@cache
def _definition(metric: Metric) -> str:
    """Identifies what the cells of a metric hold. Compiling takes milliseconds and gives the same text every time."""
    return fingerprint(metric, _cell_sums(metric, ANYTHING))


def waiting(session: Session, limit: int) -> int:
    """How many cells are dirty, counted up to `limit`."""
    return len(session.execute(select(dirty_cell.c.user_id).limit(limit)).all())


def _wait_for_writers(session: Session) -> None:
    """Lets transactions that marked cells end first.

    A mark that already exists is not written again, so without this PostgreSQL would let us clear it before the change that it
    also stands for can be seen. SQLite has one writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE dirty_cell IN EXCLUSIVE MODE"))


def _refill(session: Session, metric: Metric, user_id: int, days: Sequence[date]) -> None:
    """`days` is in order."""
    values = {"of": user_id, "named": metric.name, "days": list(days)}
    session.connection().execute(_EMPTY_DAYS, values)
    period = parameters(Period(days[0], days[-1]), _EVENTUALLY, None, user_id=user_id)
    session.connection().execute(_filling(metric, chosen_days=True), {**period, "days": list(days)})


def _refill_since(session: Session, metric: Metric, user_id: int, first: date) -> None:
    """Every day from `first` on."""
    session.connection().execute(_EMPTY_SINCE, {"of": user_id, "named": metric.name, "first": first})
    period = parameters(Period(first, _LAST_DAY), _EVENTUALLY, None, user_id=user_id)
    session.connection().execute(_filling(metric, chosen_days=False), period)


_DAYS = bindparam("days", expanding=True, type_=Date())
_EMPTY = delete(metric_day).where(
    metric_day.c.user_id == bindparam("of"), metric_day.c.metric == bindparam("named")
)
_EMPTY_DAYS = _EMPTY.where(metric_day.c.local_date.in_(_DAYS))
_EMPTY_SINCE = _EMPTY.where(metric_day.c.local_date >= bindparam("first"))


@cache  # making one takes several times as long as running it for a user's day
def _filling(metric: Metric, *, chosen_days: bool) -> Insert:
    """Fills one user's days, so that the rows are found by their key; all days of the period unless `chosen_days`."""
    own = replace(
        ANYTHING,
        visible=lambda facts: and_(facts.user == FIRST_USER, *([facts.on.in_(_DAYS)] if chosen_days else [])),
    )
    columns = ["user_id", "local_date", "shared", "metric", "currency", "total", "n"]
    return insert(metric_day).from_select(columns, _cell_sums(metric, own))


def _cell_sums(metric: Metric, query: Query) -> Select[*tuple[Any, ...]]:
    rows = counted_rows(metric, query, apart_by=("user", "shared")).rows
    cell = (rows.c.user, rows.c.on, rows.c.shared)
    return select(*cell, literal(metric.name), literal(""), func.sum(rows.c.num), func.count()).group_by(
        *cell
    )


def plan(session: Session, metric: Metric, query: Query) -> tuple[Part, ...]:
    """The parts of the answer to `query`: the first of them from the rollup; none where only rows can answer.

    Rows are asked for earlier knowledge, for dimensions the rollup lacks, under a permission, for days that are not settled, for
    shared facts of a team, and while a settled day of the period is dirty.
    """
    settled = _settled(metric, query)
    if settled is None or not _fits(metric, query) or not _fresh(session, metric, settled):
        return ()
    per_user = "user" in query.by or "user" in query.where or query.scope.type == "user"
    once = metric.facts.shared and not per_user
    parts = [Part(_from_days(metric, query, alone=once), settled)]
    if once:
        shared = replace(query, visible=lambda facts: facts.several)
        parts.append(Part(summed(metric, shared), query.period, only_shared=True))
    if settled.end < query.period.end:
        rest = replace(query, visible=(lambda facts: not_(facts.several)) if once else None)
        last = min(query.period.end, query.as_of.date() + MARGIN)  # nothing later has happened
        parts.append(Part(summed(metric, rest), Period(settled.end + _DAY, last)))
    return tuple(parts)


def _settled(metric: Metric, query: Query) -> Period | None:
    """The days of the period for which nothing still waits for the clock."""
    last = min(query.period.end, query.as_of.date() - metric.settled_after - _DAY)
    return Period(query.period.start, last) if query.period.start <= last else None


def _fits(metric: Metric, query: Query) -> bool:
    return (
        metric.rolled_up
        and query.known_at is None
        and query.visible is None
        and {*query.by, *query.where} <= {"user", "team"}
    )


def _fresh(session: Session, metric: Metric, period: Period) -> bool:
    """No cell on which the period depends waits for a refresh, and the rollup has been filled by this definition."""
    day = dirty_cell.c.local_date
    stale = day <= period.end + MARGIN if metric.looks_back else day.between(period.start, period.end)
    if session.execute(select(dirty_cell.c.user_id).where(stale).limit(1)).first() is not None:
        return False
    held = select(rollup_definition.c.fingerprint).where(rollup_definition.c.metric == metric.name)
    return session.scalar(held) == _definition(metric)


def _from_days(metric: Metric, query: Query, *, alone: bool) -> Select[*tuple[Any, ...]]:
    """`alone`: only what counts for one user."""
    keys: dict[str, Any] = {"user": metric_day.c.user_id, "team": membership.c.team_id}
    source: Any = metric_day
    if "team" in query.by:
        source = metric_day.outerjoin(membership, _member())
    cell = [keys[name].label(name) for name in query.by]
    if query.grain is not None:
        cell.append(metric_day.c.local_date.label("on"))
    total, n = func.sum(metric_day.c.total), func.sum(metric_day.c.n)
    return (
        select(*cell, total.label("num"), n.label("den"), func.coalesce(n, 0).label("n"))
        .select_from(source)
        .where(
            metric_day.c.metric == metric.name,
            metric_day.c.local_date.between(PERIOD_START, PERIOD_END),
            *([~metric_day.c.shared] if alone else []),
            *_owners(query),
        )
        .group_by(*cell)
    )


def _member() -> Any:
    return and_(
        membership.c.user_id == metric_day.c.user_id,
        membership.c.valid_from <= metric_day.c.local_date,
        or_(membership.c.valid_to.is_(None), membership.c.valid_to >= metric_day.c.local_date),
    )


def _owners(query: Query) -> list[Any]:
    user, team = table("app_user"), table("team")
    asked = [*query.where.items()]
    if query.scope.type != "company":
        asked.append((query.scope.type, query.scope.name))
    conditions: list[Any] = []
    for name, value in asked:
        if name == "user":
            chosen = select(user.c.id).where(user.c.email == value.lower())
            conditions.append(metric_day.c.user_id.in_(chosen))
        else:
            belongs = select(membership.c.user_id).join(team, team.c.id == membership.c.team_id)
            conditions.append(belongs.where(team.c.name == value, _member()).exists())
    return conditions


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
