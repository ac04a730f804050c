"""Numbers and their rows from the metrics layer, at one state of knowledge.

Every number is asked for with `as_of` and `known_at` at the same instant, so that the rows behind a published number can be
asked for again later: what was learned since is left out, and what changed since shows as a different hash. With a later
`known_at` a number is what would have been told then, had it been known what is known now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256

from sqlmodel import Session, col, select

from autocapture.errors import InputError
from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import CATALOG, metric_named
from autocapture.measure.declare import Duration, Metric, Simple
from autocapture.measure.explain import fingerprint
from autocapture.measure.period import Period
from autocapture.measure.query import COMPANY, Query, Scope, TracedRow, Value
from autocapture.measure.query import Number as Plain
from autocapture.measure.survival import kaplan_meier_median
from autocapture.measure.trace import trace
from autocapture.model.organization import Team, User
from autocapture.report import pipeline
from autocapture.report.numbers import MONEY, Cell, Number

OPEN_PIPELINE = "open_pipeline_value"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers for one session and instant; with what was known at `known_at`, where that is not the same."""

    session: Session
    as_of: datetime
    known_at: datetime | None = None
    _stood: dict[Cell, list[TracedRow]] = field(default_factory=dict, compare=False, repr=False)
    """The pipeline as it stood at the end of a day: the end of one week is the start of the next."""

    def number(self, metric: str, cell: Cell) -> Number:
        """The number of one slice. Money and averages without any row are None; so is what nothing is connected for."""
        if pipeline.is_movement(metric):
            return pipeline.number(metric, cell, self.rows(metric, cell))
        declared = metric_named(metric)
        return _number(declared, cell, aggregate(self.session, declared, self._query(cell)))

    def history(self, metric: str, cell: Cell, weeks: int) -> tuple[Number, ...]:
        """The slice and the same weekday-aligned week of each of the weeks before it, oldest first."""
        cells = [_moved(cell, -7 * back) for back in reversed(range(weeks))]
        if pipeline.is_movement(metric):
            return tuple(self.number(metric, earlier) for earlier in cells)
        declared = metric_named(metric)
        query = self._query(Cell(cells[0].start, cell.end, cell.team, cell.user, cell.currency))
        found = aggregate(self.session, declared, _by_week(query))
        return tuple(
            _number(declared, earlier, [value for value in found if value.period.start == earlier.start])
            for earlier in cells
        )

    def rows(self, metric: str, cell: Cell) -> Sequence[TracedRow]:
        """The rows behind the number of a slice."""
        if pipeline.is_movement(metric):
            return self.movements(cell)[metric]
        if metric == OPEN_PIPELINE and cell.end <= self.as_of.date():
            found = self._standing(Cell(cell.end, cell.end, cell.team, cell.user))
        else:
            found = trace(self.session, metric_named(metric), self._query(cell))
        return [row for row in found if cell.currency is None or row.currency == cell.currency]

    def _standing(self, cell: Cell) -> list[TracedRow]:
        if cell not in self._stood:
            self._stood[cell] = trace(self.session, metric_named(OPEN_PIPELINE), self._query(cell))
        return self._stood[cell]

    def behind(self, number: Number) -> Sequence[TracedRow]:
        """The rows of one published number. Money without a currency has none: amounts of several are never added up."""
        cell = Cell.parse(number.cell)
        if number.unit == MONEY and cell.currency is None and not pipeline.is_movement(number.metric):
            return ()
        return self.rows(number.metric, cell)

    def movements(self, cell: Cell) -> pipeline.Rows:
        """The rows of a week's pipeline: its start, every movement, its end."""
        eve = Cell(cell.start - _DAY, cell.start - _DAY, cell.team, cell.user, cell.currency)
        before, after = self.rows(OPEN_PIPELINE, eve), self.rows(OPEN_PIPELINE, cell)
        return pipeline.movements(self.session, cell, before, after)

    def fingerprint(self, metric: str) -> str:
        """Identifies the definition by which a number was made."""
        if pipeline.is_movement(metric):
            rests_on = f"{_fingerprint(OPEN_PIPELINE)} {metric} v{pipeline.VERSION}"
            return sha256(rests_on.encode()).hexdigest()
        return _fingerprint(metric)

    def _query(self, cell: Cell) -> Query:
        where = {}
        if cell.user is not None:
            where["user"] = self._name(select(User.email).where(col(User.id) == cell.user))
        return Query(
            period=Period(cell.start, cell.end),
            as_of=self.as_of,
            known_at=self.known_at or self.as_of,
            where=where,
            scope=self._scope(cell),
        )

    def _scope(self, cell: Cell) -> Scope:
        if cell.team is None:
            return COMPANY
        return Scope("team", self._name(select(Team.name).where(col(Team.id) == cell.team)))

    def _name(self, statement: object) -> str:
        name = self.session.exec(statement).first()  # type: ignore[call-overload]
        if name is None:
            raise InputError("this slice speaks of a team or a person that does not exist")
        return str(name)


@cache
def _fingerprint(metric: str) -> str:
    """Compiling a definition takes milliseconds and gives the same text every time."""
    return fingerprint(metric_named(metric))


def agree(number: Number, rows: Sequence[TracedRow]) -> bool:
    """Whether `number` follows from `rows`: sums for counts and money, sums of both parts for rates and averages, the median of
    the durations."""
    if number.n != len(rows):
        return False
    declared = CATALOG.get(number.metric)
    if isinstance(declared, Duration):
        median = kaplan_meier_median((int(row.contribution), bool(row.numerator)) for row in rows)
        return number.value == (None if median is None else Decimal(median))
    if number.value is None:
        return True
    top = sum((exact(row.contribution) for row in rows), Decimal(0))
    if declared is None or isinstance(declared, Simple):
        return top == number.value
    bottom = sum((exact(row.denominator) for row in rows), Decimal(0))
    return top == number.numerator and bottom == number.denominator


def exact(value: Plain) -> Decimal:
    """A plain number as a decimal, digit for digit as it is written."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _by_week(query: Query) -> Query:
    return replace(query, grain="week")


def _moved(cell: Cell, days: int) -> Cell:
    def shift(day: date) -> date:
        return day + timedelta(days=days)

    return Cell(shift(cell.start), shift(cell.end), cell.team, cell.user, cell.currency)


def _number(declared: Metric, cell: Cell, values: Sequence[Value]) -> Number:
    matching = [value for value in values if declared.unit != MONEY or value.currency == cell.currency]
    if not matching:
        complete = all(value.complete for value in values)
        why = next((_why(value) for value in values if value.value is None), "")
        return Number(
            declared.name, str(cell), declared.unit, None, 0, cell.currency, complete=complete, why=why
        )
    value = matching[0]
    return Number(
        metric=declared.name,
        cell=str(cell),
        unit=declared.unit,
        value=None if value.value is None else exact(value.value),
        n=value.n,
        currency=value.currency,
        numerator=None if value.numerator is None else exact(value.numerator),
        denominator=None if value.denominator is None else exact(value.denominator),
        complete=value.complete,
        why=_why(value) if value.value is None else "",
    )


def _why(value: Value) -> str:
    """Why there is no value, where it is more than that nothing happened."""
    if value.gap is not None:
        return str(value.gap)
    if value.missing:
        return f"{value.missing} {'deal' if value.missing == 1 else 'deals'} without an amount"
    return ""
