"""Periods: inclusive ranges of local dates, and the names that everybody shares: ISO weeks, months, quarters and years.

An organisation's own years are those of `measure.fiscal_calendar`, which also reads and cuts.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from autocapture.errors import InputError

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = get_args(Grain)

_DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 1900, 2999  # so that days before and after a period are dates too
FORMS = "2026-W46, 2026-11, 2026-Q4, 2026 or 2026-11-01..2026-11-15"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The local dates from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InputError(f"a period cannot end ({self.end}) before it begins ({self.start})")

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def parse_period(text: str, forms: str = FORMS) -> Period:
    """The period that `text` names: an ISO week, a month, a quarter, a year, or ``date..date`` (both included).

    Raises InputError, which says by `forms` what to write, for anything else, and for dates that do not exist (week 53 of a year
    that has 52).
    """
    for pattern, read in _READERS:
        found = pattern.fullmatch(text.strip())
        if found:
            try:
                period = read(*found.groups())
            except (ValueError, OverflowError):
                raise InputError(f"there is no such period as {text!r}; write {forms}") from None
            return within_bounds(period, text)
    raise InputError(f"{text!r} is no period; write {forms}")


def within_bounds(period: Period, text: str) -> Period:
    """`period`, which `text` names. Raises InputError where it lies too far from today for days around it to be dates."""
    if period.start.year < FIRST_YEAR or period.end.year > LAST_YEAR:
        raise InputError(f"{text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return period


def day_within_bounds(day: date) -> date:
    """`day`. Raises InputError as `within_bounds` does."""
    return within_bounds(Period(day, day), f"{day}").start


def parse_grain(text: str) -> Grain:
    """Raises InputError for anything but a grain."""
    for grain in GRAINS:
        if text == grain:
            return grain
    raise InputError(f"{text!r} is no grain; there are {', '.join(GRAINS)}")


def iso_week(day: date) -> str:
    """``2026-W46``: the ISO week of `day`, as `parse_period` reads it."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def quarter_name(day: date) -> str:
    """``2026-Q4``: the quarter of the calendar's year in which `day` lies."""
    return f"{day:%Y}-Q{(day.month + 2) // 3}"


def month_of_year(year: int, month: int) -> Period:
    """A month of the calendar."""
    return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _read_week(year: str, week: str) -> Period:
    monday = date.fromisocalendar(int(year), int(week), 1)
    return Period(monday, monday + timedelta(days=6))


def _read_quarter(year: str, quarter: str) -> Period:
    last = 3 * int(quarter)
    return Period(month_of_year(int(year), last - 2).start, month_of_year(int(year), last).end)


_READERS: tuple[tuple[re.Pattern[str], Callable[..., Period]], ...] = (
    (re.compile(r"(\d{4})-W(\d{2})", re.ASCII), _read_week),
    (re.compile(r"(\d{4})-Q([1-4])", re.ASCII), _read_quarter),
    (re.compile(r"(\d{4})-(\d{2})", re.ASCII), lambda year, month: month_of_year(int(year), int(month))),
    (re.compile(r"(\d{4})", re.ASCII), lambda year: Period(date(int(year), 1, 1), date(int(year), 12, 31))),
    (
        re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})", re.ASCII),
        lambda first, last: Period(date.fromisoformat(first), date.fromisoformat(last)),
    ),
)
