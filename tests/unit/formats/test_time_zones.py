"""Zones that calendars bring along: their own rules hold, also once they were stored, and hostile ones cost nothing."""

from __future__ import annotations

import json
import pickle
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from dateutil.tz import tzical

from autocapture.formats.icalendar import parse_calendar
from autocapture.formats.recurrence import occurrences
from autocapture.formats.time_zones import WrittenZone, known_zone, zone_of
from autocapture.records import EventRecord
from autocapture.store.calendar import record_from_json, record_to_json


def observance(kind: str, start: str, offsets: tuple[str, str], *lines: str) -> list[str]:
    head = [f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{offsets[0]}", f"TZOFFSETTO:{offsets[1]}"]
    return [*head, *lines, f"END:{kind}"]


def zone(name: str, *observances: list[str]) -> list[str]:
    inside = [line for each in observances for line in each]
    return ["BEGIN:VTIMEZONE", f"TZID:{name}", *inside, "END:VTIMEZONE"]


def calendar(written: list[str], start: str, *lines: str, tzid: str = "Customized Time Zone") -> bytes:
    event = ["BEGIN:VEVENT", "UID:u1", f"DTSTART;TZID={tzid}:{start}", *lines, "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", *written, *event, "END:VCALENDAR", ""]).encode()


def read(raw: bytes) -> EventRecord:
    [record] = parse_calendar(raw, default_time_zone="Europe/Berlin")
    assert isinstance(record, EventRecord)
    return record


def stored(record: EventRecord) -> EventRecord:
    """What comes back from the database."""
    return record_from_json(json.loads(json.dumps(record_to_json(record))))


def starts(record: EventRecord, begins: datetime, ends: datetime) -> list[str]:
    found = occurrences([record], window_start=begins, window_end=ends)
    return [f"{each.starts_at:%Y-%m-%dT%H:%M}" for each in found]


# As Exchange writes the zone of an organisation of its own making: half an hour beside its neighbours, and summer time
# from the second Friday of April to the first Thursday of September.
EXCHANGE = zone(
    "Customized Time Zone",
    observance(
        *("STANDARD", "16010101T030000", ("+0330", "+0230")),
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1TH;BYMONTH=9",
    ),
    observance(
        *("DAYLIGHT", "16010101T020000", ("+0230", "+0330")),
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2FR;BYMONTH=4",
    ),
)

# The American rules up to 2006 and those since 2007, a quarter of an hour beside any zone that there is.
HISTORIC = zone(
    "Customized Time Zone",
    observance(
        *("DAYLIGHT", "19870405T020000", ("-0515", "-0415")),
        "RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T071500Z",
    ),
    observance(
        *("STANDARD", "19871025T020000", ("-0415", "-0515")),
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T061500Z",
    ),
    observance(*("DAYLIGHT", "20070311T020000", ("-0515", "-0415")), "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"),
    observance(
        *("STANDARD", "20071104T020000", ("-0415", "-0515")), "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"
    ),
)

# Each change listed by itself, the last one for good; written in no order, with the change of 1893 that libraries add.
LISTED = zone(
    "Customized Time Zone",
    observance("DAYLIGHT", "20240407T020000", ("+0230", "+0330"), "RDATE:20250406T020000,20260405T020000"),
    observance("STANDARD", "20241006T030000", ("+0330", "+0230"), "RDATE:20251005T030000,20261004T030000"),
    observance("STANDARD", "18930401T000000", ("+025328", "+0230")),
    observance("STANDARD", "19160430T230000", ("+0230", "+0230")),
)


@pytest.mark.parametrize("through", [lambda record: record, stored], ids=["read", "stored"])
@pytest.mark.parametrize(
    ("written", "first", "rule", "expected"),
    [
        pytest.param(
            *(EXCHANGE, "20260407T090000", "RRULE:FREQ=WEEKLY;COUNT=3"),
            [
                "2026-04-07T06:30",
                "2026-04-14T05:30",
                "2026-04-21T05:30",
            ],  # 10 April, the second Friday, lies between
            id="into summer",
        ),
        pytest.param(
            *(EXCHANGE, "20260901T090000", "RRULE:FREQ=DAILY;COUNT=4"),
            [
                "2026-09-01T05:30",
                "2026-09-02T05:30",
                "2026-09-03T06:30",
                "2026-09-04T06:30",
            ],  # Thursday is the 3rd
            id="out of summer",
        ),
        pytest.param(
            *(HISTORIC, "20060320T090000", "RRULE:FREQ=YEARLY;COUNT=3"),
            ["2006-03-20T14:15", "2007-03-20T13:15", "2008-03-20T13:15"],  # summer began in April up to 2006
            id="rules that changed in spring",
        ),
        pytest.param(
            *(HISTORIC, "20051101T090000", "RRULE:FREQ=YEARLY;COUNT=3"),
            ["2005-11-01T14:15", "2006-11-01T14:15", "2007-11-01T13:15"],  # and ended in October
            id="rules that changed in autumn",
        ),
        pytest.param(
            *(LISTED, "20240701T090000", "RRULE:FREQ=MONTHLY;INTERVAL=6;COUNT=7"),
            [
                *("2024-07-01T05:30", "2025-01-01T06:30", "2025-07-01T05:30", "2026-01-01T06:30"),
                *("2026-07-01T05:30", "2027-01-01T06:30", "2027-07-01T06:30"),
            ],
            id="changes listed one by one",
        ),
    ],
)
def test_a_series_follows_the_rules_of_its_own_zone(
    through: object, written: list[str], first: str, rule: str, expected: list[str]
) -> None:
    record = read(calendar(written, first, rule))
    assert record.time_zone is None
    kept = through(record)  # type: ignore[operator]
    assert starts(kept, datetime(2004, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)) == expected


