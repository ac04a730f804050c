"""The one compiler: from a metric and a question to the rows that count, and from those rows to values.

`counted_rows` is the only place where a predicate is put together, permission included; aggregate, trace, explanation and
rollup all read it, so what is shown can always be traced, and nothing can be traced that is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Date, FromClause, Select, Subquery, and_, func, or_, select

from autocapture.errors import InputError
from autocapture.measure.declare import Duration, Metric
from autocapture.measure.facts import Facts
from autocapture.measure.query import Query, Scope
from autocapture.measure.sql import PERIOD_END, PERIOD_START, table

membership = table("membership")
team = table("team")
user = table("app_user")
company = table("company")
match = table("match")


def dimensions_of(metric: Metric) -> tuple[str, ...]:
    """The dimensions by which `metric` can be cut and filtered."""
    own = [name for name in metric.facts.dimensions if name != "currency" or metric.unit == "money"]
    return ("user", "team", "company", *own)


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows that count: one for each fact and combination of the `keys`, dated `on`, with the metric's parts."""

    rows: Subquery
    keys: tuple[str, ...]

    @property
    def key_columns(self) -> list[ColumnElement[Any]]:
        return [self.rows.c[key] for key in self.keys]


def counted_rows(metric: Metric, query: Query, *, apart_by: Sequence[str] = ()) -> Counted:
    """The rows behind every answer to `query`, once for each combination of `query.by` (and of `apart_by`).

    A shared fact counts once for each combination, on the earliest local date of the people it counts for; only where rows
    are kept apart by user does it count for each.
    `apart_by` also knows `shared` (`Facts.several`). Raises InputError for a dimension the metric does not have.
    """
    chosen = tuple(dict.fromkeys((*keys_of(metric, query), *apart_by)))
    facts = metric.facts
    dims = {key: _dimension(metric, key) for key in chosen}
    statement: Select[*tuple[Any, ...]] = (
        select(
            facts.id.label("id"), facts.on.label("on"), *(_labelled(dims)), *(_labelled(dict(metric.parts)))
        )
        .select_from(_tables(facts, chosen))
        .where(facts.near, facts.happened, facts.known, *_narrowed(metric, query))
        .where(metric.where)  # last: it may look around each row, which is dear
    )
    if not facts.shared or "user" in chosen:
        statement = statement.add_columns(facts.at.label("at"), facts.kind.label("kind"))
        statement = statement.where(facts.on.between(PERIOD_START, PERIOD_END))
        return Counted(statement.subquery("counted"), chosen)
    every = statement.subquery("every")
    names = ["id", *chosen]
    once = (
        select(
            *(every.c[name] for name in names),
            func.min(every.c.on, type_=Date()).label("on"),
            *(func.max(every.c[part]).label(part) for part in metric.parts),
        )
        .group_by(*(every.c[name] for name in names))
        .having(func.min(every.c.on, type_=Date()).between(PERIOD_START, PERIOD_END))
    )
    return Counted(once.subquery("counted"), chosen)


def summed(metric: Metric, query: Query) -> Select[*tuple[Any, ...]]:
    """Sums the counted rows into cells: the keys, the day where the query has a grain, then `num`, `den` and `n`.

    A duration has no sum: its rows come one by one with their parts.
    """
    counted = counted_rows(metric, query)
    cell: list[ColumnElement[Any]] = [*counted.key_columns]
    if query.grain is not None:
        cell.append(counted.rows.c.on)
    if isinstance(metric, Duration):
        return select(*cell, *(counted.rows.c[part] for part in metric.parts))
    sums = (
        func.sum(counted.rows.c.num).label("num"),
        func.sum(counted.rows.c.den).label("den"),
        func.count().label("n"),
    )
    return select(*cell, *sums).group_by(*cell)


def keys_of(metric: Metric, query: Query) -> tuple[str, ...]:
    """The dimensions asked for, and the currency of money, which is never added to another."""
    for name in (*query.by, *query.where):
        if name not in dimensions_of(metric):
            known = ", ".join(dimensions_of(metric))
            raise InputError(f"{metric.name} has no dimension {name!r}; it has {known}")
    if metric.unit == "money" and "currency" not in query.by:
        return (*query.by, "currency")
    return query.by


def _labelled(columns: dict[str, ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [column.label(name) for name, column in columns.items()]


def _dimension(metric: Metric, name: str) -> ColumnElement[Any]:
    facts = metric.facts
    if name == "user":
        return facts.user
    if name == "team":
        return membership.c.team_id
    if name == "shared":
        return facts.several
    if name == "company":
        return facts.company if facts.company is not None else match.c.target_id
    return facts.dimensions[name]


def _tables(facts: Facts, keys: Sequence[str]) -> FromClause:
    tables = facts.tables
    if "team" in keys:
        tables = tables.outerjoin(membership, and_(membership.c.user_id == facts.user, _member_on(facts)))
    if "company" in keys and facts.company is None:
        tables = tables.outerjoin(match, and_(match.c.activity_id == facts.id, match.c.target == "company"))
    return tables


def _member_on(facts: Facts) -> ColumnElement[bool]:
    """Membership on the fact's own local date: who changes teams leaves their past where it was (METRICS R8)."""
    return and_(
        membership.c.valid_from <= facts.on,
        or_(membership.c.valid_to.is_(None), membership.c.valid_to >= facts.on),
    )


def _narrowed(metric: Metric, query: Query) -> list[ColumnElement[bool]]:
    facts = metric.facts
    conditions = [_equals(metric, name, value) for name, value in sorted(query.where.items())]
    conditions += _in_scope(facts, query.scope)
    if query.visible is not None:
        conditions.append(query.visible(facts))
    return conditions


def _equals(metric: Metric, name: str, value: str) -> ColumnElement[bool]:
    facts = metric.facts
    if name in ("user", "team"):
        return _in_scope(facts, Scope("user" if name == "user" else "team", value))[0]
    if name != "company":
        return facts.dimensions[name] == value
    named = select(company.c.id).where(company.c.name == value)
    if facts.company is not None:
        return facts.company.in_(named)
    matched = select(match.c.activity_id).where(match.c.target == "company", match.c.target_id.in_(named))
    return facts.id.in_(matched)


def _in_scope(facts: Facts, scope: Scope) -> list[ColumnElement[bool]]:
    if scope.type == "company":
        return []
    if scope.type == "user":
        return [facts.user == select(user.c.id).where(user.c.email == scope.name.lower()).scalar_subquery()]
    ever = select(membership.c.user_id).where(
        membership.c.team_id == select(team.c.id).where(team.c.name == scope.name).scalar_subquery()
    )
    then = ever.where(membership.c.user_id == facts.user, _member_on(facts))
    # whoever was ever a member is asked first, because users are a key of the rows and dates alone are none
    return [and_(facts.user.in_(ever.correlate(None)), then.exists())]
