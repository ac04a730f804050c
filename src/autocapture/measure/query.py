"""What is asked of a metric, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from sqlalchemy import ColumnElement

from autocapture.measure.facts import Facts
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, FiscalCalendar
from autocapture.measure.period import Grain, Period

Number = int | float | Decimal
ScopeType = Literal["company", "team", "user"]
Visible = Callable[[Facts], ColumnElement[bool]]
"""Who may see which rows: given the facts, the condition that their rows must meet. Part of every answer and every trace."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows count: everybody's, those of a team's members on the day, or one user's. `name`: a team's name or an email."""

    type: ScopeType = "company"
    name: str = ""


COMPANY = Scope()


@dataclass(frozen=True, slots=True)
class Query:
    """A question. `as_of`: what happened until then (aware); `known_at`: as far as it was known then, None for today's knowledge.

    `where` maps dimensions to the value they must have: a user's email, a team's or a company's name, a stage, ...
    `grain` cuts the period by `calendar`.
    """

    period: Period
    as_of: datetime
    by: tuple[str, ...] = ()
    grain: Grain | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    scope: Scope = COMPANY
    known_at: datetime | None = None
    visible: Visible | None = None
    calendar: FiscalCalendar = CALENDAR_YEAR

    @property
    def pieces(self) -> tuple[Period, ...]:
        """The period, cut by the grain: one answer for each."""
        return self.calendar.cut(self.period, self.grain)


class Gap(StrEnum):
    """Why a value does not speak for its whole period. The first that holds is told."""

    NOT_BEGUN = "the period has not begun"
    NOT_CONNECTED = "nothing is connected that it is counted from"
    CAPTURED_LATER = "it begins before capture does"
    SOME_NOT_CONNECTED = "not every rep has connected what it is counted from"
    BACKFILLING = "the first capture has not ended"


@dataclass(frozen=True, slots=True)
class Value:
    """One answer: a metric in one period for one combination of the dimensions asked for.

    `value` is None where there is no value. Counts and seconds are whole numbers, rates are between 0 and 1, money is a
    Decimal in units of `currency`. `n`: rows behind it. `provisional`: the window of a cohort (the 14 days of a reply) is still
    running for some of them. `gap` says why the value is not complete; a period that has
    not begun has no value, nor have people who connected nothing it is counted from. `missing`: rows that belong to an amount and
    have none. `source`: where it was read.
    """

    metric: str
    period: Period
    by: Mapping[str, str | None]
    value: Number | None
    n: int
    unit: str
    as_of: datetime
    currency: str | None = None
    numerator: Number | None = None
    denominator: Number | None = None
    gap: Gap | None = None
    missing: int = 0
    provisional: bool = False
    source: Literal["rows", "rollup"] = "rows"

    @property
    def complete(self) -> bool:
        return self.gap is None


@dataclass(frozen=True, slots=True)
class TracedRow:
    """One row a value was counted from.

    `contribution` is what it adds to the value: the sum of contributions is the value of an additive metric; of a rate or an
    average it is what the row adds to the numerator; of a median it is its seconds. `numerator` and `denominator` are its
    membership; a duration that has not ended yet has numerator 0. `users` are the emails of those it counts for.
    """

    kind: str
    id: int
    at: datetime
    on: date
    users: tuple[str, ...]
    with_whom: tuple[str, ...]
    title: str | None
    contribution: Number
    numerator: Number
    denominator: Number
    by: Mapping[str, str | None]
    currency: str | None = None
