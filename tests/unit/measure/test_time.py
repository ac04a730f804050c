"""Working time and medians, by hand, and what holds of any schedule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autocapture.measure.survival import kaplan_meier_median
from autocapture.measure.worktime import (
    OFFICE,
    Away,
    Hours,
    Schedule,
    Week,
    holidays_in,
    holidays_of,
    parse_spans,
)

AMSTERDAM = "Europe/Amsterdam"
USUAL = Schedule(AMSTERDAM)
HOUR = 3600
SHIFTS = Week.parse("06:00-10:00 22:00-24:00;00:00-24:00;09:00-13:00;;01:30-03:30;00:00-06:00;01:30-03:30")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schedule(week: Week, zone: str = AMSTERDAM, **others: object) -> Schedule:
    return Schedule(zone, (Hours(date.min, week, **others),))  # type: ignore[arg-type]


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
    assert USUAL.seconds(utc(begun), utc(ended)) == hours * HOUR


def test_a_day_on_which_clocks_change_has_as_many_working_hours_as_any_other() -> None:
    """On Sunday 29 March 2026 Amsterdam goes from +1 to +2: Friday 17:00 is 16:00 UTC, Monday 09:00 is 07:00 UTC."""
    assert USUAL.seconds(utc("2026-03-27 15:00"), utc("2026-03-30 08:00")) == 2 * HOUR
    assert USUAL.seconds(utc("2026-03-30 00:00"), utc("2026-03-30 23:00")) == 8 * HOUR


def test_who_works_while_clocks_change_works_an_hour_less_or_more() -> None:
    """01:30 to 03:30 on the wall: one hour in the night of 29 March 2026, three in that of 25 October."""
    for day, hours in (("2026-03-22", 2), ("2026-03-29", 1), ("2026-10-25", 3)):
        begun = utc(day) - timedelta(hours=2)
        assert schedule(SHIFTS).seconds(begun, begun + timedelta(hours=24)) == hours * HOUR, day


def test_hours_hold_from_their_first_day_until_the_next() -> None:
    mornings = Hours(date(2026, 11, 11), Week.parse("09:00-12:00;" * 4 + "09:00-12:00;;"))
    changing = Schedule(AMSTERDAM, (Hours(date.min), mornings, Hours(date(2026, 11, 13))))
    days = [date(2026, 11, day) for day in range(9, 16)]
    assert [sum(end - begin for begin, end in changing.hours_on(day)) // 60 for day in days] == [
        *(8, 8, 3, 3, 8, 0, 0)
    ]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", ()),
        ("09:00-17:00", ((540, 1020),)),
        ("13:00-17:30 9:00-12:15", ((540, 735), (780, 1050))),
        ("09:00-12:00;12:00-24:00", ((540, 720), (720, 1440))),
    ],
)
def test_hours_of_a_day_are_read(text: str, spans: object) -> None:
    assert parse_spans(text) == spans


@pytest.mark.parametrize(
    "text",
    ["9-17", "09:00", "17:00-09:00", "09:00-09:00", "09:60-10:00", "23:00-24:30", "09:00-12:00 11:00-13:00"],
)
def test_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hours|time of day"):
        parse_spans(text)


def test_a_week_is_written_as_it_is_read() -> None:
    for week in (OFFICE, SHIFTS):
        assert Week.parse(str(week)) == week
    assert str(OFFICE) == "09:00-17:00;" * 4 + "09:00-17:00;;"


def test_holidays_are_known_where_the_locale_names_a_country() -> None:
    kings_day = date(2026, 4, 27)
    assert kings_day in holidays_of("nl-NL")
    assert kings_day in holidays_of("nl_NL")
    assert kings_day not in holidays_of("nl")
    assert kings_day not in holidays_of("xx-QQ")
    dutch = schedule(OFFICE, holidays=holidays_of("nl-NL"))
    assert dutch.working_days(date(2026, 4, 27), date(2026, 5, 1)) == 4
    assert dutch.working_days(date(2026, 5, 2), date(2026, 5, 1)) == 0


def test_parts_of_a_country_have_holidays_of_their_own() -> None:
    epiphany = date(2026, 1, 6)
    assert epiphany in holidays_in("DE-BY")
    assert epiphany not in holidays_in("DE")
    for unknown in ("QQ", "DE-QQ", ""):
        with pytest.raises(ValueError, match="no public holidays are known"):
            holidays_in(unknown)


def test_days_away_are_not_available_and_no_day_is_missed_twice() -> None:
    """Two weeks from Monday 9 November; the second Monday and Tuesday away, Wednesday half, of which a part is told twice."""
    absences = (
        Away(date(2026, 11, 14), date(2026, 11, 17)),  # begins on a Saturday
        Away(date(2026, 11, 18), date(2026, 11, 18), Decimal("0.5")),
        Away(date(2026, 11, 17), date(2026, 11, 18), Decimal("0.25")),
    )
    away = Schedule(AMSTERDAM, away=absences)
    assert away.working_days(date(2026, 11, 9), date(2026, 11, 22)) == 10
    assert away.available_days(date(2026, 11, 9), date(2026, 11, 22)) == Decimal("7.25")
    assert away.available_days(date(2026, 11, 9), date(2026, 11, 16)) == 5
    assert away.available_days(date(2026, 11, 22), date(2026, 11, 9)) == 0


moments = st.integers(0, 120 * 24 * 60).map(lambda minutes: utc("2026-02-01") + timedelta(minutes=minutes))
zones = st.sampled_from(["UTC", AMSTERDAM, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
weeks = st.sampled_from([OFFICE, SHIFTS])


@given(zones, weeks, st.tuples(moments, moments, moments).map(sorted))
def test_working_time_adds_up_and_never_exceeds_real_time(zone: str, week: Week, at: list[datetime]) -> None:
    first, between, last = at
    working = schedule(week, zone, holidays=holidays_of("nl-NL"))
    whole = working.seconds(first, last)
    assert working.seconds(first, between) + working.seconds(between, last) == whole
    assert 0 <= whole <= (last - first).total_seconds()
    assert working.seconds(last, first) == 0


@given(zones, st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_every_day_has_its_office_hours_wherever_clocks_change(zone: str, day: date) -> None:
    """Clocks change at night, so a day at the office is never shorter or longer."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    nearly_a_day = midnight + timedelta(days=1, seconds=-1)  # on the wall
    worked = Schedule(zone).seconds(midnight.astimezone(UTC), nearly_a_day.astimezone(UTC))
    assert worked == (8 * HOUR if day.weekday() < 5 else 0)
    assert Schedule(zone).working_days(day, day) == (day.weekday() < 5)


@given(
    st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 20), st.sampled_from(["0.5", "1", "0.1"])), max_size=4
    ),
    st.integers(0, 59),
    st.integers(0, 59),
)
def test_available_days_are_the_sum_of_their_days(
    absences: list[tuple[int, int, str]], first: int, length: int
) -> None:
    begin = date(2026, 11, 1)
    away = tuple(
        Away(begin + timedelta(start), begin + timedelta(start + days), Decimal(share))
        for start, days, share in absences
    )
    working = Schedule(AMSTERDAM, (Hours(date.min, OFFICE, holidays_of("de-DE")),), away)
    days = [begin + timedelta(first + n) for n in range(length + 1)]
    parts = [working.available_days(day, day) for day in days]
    assert all(0 <= part <= 1 for part in parts)
    assert working.available_days(days[0], days[-1]) == sum(parts) <= working.working_days(days[0], days[-1])


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
