"""What is said of numbers, and how they are written for a reader."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.errors import InputError
from autocapture.measure.fiscal_calendar import FiscalCalendar
from autocapture.report.numbers import Cell, Number
from autocapture.report.reader import NO_VALUE, Reader
from autocapture.report.render import shown
from autocapture.report.summary import Attainment, Tile
from autocapture.report.wording import basis, change, is_ordinary, listing, period_name, standing

NBSP, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def _number(value: int | None, unit: str = "count") -> Number:
    return Number("emails_sent", "x", unit, None if value is None else Decimal(value), 1)


def _tile(*values: int | None) -> Tile:
    return Tile(tuple(_number(value) for value in values))


@pytest.mark.parametrize(
    ("locale", "money", "day"),
    [
        ("en", "€1,234,567", "Nov 9, 2026"),
        ("nl", f"€{NBSP}1.234.567", "9 Nov 2026"),
        ("sv", f"1{NBSP}234{NBSP}567{NBSP}€", "9 Nov 2026"),
        ("zh_Hant", "€1,234,567", "9 Nov 2026"),
        ("no such locale", "€1,234,567", "Nov 9, 2026"),
    ],
)
def test_money_and_days_are_written_as_the_reader_writes_them(locale: str, money: str, day: str) -> None:
    reader = Reader(locale)
    assert reader.money(Decimal(1_234_567), "EUR") == money
    assert reader.day(date(2026, 11, 9)) == day


@pytest.mark.parametrize(
    ("locale", "amount", "text"),
    [
        ("en", 641_500, "€641.5K"),
        ("en", 50_000, "€50K"),
        ("en", 999_960, "€1M"),
        ("en", -1_234_567, "-€1.2M"),
        ("nl", 1_234_567, f"€{NBSP}1,2M"),
        ("sv", 641_500, f"641,5K{NBSP}€"),
        ("de", 2_000_000_000, f"2B{NBSP}€"),
    ],
)
def test_large_money_is_shortened_in_the_language_of_the_text(locale: str, amount: int, text: str) -> None:
    assert Reader(locale).money(Decimal(amount), "EUR", compact=True) == text


def test_dates_and_units_are_in_the_language_of_the_text() -> None:
    reader = Reader("nl", "Europe/Amsterdam")
    at = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
    assert reader.moment(at) == "Mon 16 Nov, 19:30 CET"
    assert reader.days(date(2026, 11, 9), date(2026, 11, 15)) == "9–15 Nov 2026"
    assert reader.duration(Decimal(93_784)) == "1 day 2 hrs"


@pytest.mark.parametrize(
    ("zone", "name"), [("Europe/Stockholm", "CET"), ("America/Sao_Paulo", "UTC-03"), ("UTC", "UTC")]
)
def test_a_moment_names_its_zone(zone: str, name: str) -> None:
    at = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
    assert Reader("en", zone).moment(at).endswith(f" {name}")
    assert Reader("en", zone).moment_full(at).endswith(f" {name}")


@pytest.mark.parametrize(
    ("metric", "unit", "n", "text"),
    [
        ("revenue_won", "money", 1, "1 deal"),
        ("pipeline_new", "money", 1_300, "1,300 deals"),
        ("lead_response_time", "seconds", 3, "3 leads"),
        ("emails_sent", "count", 3, ""),
    ],
)
def test_what_a_number_rests_on_is_called_by_its_name(metric: str, unit: str, n: int, text: str) -> None:
    assert basis(Number(metric, "x", unit, Decimal(1), n), Reader()) == text


def test_cents_are_never_dropped_and_yen_have_none() -> None:
    reader = Reader("en")
    assert reader.money(Decimal("10.50"), "EUR") == "€10.50"
    assert reader.money(Decimal("-0.05"), "EUR") == "-€0.05"
    assert reader.money(Decimal(1200), "JPY") == "¥1,200"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 min"), (59, "1 min"), (3_600, "1 hr"), (4_000, "1 hr 7 min"), (93_784, "1 day 2 hr")],
)
def test_a_duration_shows_its_two_largest_units(seconds: int, text: str) -> None:
    assert Reader("en").duration(Decimal(seconds)) == text


def test_working_time_is_told_in_hours() -> None:
    waited = Number("lead_response_time", "x", "seconds", Decimal(254_340), 1)
    assert Reader("en").number(waited) == "70 hr 39 min"
    cycle = Number("sales_cycle", "x", "seconds", Decimal(254_340), 1)
    assert Reader("en").number(cycle) == "2 days 22 hr"


def test_no_value_is_a_dash_and_never_nought() -> None:
    assert Reader().number(_number(None)) == NO_VALUE


def test_moments_are_told_in_the_readers_zone() -> None:
    at = datetime(2026, 11, 16, 6, 30, tzinfo=UTC)
    assert "7:30" in Reader("en", "Europe/Stockholm").moment(at)
    assert "6:30" in Reader("en", "No/Such_Zone").moment(at)


def test_a_change_within_the_usual_steps_is_called_usual() -> None:
    assert is_ordinary([Decimal(n) for n in (10, 12, 9, 11, 10, 12, 10, 12)])
    assert not is_ordinary([Decimal(n) for n in (10, 12, 9, 11, 10, 12, 10, 40)])
    assert not is_ordinary([Decimal(n) for n in (10, 12, 11)])


def test_a_change_against_a_week_without_a_value_is_not_invented() -> None:
    reader = Reader()
    assert change(_tile(None, 5), reader) == "no comparison with last week"
    assert change(_tile(5, 5), reader) == "same as last week"
    assert change(_tile(2, 5), reader).startswith("+3 vs last week")
    assert change(_tile(5, 2), reader).startswith("−3 vs last week")


def _held(start: date, end: date, actual: int = 50, elapsed: str = "0.5") -> Attainment:
    number = Number("revenue_won", "x", "money", Decimal(actual), 1, "EUR")
    return Attainment(
        "revenue_won", start, end, Decimal(100), number, Decimal(actual) / 100, Decimal(elapsed)
    )


def test_periods_are_called_by_their_name() -> None:
    reader = Reader()
    assert period_name(_held(date(2026, 10, 1), date(2026, 12, 31)), reader) == "Q4 2026"
    assert period_name(_held(date(2026, 1, 1), date(2026, 12, 31)), reader) == "2026"
    assert "Nov" in period_name(_held(date(2026, 11, 1), date(2026, 11, 30)), reader)
    assert "Q" not in period_name(_held(date(2026, 2, 1), date(2026, 4, 30)), reader)


def test_periods_of_the_organizations_own_years_are_called_by_them() -> None:
    reader = Reader(calendar=FiscalCalendar(begins_in=4))
    assert period_name(_held(date(2026, 4, 1), date(2026, 6, 30)), reader) == "FY2026-Q1"
    assert period_name(_held(date(2026, 4, 1), date(2027, 3, 31)), reader) == "FY2026"
    assert period_name(_held(date(2026, 1, 1), date(2026, 12, 31)), reader) == "2026"
    assert "Nov" in period_name(_held(date(2026, 11, 1), date(2026, 11, 30)), reader)


@pytest.mark.parametrize(
    ("actual", "said"),
    [(50, "on the linear pace"), (80, "€30 ahead of"), (20, "€30 behind"), (0, "€50 behind")],
)
def test_standing_compares_with_the_pace(actual: int, said: str) -> None:
    assert said in standing(_held(date(2026, 10, 1), date(2026, 12, 31), actual), Reader())


def test_listings_read_as_sentences() -> None:
    assert [listing(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


_ids = st.none() | st.integers(0, 10**15)


@given(st.dates(), st.dates(), _ids, _ids, st.none() | st.sampled_from(["EUR", "SEK"]))
def test_a_cell_is_read_back_as_it_was_written(
    start: date, end: date, team: int | None, user: int | None, currency: str | None
) -> None:
    cell = Cell(start, end, team, user, currency)
    assert Cell.parse(str(cell)) == cell


@given(st.text())
def test_any_other_text_is_no_cell(text: str) -> None:
    try:
        cell = Cell.parse(text)
    except InputError:
        return
    assert str(cell) == text


@given(st.text())
def test_shown_text_holds_nothing_that_acts(text: str) -> None:
    clean = shown(text)
    assert len(clean) == len(text)
    assert not any(letter in clean for letter in "\r\n\x00\u2028\u2029\u202e\u2066\u061c\x85")
