"""Fiscal years, their pieces and their names: by hand against published calendars, and what holds of every calendar."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.errors import InputError
from autocapture.measure.fiscal_calendar import CALENDAR_YEAR, MONTHS, FiscalCalendar
from autocapture.measure.period import GRAINS, Grain, Period, iso_week

DAY = timedelta(days=1)
RETAIL = FiscalCalendar("4-5-4", begins_in=2, week_begins_on=6)
"""The retail calendar of the United States: years end on the Saturday nearest to the end of January."""
LAST_SATURDAY = FiscalCalendar("4-4-5", begins_in=10, named_by="end", week_begins_on=6, ends_on="last")
"""Years that end on the last Saturday of September, as those of some makers of computers."""
APRIL = FiscalCalendar(begins_in=4)

calendars = st.builds(
    FiscalCalendar,
    months=st.sampled_from(MONTHS),
    begins_in=st.integers(1, 12),
    named_by=st.sampled_from(["start", "end"]),
    week_begins_on=st.integers(0, 6),
    ends_on=st.sampled_from(["nearest", "last"]),
)
days = st.dates(date(1905, 1, 1), date(2994, 12, 31))
grains = st.sampled_from(GRAINS)


def period(text: str) -> Period:
    start, end = text.split("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("calendar", "name", "dates"),
    [
        (RETAIL, "FY2022", "2022-01-30..2023-01-28"),
        (RETAIL, "FY2023", "2023-01-29..2024-02-03"),  # 53 weeks
        (RETAIL, "FY2024", "2024-02-04..2025-02-01"),
        (RETAIL, "FY2023-Q4", "2023-10-29..2024-02-03"),
        (RETAIL, "FY2023-M12", "2023-12-31..2024-02-03"),
        (RETAIL, "FY2023-W53", "2024-01-28..2024-02-03"),
        (RETAIL, "FY2024-M02", "2024-03-03..2024-04-06"),
        (LAST_SATURDAY, "FY2022", "2021-09-26..2022-09-24"),
        (LAST_SATURDAY, "FY2023", "2022-09-25..2023-09-30"),  # 53 weeks
        (LAST_SATURDAY, "FY2024", "2023-10-01..2024-09-28"),
        (FiscalCalendar("13"), "FY2026-M13", "2026-11-30..2027-01-03"),  # five weeks, in a year of 53
        (FiscalCalendar("13"), "FY2026-Q4", "2026-09-07..2027-01-03"),
        (APRIL, "FY2026", "2026-04-01..2027-03-31"),
        (APRIL, "FY2027-Q4", "2028-01-01..2028-03-31"),
        (APRIL, "FY2027-M11", "2028-02-01..2028-02-29"),  # a leap year
        (APRIL, "FY2026-W01", "2026-03-30..2026-04-05"),
        (FiscalCalendar(begins_in=4, named_by="end"), "FY2027", "2026-04-01..2027-03-31"),
        (FiscalCalendar(week_begins_on=6), "FY2026-W01", "2026-01-04..2026-01-10"),
    ],
)
def test_a_fiscal_period_has_the_days_that_its_calendar_says(
    calendar: FiscalCalendar, name: str, dates: str
) -> None:
    assert calendar.parse(name) == period(dates)


@pytest.mark.parametrize(
    "text", ["2026", "2026-Q1", "2026-11", "2026-W46", "2025-W01", "2026-11-01..2026-11-15"]
)
def test_what_everybody_calls_a_period_means_the_same_under_every_calendar(text: str) -> None:
    assert CALENDAR_YEAR.name(CALENDAR_YEAR.parse(text)) == text
    for calendar in (RETAIL, LAST_SATURDAY, APRIL):
        assert calendar.parse(text) == CALENDAR_YEAR.parse(text)


def test_a_period_of_the_fiscal_year_is_called_by_it() -> None:
    assert APRIL.name(APRIL.parse("2026-Q2")) == "FY2026-Q1"
    assert APRIL.name(APRIL.parse("2026-05")) == "2026-05"  # its months are those of the calendar
    assert APRIL.name(APRIL.parse("2026")) == "2026"  # a year, though not one of its own
    assert APRIL.label(date(2027, 1, 1), "quarter") == "FY2026-Q4"
    assert RETAIL.label(date(2026, 11, 22), "month") == "FY2026-M10"
    assert RETAIL.name(period("2026-11-22..2026-11-28")) == "FY2026-W43"
    assert RETAIL.name(period("2026-11-22..2026-11-22")) == "2026-11-22"


@pytest.mark.parametrize(
    "text",
    "FY2026-W53 FY2026-W00 FY2026-M13 FY2026-M00 FY2026-Q5 FY26 FY0000 FY9999 fy2026 FY2026-".split(),
)
def test_a_fiscal_period_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="FY2026-Q4"):
        FiscalCalendar(begins_in=2).parse(text)


@given(days)
def test_weeks_from_monday_nearest_to_january_are_those_of_iso_8601(day: date) -> None:
    calendar = FiscalCalendar("4-4-5")
    year, week, weekday = day.isocalendar()
    assert calendar.piece(day, "week") == Period(day - (weekday - 1) * DAY, day + (7 - weekday) * DAY)
    assert calendar.label(day, "week") == iso_week(day) == CALENDAR_YEAR.label(day, "week")
    assert calendar.label(day, "year") == f"FY{year}"
    assert calendar.parse(f"FY{year}-W{week:02}") == calendar.piece(day, "week")


@given(calendars, days, grains)
def test_every_day_lies_in_exactly_one_piece_which_its_name_gives_back(
    calendar: FiscalCalendar, day: date, grain: Grain
) -> None:
    piece = calendar.piece(day, grain)
    assert piece.start <= day <= piece.end
    assert calendar.piece(piece.start, grain) == calendar.piece(piece.end, grain) == piece
    assert calendar.piece(piece.end + DAY, grain).start == piece.end + DAY
    if grain != "day":
        name = calendar.label(day, grain)
        assert calendar.parse(name) == piece
        assert calendar.label(piece.end + DAY, grain) != name
        assert calendar.parse(calendar.name(piece)) == piece


@given(calendars, days)
def test_months_fill_quarters_and_quarters_fill_the_year(calendar: FiscalCalendar, day: date) -> None:
    year = calendar.piece(day, "year")
    months, quarters = calendar.cut(year, "month"), calendar.cut(year, "quarter")
    assert (len(quarters), len(months)) == (4, 13 if calendar.months == "13" else 12)
    for pieces in (months, quarters):
        assert (pieces[0].start, pieces[-1].end) == (year.start, year.end)
        assert all(before.end + DAY == after.start for before, after in pairwise(pieces))
    assert {quarter.start for quarter in quarters} <= {month.start for month in months}
    if calendar.months == "calendar":
        assert [month.start.day for month in months] == [1] * 12
        return
    assert year.days in (52 * 7, 53 * 7)
    assert year.start.weekday() == calendar.week_begins_on
    weeks = [month.days // 7 for month in months]
    usual = [4] * 13 if calendar.months == "13" else [int(n) for n in calendar.months.split("-")] * 4
    assert weeks == [*usual[:-1], usual[-1] + year.days // 7 - 52]
    nominal = min(
        (date(number, calendar.begins_in, 1) for number in (year.start.year, year.start.year + 1)),
        key=lambda first: abs(first - year.start),
    )
    off = (year.start - nominal).days
    assert -3 <= off <= 3 if calendar.ends_on == "nearest" else -6 <= off <= 0


@given(calendars, days, st.integers(0, 800), grains)
def test_a_period_is_cut_without_gap_and_clipped_at_its_ends(
    calendar: FiscalCalendar, first: date, length: int, grain: Grain
) -> None:
    whole = Period(first, first + length * DAY)
    pieces = calendar.cut(whole, grain)
    assert (pieces[0].start, pieces[-1].end) == (whole.start, whole.end)
    assert sum(piece.days for piece in pieces) == whole.days
    assert all(piece == calendar.piece(piece.start, grain) for piece in pieces[1:-1])
    assert calendar.cut(whole, None) == (whole,)


def test_the_calendars_year_2026_has_53_weeks() -> None:
    weeks = CALENDAR_YEAR.cut(CALENDAR_YEAR.parse("2026"), "week")
    assert len(weeks) == 53
    assert (weeks[0], weeks[-1]) == (period("2026-01-01..2026-01-04"), period("2026-12-28..2026-12-31"))
    assert CALENDAR_YEAR.label(weeks[-1].start, "week") == "2026-W53"
