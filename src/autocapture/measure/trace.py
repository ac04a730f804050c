"""The rows behind a value: who, when, with whom, and what each of them contributes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Row, func, select
from sqlmodel import Session

from autocapture.measure.aggregate import require_known
from autocapture.measure.compile import counted_rows, keys_of
from autocapture.measure.coverage import today_of
from autocapture.measure.declare import Duration, Metric
from autocapture.measure.labels import Labels, load_labels
from autocapture.measure.money import from_minor
from autocapture.measure.query import Number, Query, TracedRow
from autocapture.measure.schedules import Stopwatch, stopwatch
from autocapture.measure.sql import Parameters, parameters, prepare, table

activity = table("activity")
participant = table("participant")
deal = table("deal")
lead = table("lead")
contact = table("contact")
company = table("company")

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class _Detail:
    """What a fact is called, and who took part from outside."""

    title: str | None
    with_whom: tuple[str, ...]


@dataclass(slots=True)
class _People:
    """Those for whom a fact counts in one cell."""

    at: datetime
    kind: str
    user_ids: set[int]


def trace(session: Session, metric: Metric, query: Query) -> list[TracedRow]:
    """The rows from which `aggregate` computes the values of `query` over its whole period, in order of time.

    The same predicate, permission included: the contributions of an additive metric add up to its value, cell by cell
    (`TracedRow.by`). The grain is ignored. A period that has not begun has none.
    """
    labels = load_labels(session, query.by)
    require_known(metric, query, labels)
    if query.period.start > today_of(session, query.as_of):
        return []
    prepare(session)
    values = parameters(query.period, query.as_of, query.known_at)
    apart_by = (
        () if metric.facts.shared else ("user",)
    )  # what is not shared has one row for its person either way
    counted = replace(counted_rows(metric, query, apart_by=apart_by), keys=keys_of(metric, query))
    rows = session.execute(select(counted.rows), values).all()
    people = _people(session, metric, query, values) if metric.facts.shared else _persons(rows, counted.keys)
    details = _details(session, {(people[_cell(row, counted.keys)].kind, row.id) for row in rows})
    lasting = stopwatch(session, metric, query.as_of) if isinstance(metric, Duration) else None
    traced = [
        _traced(query, row, counted.keys, people[_cell(row, counted.keys)], details, labels, lasting)
        for row in rows
    ]
    return sorted(traced, key=lambda row: (row.at, row.id, str(row.by)))


def _cell(row: Row[Any], keys: Sequence[str]) -> tuple[Any, ...]:
    mapping = row._mapping
    return (row.id, *(mapping[key] for key in keys))


def _persons(rows: Iterable[Row[Any]], keys: Sequence[str]) -> Mapping[tuple[Any, ...], _People]:
    """The one person of each row of facts that are not shared."""
    return {
        _cell(row, keys): _People(row.at, row.kind, set() if row.user is None else {row.user}) for row in rows
    }


def _people(
    session: Session, metric: Metric, query: Query, values: Parameters
) -> Mapping[tuple[Any, ...], _People]:
    keys = counted_rows(metric, query).keys
    found: dict[tuple[Any, ...], _People] = {}
    for row in session.execute(select(counted_rows(metric, query, apart_by=("user",)).rows), values):
        people = found.setdefault(_cell(row, keys), _People(row.at, row.kind, set()))
        if row.user is not None:
            people.user_ids.add(row.user)
    return found


def _traced(
    query: Query,
    row: Row[Any],
    keys: Sequence[str],
    people: _People,
    details: Mapping[tuple[str, int], _Detail],
    labels: Labels,
    lasting: Stopwatch | None,
) -> TracedRow:
    ids = {key: row._mapping[key] for key in keys}
    contribution, numerator, denominator = _shares(row, ids.get("currency"), lasting)
    detail = details[people.kind, row.id]
    return TracedRow(
        kind=people.kind,
        id=row.id,
        at=people.at,
        on=row.on,
        users=tuple(sorted(str(labels.of("user", who)) for who in people.user_ids)),
        with_whom=detail.with_whom,
        title=detail.title,
        contribution=contribution,
        numerator=numerator,
        denominator=denominator,
        by={name: labels.of(name, ids[name]) for name in query.by},
        currency=ids.get("currency"),
    )


def _shares(row: Row[Any], currency: str | None, lasting: Stopwatch | None) -> tuple[Number, Number, Number]:
    """Contribution, numerator and denominator of one row."""
    if lasting is not None:
        seconds, over = lasting(row)
        return seconds, int(over), 1
    share = from_minor(row.num, currency) if currency else row.num
    return share, share, row.den


def _details(session: Session, facts: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], _Detail]:
    by_table: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for kind, number in sorted(facts):
        by_table[kind if kind in ("deal", "lead") else "activity"].append((kind, number))
    loaders = {"activity": _activities, "deal": _deals, "lead": _leads}
    return {
        (kind, number): found
        for name, wanted in by_table.items()
        for chunk in _chunks(wanted)
        for details in [loaders[name](session, [number for _, number in chunk])]
        for kind, number in chunk
        for found in [details[number]]
    }


def _activities(session: Session, ids: Sequence[int]) -> dict[int, _Detail]:
    outside: dict[int, dict[str, None]] = defaultdict(dict)
    who = func.coalesce(func.nullif(participant.c.name, ""), participant.c.address).label("who")
    for row in session.execute(
        select(participant.c.activity_id, who)
        .where(
            participant.c.activity_id.in_(ids),
            participant.c.user_id.is_(None),
            participant.c.resource.is_(False),
        )
        .order_by(participant.c.activity_id, who)
    ):
        outside[row.activity_id][row.who] = None
    titles = session.execute(select(activity.c.id, activity.c.subject).where(activity.c.id.in_(ids)))
    return {row.id: _Detail(row.subject, tuple(outside[row.id])) for row in titles}


def _deals(session: Session, ids: Sequence[int]) -> dict[int, _Detail]:
    rows = session.execute(
        select(deal.c.id, deal.c.name, company.c.name.label("company"))
        .select_from(deal.outerjoin(company, company.c.id == deal.c.company_id))
        .where(deal.c.id.in_(ids))
    )
    return {row.id: _Detail(row.name, (row.company,) if row.company else ()) for row in rows}


def _leads(session: Session, ids: Sequence[int]) -> dict[int, _Detail]:
    rows = session.execute(
        select(lead.c.id, lead.c.source, contact.c.name)
        .select_from(lead.join(contact, contact.c.id == lead.c.contact_id))
        .where(lead.c.id.in_(ids))
    )
    return {row.id: _Detail(row.source, (row.name,)) for row in rows}


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
