"""Series become instances: right on the wall clock, bounded whatever the rule says."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autocapture.errors import RecordUnusable
from autocapture.formats.recurrence import Occurrence, occurrences
from autocapture.formats.rules import expand, parse_rule
from autocapture.records import EventRecord, Recurrence

BERLIN = ZoneInfo("Europe/Berlin")
YEAR = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def weekly(rule: str = "FREQ=WEEKLY", **changes: object) -> EventRecord:
    start = datetime(2026, 3, 16, 9, 0, tzinfo=BERLIN)
    event = EventRecord("u", start, start + timedelta(hours=1), "t", recurrence=Recurrence((rule,)))
    return replace(event, **changes)  # type: ignore[arg-type]


def within(*records: EventRecord, window: tuple[datetime, datetime] = YEAR) -> list[Occurrence]:
    return occurrences(records, window_start=window[0], window_end=window[1])


def starts(*records: EventRecord, window: tuple[datetime, datetime] = YEAR) -> list[datetime | date]:
    return [each.starts_at for each in within(*records, window=window)]


def test_a_weekly_meeting_keeps_its_wall_clock_time_over_the_change_to_summer_time() -> None:
    assert starts(weekly("FREQ=WEEKLY;COUNT=3")) == [
        datetime(2026, 3, 16, 8, tzinfo=UTC),
        datetime(2026, 3, 23, 8, tzinfo=UTC),
        datetime(2026, 3, 30, 7, tzinfo=UTC),
    ]


def test_a_time_that_the_clock_skips_uses_the_offset_before_the_gap() -> None:
    start = datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN)
    event = EventRecord(
        "u", start, start + timedelta(minutes=30), recurrence=Recurrence(("FREQ=DAILY;COUNT=3",))
    )
    found = within(event)
    assert [each.starts_at for each in found] == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]
    assert {each.ends_at - each.starts_at for each in found} == {timedelta(minutes=30)}  # type: ignore[operator]


@pytest.mark.parametrize("fold", [0, 1])
def test_a_series_that_begins_in_the_hour_that_comes_twice_begins_once(fold: int) -> None:
    start = datetime(2026, 10, 25, 2, 17, tzinfo=BERLIN, fold=fold)
    recurrence = Recurrence(("FREQ=DAILY;COUNT=3",))
    assert starts(weekly(starts_at=start, ends_at=start, recurrence=recurrence)) == [
        datetime(2026, 10, 25, fold, 17, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 17, tzinfo=UTC),
        datetime(2026, 10, 27, 1, 17, tzinfo=UTC),
    ]


def test_the_window_is_half_open() -> None:
    event = weekly("FREQ=DAILY")
    window = (datetime(2026, 3, 17, 8, tzinfo=UTC), datetime(2026, 3, 19, 8, tzinfo=UTC))
    assert starts(event, window=window) == [window[0], datetime(2026, 3, 18, 8, tzinfo=UTC)]


def test_a_single_event_has_one_instance_without_a_key() -> None:
    [found] = within(weekly(recurrence=None))
    assert (found.key, found.starts_at) == (None, datetime(2026, 3, 16, 8, tzinfo=UTC))


def test_a_moved_instance_keeps_the_key_of_its_original_start() -> None:
    moved = weekly(
        recurrence=None,
        recurrence_id=datetime(2026, 3, 23, 9, tzinfo=BERLIN),
        starts_at=datetime(2026, 3, 24, 15, tzinfo=BERLIN),
        ends_at=datetime(2026, 3, 24, 16, tzinfo=BERLIN),
    )
    for records in (
        (weekly("FREQ=WEEKLY;COUNT=2", overrides=(moved,)),),
        (moved, weekly("FREQ=WEEKLY;COUNT=2")),
    ):
        _, second = within(*records)
        assert second.key == datetime(2026, 3, 23, 8, tzinfo=UTC)
        assert second.starts_at == datetime(2026, 3, 24, 14, tzinfo=UTC)
        assert second.event is moved


def test_an_instance_moved_out_of_the_window_is_not_in_it_and_one_moved_in_is() -> None:
    moved = weekly(
        recurrence=None,
        recurrence_id=datetime(2026, 3, 23, 9, tzinfo=BERLIN),
        starts_at=datetime(2027, 3, 23, 9, tzinfo=BERLIN),
        ends_at=datetime(2027, 3, 23, 10, tzinfo=BERLIN),
    )
    series = weekly("FREQ=WEEKLY;COUNT=2", overrides=(moved,))
    assert len(starts(series)) == 1
    assert len(starts(series, window=(YEAR[1], YEAR[1] + timedelta(days=365)))) == 1


def test_cancelled_instances_and_cancelled_series_are_marked() -> None:
    gone = weekly(recurrence=None, recurrence_id=datetime(2026, 3, 23, 9, tzinfo=BERLIN), status="cancelled")
    gone = replace(gone, starts_at=gone.recurrence_id, ends_at=gone.recurrence_id + timedelta(hours=1))  # type: ignore
    series = weekly("FREQ=WEEKLY;COUNT=3", overrides=(gone,))
    assert [each.cancelled for each in within(series)] == [False, True, False]
    assert all(each.cancelled for each in within(replace(series, status="cancelled")))


def test_exceptions_without_their_master_stand_alone() -> None:
    lone = weekly(recurrence=None, recurrence_id=datetime(2026, 3, 9, 9, tzinfo=BERLIN))
    [found] = within(lone)
    assert found.key == datetime(2026, 3, 9, 8, tzinfo=UTC)


def test_an_exception_named_by_date_alone_replaces_its_instance() -> None:
    moved = weekly(recurrence=None, recurrence_id=date(2026, 3, 23))
    found = within(weekly("FREQ=WEEKLY;COUNT=2", overrides=(moved,)))
    assert sorted(each.event is moved for each in found) == [False, True]


def test_exclusions_count_as_instants_in_any_zone_or_as_dates() -> None:
    excluded = (datetime(2026, 3, 23, 8, tzinfo=UTC), date(2026, 3, 30))
    recurrence = Recurrence(("FREQ=WEEKLY;COUNT=4",), excluded=excluded)
    assert starts(weekly(recurrence=recurrence)) == [
        datetime(2026, 3, 16, 8, tzinfo=UTC),
        datetime(2026, 4, 6, 7, tzinfo=UTC),
    ]


def test_listed_dates_are_added_once() -> None:
    listed = (
        datetime(2026, 3, 18, 9, tzinfo=BERLIN),
        datetime(2026, 3, 23, 8, tzinfo=UTC),
        date(2026, 3, 19),
    )
    recurrence = Recurrence(("FREQ=WEEKLY;COUNT=2",), dates=listed)
    assert [each.day for each in starts(weekly(recurrence=recurrence))] == [16, 18, 19, 23]


def test_an_all_day_series_stays_on_dates() -> None:
    event = EventRecord(
        "u", date(2026, 3, 28), date(2026, 3, 30), recurrence=Recurrence(("FREQ=MONTHLY;COUNT=2",))
    )
    assert [(each.key, each.starts_at, each.ends_at) for each in within(event)] == [
        (date(2026, 3, 28), date(2026, 3, 28), date(2026, 3, 30)),
        (date(2026, 4, 28), date(2026, 4, 28), date(2026, 4, 30)),
    ]


@pytest.mark.parametrize("until", ["20260330", "20260330T070000Z", "20260330T090000"])
def test_until_is_inclusive_as_date_instant_or_wall_clock_time(until: str) -> None:
    assert len(starts(weekly(f"FREQ=WEEKLY;UNTIL={until}"))) == 3


def test_a_start_that_the_rule_does_not_produce_is_still_the_first_instance() -> None:
    found = starts(weekly("FREQ=WEEKLY;BYDAY=WE;COUNT=3"))
    assert [each.day for each in found] == [16, 18, 25]


def test_a_birthday_of_long_ago_is_found_at_once() -> None:
    event = EventRecord("u", date(1604, 5, 4), date(1604, 5, 5), recurrence=Recurrence(("FREQ=YEARLY",)))
    assert starts(event) == [date(2026, 5, 4)]


def test_a_series_gives_at_most_a_thousand_instances() -> None:
    assert len(starts(weekly("FREQ=DAILY;BYHOUR=8,9,10,11,12"))) == 1_000


REFUSED = [
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;COUNT=5",
    "FREQ=HOURLY",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=4,6;BYMONTHDAY=31",
    "FREQ=DAILY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,10,20,30,40",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=99999999999999999999",
    "FREQ=DAILY;COUNT=x",
    "FREQ=DAILY;COUNT=1000000",
    "FREQ=DAILY;UNTIL=20260231",
    "FREQ=WEEKLY;BYDAY=XX",
    "RSCALE=CHINESE;FREQ=YEARLY",
    "",
    "FREQ=DAILY;BYMONTHDAY=" + "1," * 5_000,
]


@pytest.mark.parametrize("rule", REFUSED, ids=lambda rule: rule[:30])
def test_a_hostile_or_unreadable_rule_is_refused(rule: str) -> None:
    with pytest.raises(RecordUnusable):
        starts(weekly(rule))


COSTLY = [
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU",  # never: every seventh day is a Monday
    "FREQ=DAILY;BYSETPOS=2",  # never
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",  # never
    "FREQ=YEARLY;INTERVAL=10000",
    "FREQ=DAILY;COUNT=50000;BYHOUR=" + ",".join(map(str, range(24))),
    "FREQ=YEARLY;BYDAY=" + ",".join(f"{n}{day}" for n in range(1, 54) for day in ("MO", "TU")),
]


@pytest.mark.parametrize("rule", COSTLY, ids=lambda rule: rule[:30])
@pytest.mark.parametrize("year", [1970, 2026])
def test_a_costly_rule_ends_in_time(rule: str, year: int) -> None:
    start = datetime(year, 3, 16, 9, tzinfo=BERLIN)
    begun = time.process_time()
    starts(EventRecord("u", start, start, recurrence=Recurrence((rule,))))
    assert time.process_time() - begun < 2


PARTS = (
    *("BYMONTH=1,3,11", "BYMONTHDAY=1,15,-1", "BYMONTHDAY=31", "BYMONTHDAY=29", "BYYEARDAY=1,60,-1"),
    *(
        "BYDAY=MO,FR",
        "BYDAY=1TU",
        "BYDAY=-1SU,2WE",
        "BYSETPOS=1,-1",
        "BYHOUR=8,17",
        "BYMINUTE=0,30",
        "WKST=SU",
    ),
)
RULES = st.builds(
    lambda freq, interval, bounds, parts: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *bounds, *parts]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.sampled_from([(), ("COUNT=7",), ("COUNT=40",)]),
    st.lists(st.sampled_from(PARTS), max_size=3, unique_by=lambda part: part.split("=")[0]),
)


@settings(max_examples=120, deadline=None)
@given(RULES, st.integers(0, 850_000_000), st.integers(0, 3000))
def test_rules_expand_as_another_implementation_expands_them(rule: str, second: int, later: int) -> None:
    start = datetime(2000, 1, 1) + timedelta(seconds=second)  # noqa: DTZ001 - wall-clock time
    # The other one begins its first week at the start, not at the week's first day, so it counts positions differently.
    assume(not (rule.startswith("FREQ=WEEKLY") and "BYSETPOS" in rule))
    first = start + timedelta(days=later)
    last = first + timedelta(days=900)
    expected = rrulestr(rule, dtstart=start).between(first, last, inc=True)
    got = [each for each in expand(parse_rule(rule), start, first=first, last=last) if each >= first]
    assert got == expected
