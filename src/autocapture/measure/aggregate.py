"""Values: the counted rows of a metric summed into cells and told in the metric's unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

from sqlmodel import Session

from autocapture.errors import InputError
from autocapture.measure import rollup
from autocapture.measure.compile import dimensions_of, keys_of, summed
from autocapture.measure.coverage import Coverage, coverage
from autocapture.measure.declare import AsOf, Cohort, Duration, Metric, Simple
from autocapture.measure.labels import Labels, load_labels
from autocapture.measure.money import from_minor, mean_from_minor
from autocapture.measure.period import Period
from autocapture.measure.query import Gap, Number, Query, Value
from autocapture.measure.schedules import stopwatch
from autocapture.measure.sql import parameters, prepare
from autocapture.measure.survival import kaplan_meier_median

Key = tuple[Any, ...]


@dataclass(slots=True)
class Cell:
    """What was counted for one combination of dimensions. Durations keep their rows: a median has no sums."""

    num: int = 0
    den: int = 0
    n: int = 0
    missing: int = 0
    durations: list[tuple[int, bool]] = field(default_factory=list)

    def add(self, num: int, den: int, n: int) -> None:
        self.num, self.den, self.n = self.num + num, self.den + den, self.n + n

    def last(self, seconds: int, ended: bool) -> None:
        self.add(int(ended), 1, 1)
        self.durations.append((seconds, ended))


def aggregate(session: Session, metric: Metric, query: Query) -> list[Value]:
    """The values of `metric`, one for each piece of the period (by `query.grain`) and combination of `query.by`.

    Cut by nothing, by user or by team, every piece and every rep or team appears, with 0 or None; cut by other dimensions, only
    what exists appears. Money comes once for each currency. Raises InputError for an unknown dimension, user or team.
    """
    labels = load_labels(session, query.by)
    require_known(metric, query, labels)
    covered = coverage(session, metric, query)
    if isinstance(metric, AsOf) and query.grain is not None:
        pieces = [replace(query, period=piece, grain=None) for piece in query.pieces]
    else:
        pieces = [query]
    values: list[Value] = []
    for piece in pieces:
        values += _values(session, metric, piece, labels, covered)
    return values


def _values(
    session: Session, metric: Metric, query: Query, labels: Labels, covered: Coverage
) -> Iterator[Value]:
    cells, source = _cells(session, metric, query)
    missing = _missing(session, metric, query)
    for period in query.pieces:
        found, without = cells.get(period, {}), missing.get(period, {})
        for key in _ordered(metric, query, found, without, labels, period):
            cell, lacking = found.get(key, Cell()), without.get(_without_currency(metric, query, key), Cell())
            told = replace(cell, missing=lacking.n)
            yield _value(metric, query, period, key, told, labels, covered, source)


def _missing(session: Session, metric: Metric, query: Query) -> Mapping[Period, Mapping[Key, Cell]]:
    """What belongs to the amounts and has none, by the same keys without the currency."""
    if metric.missing is None:
        return {}
    where = {name: value for name, value in query.where.items() if name != "currency"}
    by = tuple(name for name in query.by if name != "currency")
    return _cells(session, metric.missing, replace(query, by=by, where=where))[0]


def _cells(
    session: Session, metric: Metric, query: Query
) -> tuple[Mapping[Period, Mapping[Key, Cell]], Literal["rows", "rollup"]]:
    prepare(session)
    rolled = rollup.plan(session, metric, query)
    width = len(keys_of(metric, query))
    lasting = stopwatch(session, metric, query.as_of) if isinstance(metric, Duration) else None
    cells: dict[Period, dict[Key, Cell]] = defaultdict(lambda: defaultdict(Cell))
    pieces = {day: piece for piece in query.pieces for day in _days(piece)} if query.grain else {}
    for part in rolled or (rollup.Part(summed(metric, query), query.period),):
        values = parameters(part.period, query.as_of, query.known_at, only_shared=part.only_shared)
        for row in session.execute(part.statement, values):
            cell = cells[pieces[row[width]] if query.grain else query.period][tuple(row[:width])]
            if lasting is not None:
                cell.last(*lasting(row))
            else:
                cell.add(int(row.num or 0), int(row.den or 0), row.n)
    return cells, "rollup" if rolled else "rows"


def _days(period: Period) -> Iterable[date]:
    return (period.start + timedelta(days=n) for n in range(period.days))


def _ordered(
    metric: Metric, query: Query, found: Iterable[Key], without: Iterable[Key], labels: Labels, period: Period
) -> Sequence[Key]:
    """The keys to tell of, by label: those of what was found, those `without` an amount where nothing else is told of them, and
    reps and teams without rows where nothing else divides them."""
    keys = set(found)
    told = {key[: len(query.by)] for key in keys}
    no_currency = (None,) if len(keys_of(metric, query)) > len(query.by) else ()
    others = {*labels.spine(query, period), *(without if no_currency else ())}
    keys |= {(*key, *no_currency) for key in others if key not in told}
    return sorted(
        keys, key=lambda key: [str(labels.of(name, part)) for name, part in _named(metric, query, key)]
    )


def _named(metric: Metric, query: Query, key: Key) -> list[tuple[str, Any]]:
    return list(zip(keys_of(metric, query), key, strict=True))


def _without_currency(metric: Metric, query: Query, key: Key) -> Key:
    return tuple(part for name, part in _named(metric, query, key) if name != "currency")


def _value(
    metric: Metric,
    query: Query,
    period: Period,
    key: Key,
    cell: Cell,
    labels: Labels,
    covered: Coverage,
    source: Literal["rows", "rollup"],
) -> Value:
    ids = dict(_named(metric, query, key))
    currency = ids.get("currency")
    gap = covered.gap(period, ids.get("user"), ids.get("team"))
    if gap is Gap.NOT_BEGUN:
        cell = Cell()  # what stands now is no value of a time to come
    silent = gap is Gap.NOT_BEGUN or (gap is Gap.NOT_CONNECTED and not cell.n)
    value, numerator, denominator = (None, None, None) if silent else _told(metric, cell, currency)
    return Value(
        metric=metric.name,
        period=period,
        by={name: labels.of(name, ids[name]) for name in query.by},
        value=value,
        n=cell.n,
        unit=metric.unit,
        as_of=query.as_of,
        currency=currency,
        numerator=numerator,
        denominator=denominator,
        gap=gap,
        missing=cell.missing,
        provisional=isinstance(metric, Cohort) and query.as_of.date() - period.end <= metric.window,
        source=source,
    )


def _told(
    metric: Metric, cell: Cell, currency: str | None
) -> tuple[Number | None, Number | None, Number | None]:
    """Value, numerator and denominator in the metric's unit; None where there is none."""
    if isinstance(metric, Duration):
        return kaplan_meier_median(cell.durations), cell.num, cell.den
    if isinstance(metric, Simple):
        if metric.unit != "money":
            return cell.num, None, None
        return (from_minor(cell.num, currency) if currency and cell.n else None), None, None
    if not cell.den:
        return None, None, 0
    if metric.unit == "money":
        if currency is None:
            return None, None, cell.den
        return mean_from_minor(cell.num, cell.den, currency), from_minor(cell.num, currency), cell.den
    return cell.num / cell.den, cell.num, cell.den


def require_known(metric: Metric, query: Query, labels: Labels) -> None:
    asked = [*query.where.items()]
    if query.scope.type != "company":
        asked.append((query.scope.type, query.scope.name))
    for name, value in asked:
        if name not in dimensions_of(metric):
            raise InputError(
                f"{metric.name} has no dimension {name!r}; it has {', '.join(dimensions_of(metric))}"
            )
        if not labels.knows(name, value):
            raise InputError(f"there is no {name} {value!r}")
