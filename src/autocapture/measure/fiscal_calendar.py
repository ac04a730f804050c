"""The organisation's own years: where they begin, how they fall into quarters, months and weeks, and what these are called.

Every day lies in exactly one week, month, quarter and year. Years are of two kinds. Those of calendar months begin with any of
them. Those of weeks have 52 or 53, in quarters of 13 weeks (4-4-5, 4-5-4, 5-4-4) or in thirteen months of four weeks, and end on
the same weekday each time: the last one of a month, or the one nearest to its end (26 CFR 1.441-2). A 53rd week belongs to the
last month. With Monday, January and `nearest`, weeks and years are those of ISO 8601.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal, get_args

from autocapture.errors import InputError
from autocapture.measure.period import (
    FORMS,
    Grain,
    Period,
    iso_week,
    month_of_year,
    parse_period,
    quarter_name,
    within_bounds,
)

Months = Literal["calendar", "4-4-5", "4-5-4", "5-4-4", "13"]
MONTHS: tuple[Months, ...] = get_args(Months)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_WEEKS_OF_MONTHS = {
    "4-4-5": (4, 4, 5) * 4,
    "4-5-4": (4, 5, 4) * 4,
    "5-4-4": (5, 4, 4) * 4,
    "13": (4,) * 13,
}
_MONTHS_OF_QUARTERS = {12: (3, 3, 3, 3), 13: (3, 3, 3, 4)}
_NAME = re.compile(r"FY(\d{4})(?:-(Q[1-4]|M\d{2}|W\d{2}))?", re.ASCII)
_GRAIN_OF: Mapping[str, Grain] = {"Q": "quarter", "M": "month", "W": "week"}
_LONGEST_FIRST: tuple[Grain, ...] = ("year", "quarter", "month", "week")
_FISCAL_FORMS = f"{FORMS}; of fiscal years FY2026, FY2026-Q4, FY2026-M11 or FY2026-W46"


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """`begins_in`: the month with which a year begins, or near whose first day. `named_by`: a year is called after the year of
    the calendar in which it begins, or in which it ends. `week_begins_on`: 0 is Monday. `ends_on`: of years of weeks, whether
    they end on the last such weekday before that month begins, or on the nearest.

    Weeks of years of calendar months belong to the year in which the greater part of them lies, as those of ISO 8601 do.
    """

    months: Months = "calendar"
    begins_in: int = 1
    named_by: Literal["start", "end"] = "start"
    week_begins_on: int = 0
    ends_on: Literal["nearest", "last"] = "nearest"

    def piece(self, day: date, grain: Grain) -> Period:
        """The whole week, month, quarter or year in which `day` lies."""
        if grain == "day":
            return Period(day, day)
        if grain == "week":
            start = day - self._days_into_week(day)
            return Period(start, start + _WEEK - _DAY)
        pieces = self._pieces(self._year_around(day, grain), grain)
        return pieces[bisect_right([piece.start for piece in pieces], day) - 1]

    def cut(self, period: Period, grain: Grain | None) -> tuple[Period, ...]:
        """The pieces of `grain` in order of time; the first and the last are clipped. None: the period itself."""
        return (period,) if grain is None else tuple(self._clipped(period, grain))

    def label(self, day: date, grain: Grain) -> str:
        """What the piece in which `day` lies is called: ``2026-W46``, ``FY2026-Q3``. `parse` reads it as that piece."""
        if grain == "day":
            return f"{day}"
        if self._is_shared(grain):
            return _shared_names(day)[grain]
        year = self._year_around(day, grain)
        name = f"FY{self._named(year):04}"
        if grain == "year":
            return name
        number = self._pieces(year, grain).index(self.piece(day, grain)) + 1
        return f"{name}-Q{number}" if grain == "quarter" else f"{name}-{grain[0].upper()}{number:02}"

    def name(self, period: Period) -> str:
        """The shortest text that `parse` reads as the period; a single day is told as the day alone."""
        for grain in _LONGEST_FIRST:
            if self.piece(period.start, grain) == period:
                return self.label(period.start, grain)
        for shared in _shared_names(period.start).values():
            if _reads_as(shared, period):
                return shared
        return f"{period}" if period.days > 1 else f"{period.start}"

    def parse(self, text: str) -> Period:
        """The period that `text` names: what `parse_period` reads, or a piece of a fiscal year. Raises InputError."""
        found = _NAME.fullmatch(text.strip())
        if found is None:
            return parse_period(text, _FISCAL_FORMS)
        grain: Grain
        grain, number = ("year", 1) if found[2] is None else (_GRAIN_OF[found[2][0]], int(found[2][1:]))
        try:
            pieces = self._pieces(int(found[1]) - self._named(0), grain)
        except (ValueError, OverflowError):
            pieces = ()
        if not 1 <= number <= len(pieces):
            raise InputError(f"there is no such period as {text!r}; write {_FISCAL_FORMS}")
        return within_bounds(pieces[number - 1], text)

    def _is_shared(self, grain: Grain) -> bool:
        """Whether these pieces are those that everybody has, and have no name of their own."""
        if grain == "week":
            of_iso = self.begins_in == 1 and self.ends_on == "nearest"
            return self.week_begins_on == 0 and (self.months == "calendar" or of_iso)
        return self.months == "calendar" and (grain == "month" or self.begins_in == 1)

    def _named(self, year: int) -> int:
        """The number by which the year is known that begins in or near `year` of the calendar."""
        return year + (self.named_by == "end" and self.begins_in != 1)

    def _clipped(self, period: Period, grain: Grain) -> Iterator[Period]:
        start = period.start
        while start <= period.end:
            last = min(self.piece(start, grain).end, period.end)
            yield Period(start, last)
            start = last + _DAY

    def _year_around(self, day: date, grain: Grain) -> int:
        """The year of the calendar in which, or near which, the fiscal year begins that holds the day's piece."""
        start = self._first_week if grain == "week" else self._first_day
        return max(year for year in (day.year - 1, day.year, day.year + 1) if start(year) <= day)

    def _pieces(self, year: int, grain: Grain) -> tuple[Period, ...]:
        return _pieces_of_year(self, year, grain)

    def _first_day(self, year: int) -> date:
        return date(year, self.begins_in, 1) if self.months == "calendar" else self._first_week(year)

    def _first_week(self, year: int) -> date:
        """The first day of the first week: near the first day of the month."""
        first = date(year, self.begins_in, 1)
        back = self._days_into_week(first)
        last = self.months != "calendar" and self.ends_on == "last"
        return first - back if last or back <= 3 * _DAY else first - back + _WEEK

    def _days_into_week(self, day: date) -> timedelta:
        return (day.weekday() - self.week_begins_on) % 7 * _DAY


