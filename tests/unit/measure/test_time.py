"""Working time and medians, by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.measure.survival import kaplan_meier_median
from autocapture.measure.worktime import business_days, business_seconds, holidays_of

AMSTERDAM = "Europe/Amsterdam"
HOUR = 3600


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begun", "ended", "hours"),
    [
        ("2026-11-09 08:00", "2026-11-09 16:00", 8),  # a whole Monday
        ("2026-11-09 03:00", "2026-11-09 22:00", 8),  # nights do not count
        ("2026-11-13 15:00", "2026-11-16 09:00", 2),  # over a weekend
        ("2026-11-14 09:00", "2026-11-15 16:00", 0),  # within one
        ("2026-11-09 12:00", "2026-11-09 10:00", 0),  # the wrong way round
    ],
)
def test_working_hours_are_nine_to_five_on_weekdays(begun: str, ended: str, hours: int) -> None:
    assert business_seconds(utc(begun), utc(ended), AMSTERDAM) == hours * HOUR


def test_a_day_on_which_clocks_change_has_as_many_working_hours_as_any_other() -> None:
    """On Sunday 29 March 2026 Amsterdam goes from +1 to +2: Friday 17:00 is 16:00 UTC, Monday 09:00 is 07:00 UTC."""
    assert business_seconds(utc("2026-03-27 15:00"), utc("2026-03-30 08:00"), AMSTERDAM) == 2 * HOUR
    assert business_seconds(utc("2026-03-30 00:00"), utc("2026-03-30 23:00"), AMSTERDAM) == 8 * HOUR


def test_holidays_are_known_where_the_locale_names_a_country() -> None:
    kings_day = date(2026, 4, 27)
    assert kings_day in holidays_of("nl-NL")
    assert kings_day in holidays_of("nl_NL")
    assert kings_day not in holidays_of("nl")
    assert kings_day not in holidays_of("xx-QQ")
    assert business_days(date(2026, 4, 27), date(2026, 5, 1), holidays_of("nl-NL")) == 4
    assert business_days(date(2026, 5, 2), date(2026, 5, 1)) == 0


@pytest.mark.parametrize(
    ("durations", "median"),
    [
        ([], None),
        ([(5, True)], 5),
        ([(1, True), (3, True)], 2),
        ([(1, True), (2, True), (9, True)], 2),
        ([(1, True), (2, False), (3, False)], None),
        ([(1, True), (1, True), (1, True), (9, False)], 1),
        # 6 at risk: 5/6 after 6, then one is cut; 5/6 · 3/4 = 0.625 after 10, 5/6 · 3/4 · 2/3 = 0.4167 after 13
        ([(6, True), (7, False), (10, True), (13, True), (20, False), (30, True)], 13),
    ],
)
def test_the_median_counts_those_that_have_not_ended(
    durations: list[tuple[int, bool]], median: int | None
) -> None:
    assert kaplan_meier_median(durations) == median


@given(st.lists(st.integers(0, 10_000).map(lambda half: 2 * half), min_size=1))
def test_without_open_ones_it_is_the_ordinary_median(seconds: list[int]) -> None:
    ordered = sorted(seconds)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
    assert kaplan_meier_median((value, True) for value in seconds) == middle
