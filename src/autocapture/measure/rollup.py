"""The daily rollup: counts of each user's local day, kept beside the rows and never believed when they may be stale.

Whoever changes an activity marks the cells of its participations dirty in the same transaction: their `local_date` and their
`booked_date`, as they were and as they become. `refresh` computes those cells anew. Rolled up are only metrics whose rows
contribute independently of other cells; a shared fact (one meeting, two reps) is answered from here only by user, because a
team's sum over users would count it twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union,
)
from sqlmodel import Session

from autocapture.measure.compile import counted_rows
from autocapture.measure.declare import Metric
from autocapture.measure.period import Period
from autocapture.measure.query import Query
from autocapture.measure.sql import PERIOD_END, PERIOD_START, parameters, prepare, table

metric_day = table("metric_day")
dirty_cell = table("dirty_cell")
participation = table("participation")
membership = table("membership")

SETTLED_AFTER = timedelta(days=8)
"""The rollup answers for periods that ended so long ago: by then every meeting that began in them is over."""

_EVENTUALLY = datetime(9999, 1, 1, tzinfo=UTC)
_CHUNK = 500


def mark_everything_dirty(session: Session) -> None:
    """Forgets the rollup and marks every cell: for a new definition of a metric, and for repair."""
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
    """Computes the dirty cells anew and clears them, in the caller's transaction; returns how many there were.

    Idempotent: each cell is deleted and inserted. Running it after every change or once at the end gives the same rollup.
    """
    _wait_for_writers(session)
    removed = session.execute(delete(dirty_cell).returning(dirty_cell.c.user_id, dirty_cell.c.local_date))
    cells = sorted((row.user_id, row.local_date) for row in removed)
    prepare(session)
    for user_id, own in groupby(cells, key=itemgetter(0)):
        for days in _chunks(day for _, day in own):
            session.execute(
                delete(metric_day).where(metric_day.c.user_id == user_id, metric_day.c.local_date.in_(days))
            )
            for metric in metrics:
                if metric.rolled_up:
                    _fill(session, metric, user_id, days)
    return len(cells)


def _wait_for_writers(session: Session) -> None:
    """Lets transactions that marked cells end first.

    A mark that already exists is not written again, so without this PostgreSQL would let us clear it before the change that it
    also stands for can be seen. SQLite has one writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE dirty_cell IN EXCLUSIVE MODE"))


def _fill(session: Session, metric: Metric, user_id: int, days: Sequence[date]) -> None:
    """One user's days, so that the rows are found by their key; `days` is in order."""
    period = Period(days[0], days[-1])
    query = Query(period, _EVENTUALLY, visible=lambda facts: and_(facts.user == user_id, facts.on.in_(days)))
    rows = counted_rows(metric, query, apart_by=("user",)).rows
    fresh = select(
        rows.c.user, rows.c.on, literal(metric.name), literal(""), func.sum(rows.c.num), func.count()
    ).group_by(rows.c.user, rows.c.on)
    columns = ["user_id", "local_date", "metric", "currency", "total", "n"]
    session.execute(
        insert(metric_day).from_select(columns, fresh), parameters(period, query.as_of, query.known_at)
    )


def answer(session: Session, metric: Metric, query: Query) -> Select[*tuple[Any, ...]] | None:
    """The statement that answers `query` from the rollup, shaped as `compile.summed`; None where only rows can.

    Rows are asked for earlier knowledge, for dimensions the rollup lacks, under a permission, for recent periods, and while a
    cell of the period is dirty.
    """
    if not _fits(metric, query) or not _fresh(session, query.period):
        return None
    tables = metric_day
    keys: dict[str, Any] = {"user": metric_day.c.user_id, "team": membership.c.team_id}
    source: Any = tables
    if "team" in query.by:
        source = tables.outerjoin(membership, _member())
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
            *_owners(query),
        )
        .group_by(*cell)
    )


def _fits(metric: Metric, query: Query) -> bool:
    per_user = "user" in query.by or "user" in query.where or query.scope.type == "user"
    return (
        metric.rolled_up
        and query.known_at is None
        and query.visible is None
        and {*query.by, *query.where} <= {"user", "team"}
        and (per_user or not metric.facts.shared)
        and query.period.end + SETTLED_AFTER < query.as_of.date()
    )


def _fresh(session: Session, period: Period) -> bool:
    """No cell of the period waits for a refresh, and the rollup has been filled at all."""
    dirty = (
        select(dirty_cell.c.user_id).where(dirty_cell.c.local_date.between(period.start, period.end)).limit(1)
    )
    if session.execute(dirty).first() is not None:
        return False
    return session.execute(select(metric_day.c.user_id).limit(1)).first() is not None


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