def is_fiscal(name: str) -> bool:
    """Whether a period is called by a fiscal year."""
    return _NAME.fullmatch(name) is not None


CALENDAR_YEAR = FiscalCalendar()
"""Years as everybody has them, and weeks by ISO 8601."""


@lru_cache(maxsize=1_024)
def _pieces_of_year(calendar: FiscalCalendar, year: int, grain: Grain) -> tuple[Period, ...]:
    if grain == "week":
        first, after = calendar._first_week(year), calendar._first_week(year + 1)
        weeks = (after - first) // _WEEK
        return _between([first + number * _WEEK for number in range(weeks)], after)
    first, after = calendar._first_day(year), calendar._first_day(year + 1)
    if grain == "year":
        return (Period(first, after - _DAY),)
    months = _between(_first_days_of_months(calendar, year), after)
    if grain == "month":
        return months
    ends = accumulate(_MONTHS_OF_QUARTERS[len(months)], initial=0)
    return tuple(Period(months[begin].start, months[end - 1].end) for begin, end in pairwise(ends))


def _first_days_of_months(calendar: FiscalCalendar, year: int) -> list[date]:
    if calendar.months == "calendar":
        zero = calendar.begins_in - 1
        return [month_of_year(year + n // 12, n % 12 + 1).start for n in range(zero, zero + 12)]
    first = calendar._first_day(year)
    weeks = accumulate(_WEEKS_OF_MONTHS[calendar.months][:-1], initial=0)
    return [first + number * _WEEK for number in weeks]


def _between(starts: list[date], after: date) -> tuple[Period, ...]:
    return tuple(Period(start, following - _DAY) for start, following in pairwise([*starts, after]))


def _shared_names(day: date) -> dict[Grain, str]:
    return {
        "year": f"{day:%Y}",
        "quarter": quarter_name(day),
        "month": f"{day:%Y-%m}",
        "week": iso_week(day),
    }


def _reads_as(name: str, period: Period) -> bool:
    try:
        return parse_period(name) == period
    except InputError:  # too long ago, or too far ahead
        return False