def test_a_date_excluded_by_its_day_is_that_day_in_the_zone_of_its_own() -> None:
    rule = "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260411"
    record = stored(read(calendar(EXCHANGE, "20260410T010000", *rule)))
    # 01:00 on the 10th is before the change at 02:00; both in UTC lie on the day before.
    assert starts(record, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)) == [
        "2026-04-09T22:30",
        "2026-04-11T21:30",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("Pacific Standard Time (Mexico)", "America/Tijuana"),
        ("India Standard Time", "Asia/Calcutta"),
        ("UTC-11", "Etc/GMT+11"),
        ("Customized Time Zone", None),
    ],
)
def test_a_windows_name_is_an_iana_zone_whatever_is_written_of_it(name: str, expected: str | None) -> None:
    assert known_zone(name) == expected
    written = zone(name, *_observances(EXCHANGE))
    assert read(calendar(written, "20260716T093000", tzid=name)).time_zone == expected


def _observances(written: list[str]) -> list[list[str]]:
    return [written[2:-1]]


def test_a_zone_that_gave_summer_time_up_is_not_taken_for_one_that_keeps_it() -> None:
    berlin_until_2022 = zone(
        "Customized Time Zone",
        observance(
            *("DAYLIGHT", "19810329T020000", ("+0100", "+0200")),
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20220327T010000Z",
        ),
        observance(
            *("STANDARD", "19961027T030000", ("+0200", "+0100")),
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20221030T010000Z",
        ),
    )
    record = read(calendar(berlin_until_2022, "20220716T090000", "RRULE:FREQ=YEARLY;COUNT=3"))
    assert record.time_zone is None
    window = datetime(2022, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert starts(stored(record), *window) == ["2022-07-16T07:00", "2023-07-16T08:00", "2024-07-16T08:00"]


@pytest.mark.parametrize("written", [EXCHANGE, HISTORIC, LISTED], ids=["exchange", "historic", "listed"])
def test_every_day_is_as_another_implementation_reads_it(written: list[str]) -> None:
    ours = read(calendar(written, "20260101T120000")).starts_at.tzinfo  # type: ignore[union-attr]
    theirs = tzical(StringIO("\r\n".join(written))).get()
    assert theirs is not None
    noons = [datetime(2004, 1, 1, 12) + timedelta(days=day) for day in range(25 * 365)]  # noqa: DTZ001 - wall clock
    if written is LISTED:
        noons = [noon for noon in noons if noon.year > 2023]
    assert isinstance(ours, WrittenZone)
    for noon in noons:
        assert ours.utcoffset(noon) == theirs.utcoffset(noon), noon


def test_a_written_zone_comes_back_from_its_text_and_from_a_pickle() -> None:
    ours = read(calendar(HISTORIC, "20260101T120000")).starts_at.tzinfo  # type: ignore[union-attr]
    assert isinstance(ours, WrittenZone)
    assert repr(zone_of(ours.text)) == repr(pickle.loads(pickle.dumps(ours))) == repr(ours)
    assert zone_of("") is None
    assert zone_of("BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n") is None


def test_an_event_tells_that_the_rules_of_its_zone_changed() -> None:
    moved = [line.replace("2FR", "3FR") for line in EXCHANGE]
    before, after = (
        repr(read(calendar(each, "20260101T120000", "RRULE:FREQ=DAILY"))) for each in (EXCHANGE, moved)
    )
    assert before != after


def _hostile(rule: str) -> list[str]:
    return zone(
        "Customized Time Zone",
        observance("DAYLIGHT", "19700101T000000", ("+0230", "+0330"), f"RRULE:{rule}"),
        observance("STANDARD", "19700101T120000", ("+0330", "+0230"), f"RRULE:{rule}"),
    )


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=1",
        "FREQ=HOURLY",
        "FREQ=DAILY",
        "FREQ=YEARLY;BYYEARDAY=" + ",".join(str(day) for day in range(1, 367)),
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=3;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=1,2;BYDAY=MO,TU,WE,TH,FR",
        "FREQ=YEARLY;X=" + "1" * 1_000_000,
    ],
)
def test_a_zone_of_hostile_rules_is_refused_soon_and_its_meeting_is_read(rule: str) -> None:
    begun = time.process_time()
    record = read(calendar(_hostile(rule), "20261116T093000", "RRULE:FREQ=DAILY;COUNT=2"))
    assert time.process_time() - begun < 0.5
    assert record.starts_at == datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
    assert record_to_json(record).get("zone") is None


def test_a_zone_too_long_to_be_kept_with_its_series_explains_nothing() -> None:
    many = [observance("STANDARD", f"20{n:02}0101T000000", ("+0100", "+0230")) for n in range(99)]
    record = read(calendar(zone("Customized Time Zone", *many), "20261116T093000", "RRULE:FREQ=DAILY"))
    assert record.starts_at == datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
