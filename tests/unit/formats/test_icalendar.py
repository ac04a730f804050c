"""Calendars as real programs write them, and as nobody should."""

from __future__ import annotations

import copy
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autocapture.formats.icalendar import Unreadable, parse_calendar
from autocapture.formats.recurrence import occurrences
from autocapture.records import EventRecord

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(*lines: str, method: str = "") -> bytes:
    head = ["BEGIN:VCALENDAR", *([f"METHOD:{method}"] if method else [])]
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""]).encode()


def vevent(*lines: str, uid: str = "u1", start: str = "DTSTART:20261116T090000Z") -> list[str]:
    return ["BEGIN:VEVENT", *([f"UID:{uid}"] if uid else []), start, *lines, "END:VEVENT"]


def read(*lines: str, zone: str = "Europe/Berlin", method: str = "") -> list[EventRecord | Unreadable]:
    return parse_calendar(calendar(*lines, method=method), default_time_zone=zone)


def one(*lines: str, **changes: str) -> EventRecord:
    [record] = read(*vevent(*lines, **changes))
    assert isinstance(record, EventRecord)
    return record


def test_a_usual_meeting_gives_every_field() -> None:
    record = one(
        "DTEND;TZID=Europe/Berlin:20261116T103000",
        "SUMMARY:Review\\, part 2\\nlong",
        "SEQUENCE:3",
        "STATUS:TENTATIVE",
        "ORGANIZER;CN=Eva:mailto:eva@ourco.example",
        'ATTENDEE;CN="Berg, Anna";PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT:MAILTO:anna@acme.example',
        "ATTENDEE;PARTSTAT=X-MAYBE;ROLE=OPT-PARTICIPANT:mailto:bo@acme.example",
        "ATTENDEE;CUTYPE=ROOM;CN=Room 1:mailto:room@ourco.example",
        "ATTENDEE;CN=Foo: Bar:mailto:foo@acme.example",
        "ATTENDEE:urn:uuid:1234",
        "CREATED:20261101T000000Z",
        "LAST-MODIFIED:20261102T000000Z",
        start="DTSTART;TZID=Europe/Berlin:20261116T093000",
    )
    assert (record.starts_at, record.ends_at) == (
        datetime(2026, 11, 16, 9, 30, tzinfo=BERLIN),
        datetime(2026, 11, 16, 10, 30, tzinfo=BERLIN),
    )
    assert (record.time_zone, record.title, record.sequence, record.status) == (
        *("Europe/Berlin", "Review, part 2 long", 3),
        "tentative",
    )
    assert record.organizer is not None
    assert (record.organizer.email, record.organizer.name) == ("eva@ourco.example", "Eva")
    anna, bo, room, foo = record.attendees
    assert (anna.email, anna.name, anna.response, anna.optional) == (
        "anna@acme.example",
        "Berg, Anna",
        "accepted",
        False,
    )
    assert (bo.response, bo.optional) == ("unknown", True)
    assert (room.resource, room.response) == (True, "needs_action")
    assert foo.email == "foo@acme.example"
    assert record.created_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert record.modified_at == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/mozilla.org/20070129_1/Europe/Berlin", "Europe/Berlin"),
        ('"Eastern Standard Time"', "America/New_York"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Customized Time Zone", None),
        ("../../etc/passwd", None),
    ],
)
def test_zone_names_of_every_kind(name: str, expected: str | None) -> None:
    record = one(start=f"DTSTART;TZID={name}:20261116T093000")
    assert record.time_zone == expected
    assert record.starts_at == datetime(2026, 11, 16, 9, 30, tzinfo=ZoneInfo(expected or "UTC"))


def written_zone(name: str, summer: str, winter: str, *rules: str) -> list[str]:
    return [
        *("BEGIN:VTIMEZONE", f"TZID:{name}", "BEGIN:STANDARD", "DTSTART:16010101T030000"),
        *(f"TZOFFSETFROM:{summer}", f"TZOFFSETTO:{winter}", f"RRULE:{rules[1]}", "END:STANDARD"),
        *("BEGIN:DAYLIGHT", "DTSTART:16010101T020000", f"TZOFFSETFROM:{winter}", f"TZOFFSETTO:{summer}"),
        *(f"RRULE:{rules[0]}", "END:DAYLIGHT", "END:VTIMEZONE"),
    ]


EUROPEAN = ("FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10")
ODD = ("FREQ=YEARLY;BYMONTHDAY=10;BYMONTH=4", "FREQ=YEARLY;BYMONTHDAY=20;BYMONTH=9")


def test_a_written_zone_that_equals_a_known_one_is_that_one() -> None:
    zone = written_zone("Customized Time Zone", "+0200", "+0100", *EUROPEAN)
    [record] = read(*zone, *vevent(start="DTSTART;TZID=Customized Time Zone:20260716T093000"))
    assert isinstance(record, EventRecord)
    assert (record.time_zone, record.starts_at) == (
        "Europe/Berlin",
        datetime(2026, 7, 16, 9, 30, tzinfo=BERLIN),
    )


def test_a_written_zone_like_no_other_follows_its_rules() -> None:
    zone = written_zone("Odd", "+0330", "+0200", *ODD)
    series = vevent("RRULE:FREQ=MONTHLY;COUNT=12", start="DTSTART;TZID=Odd:20260115T093000")
    [record] = read(*zone, *series)
    assert isinstance(record, EventRecord)
    assert record.time_zone is None
    found = occurrences(
        [record], window_start=datetime(2026, 1, 1, tzinfo=UTC), window_end=datetime(2027, 1, 1, tzinfo=UTC)
    )
    hours = [(each.starts_at.hour, each.starts_at.minute) for each in found]  # type: ignore[union-attr]
    assert hours == [(7, 30)] * 3 + [(6, 0)] * 6 + [(7, 30)] * 3
    assert found[4].starts_at.astimezone(record.starts_at.tzinfo).hour == 9  # type: ignore[union-attr]
    assert (
        copy.deepcopy(record.starts_at).isoformat()
        == record.starts_at.isoformat()
        == "2026-01-15T09:30:00+02:00"
    )


def test_a_fixed_written_zone_has_one_offset() -> None:
    zone = ["BEGIN:VTIMEZONE", "TZID:F", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0545"]
    [record] = read(
        *zone,
        "TZOFFSETTO:+0545",
        "END:STANDARD",
        "END:VTIMEZONE",
        *vevent(start="DTSTART;TZID=F:20260101T060000"),
    )
    assert isinstance(record, EventRecord)
    assert record.starts_at == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)


def test_floating_times_are_in_the_default_zone() -> None:
    record = one(start="DTSTART:20261116T093000")
    assert (record.starts_at, record.time_zone) == (
        datetime(2026, 11, 16, 9, 30, tzinfo=BERLIN),
        "Europe/Berlin",
    )


@pytest.mark.parametrize(
    ("start", "lines", "ends_at"),
    [
        ("DTSTART;VALUE=DATE:20261116", [], date(2026, 11, 17)),
        ("DTSTART;VALUE=DATE:20261116", ["DTEND;VALUE=DATE:20261118"], date(2026, 11, 18)),
        ("DTSTART;VALUE=DATE:20261116", ["DTEND;VALUE=DATE:20261116"], date(2026, 11, 17)),
        ("DTSTART:20261116", ["DURATION:P2D"], date(2026, 11, 18)),
        ("DTSTART;VALUE=DATE:20261116", ["DTEND:20261117T100000Z"], date(2026, 11, 18)),
        ("DTSTART:20261116T090000Z", [], datetime(2026, 11, 16, 9, tzinfo=UTC)),
        ("DTSTART:20261116T090000Z", ["DURATION:PT1H30M"], datetime(2026, 11, 16, 10, 30, tzinfo=UTC)),
        (
            "DTSTART;TZID=Europe/Berlin:20261024T090000",
            ["DURATION:P1D"],
            datetime(2026, 10, 25, 9, tzinfo=BERLIN),
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20261024T090000",
            ["DURATION:PT24H"],
            datetime(2026, 10, 25, 8, tzinfo=BERLIN),
        ),
    ],
)
def test_ends_and_durations(start: str, lines: list[str], ends_at: datetime | date) -> None:
    record = one(*lines, start=start)
    assert record.ends_at == ends_at


def test_a_reversed_event_is_turned_round() -> None:
    record = one("DTEND:20261116T080000Z")
    assert record.starts_at < record.ends_at  # type: ignore[operator]
    assert record.starts_at == datetime(2026, 11, 16, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("CLASS:PRIVATE", "private", True),
        ("CLASS:confidential", "private", True),
        ("CLASS:X-SECRET", "private", True),
        ("CLASS:PUBLIC", "private", False),
        ("TRANSP:TRANSPARENT", "transparent", True),
        ("TRANSP:OPAQUE", "transparent", False),
        ("X-MICROSOFT-CDO-BUSYSTATUS:FREE", "transparent", True),
        ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", "purpose", "out_of_office"),
        ("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE", "purpose", "working_location"),
        ("CATEGORIES:Birthday", "purpose", "birthday"),
        ("STATUS:CANCELLED", "status", "cancelled"),
        ("STATUS:X-ODD", "status", "confirmed"),
        ("SEQUENCE:99999999999999999", "sequence", 2**31 - 1),
        ("SEQUENCE:-1", "sequence", 0),
    ],
)
def test_marks_of_an_event(line: str, field: str, expected: object) -> None:
    assert getattr(one(line), field) == expected


def test_a_cancelling_calendar_cancels_its_events() -> None:
    [record] = read(*vevent(), method="CANCEL")
    assert isinstance(record, EventRecord)
    assert record.status == "cancelled"


def test_a_cancelling_calendar_cancels_nothing_of_its_neighbour() -> None:
    raw = calendar(*vevent(uid="a"), method="CANCEL") + calendar(*vevent(uid="b"))
    found = parse_calendar(raw, default_time_zone="UTC")
    assert [each.status for each in found if isinstance(each, EventRecord)] == ["cancelled", "confirmed"]


def test_exceptions_travel_with_their_master_in_any_order() -> None:
    exception = vevent("RECURRENCE-ID:20261123T090000Z", start="DTSTART:20261124T090000Z")
    master = vevent("RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE:20261130T090000Z")
    for lines in ((*master, *exception), (*exception, *master)):
        [record] = read(*lines)
        assert isinstance(record, EventRecord)
        assert record.recurrence is not None
        assert record.recurrence.rules == ("FREQ=WEEKLY;COUNT=3",)
        [override] = record.overrides
        assert override.recurrence_id == datetime(2026, 11, 23, 9, tzinfo=UTC)
        assert override.starts_at == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_exceptions_without_their_master_are_values_of_their_own() -> None:
    lines = [*vevent("RECURRENCE-ID:20261123T090000Z"), *vevent("RECURRENCE-ID:20261130T090000Z")]
    assert [record.recurrence_id.day for record in read(*lines)] == [23, 30]  # type: ignore[union-attr]


def test_of_two_copies_the_higher_sequence_counts_then_the_later_stamp() -> None:
    copies = [
        vevent("SUMMARY:new", "SEQUENCE:2", "DTSTAMP:20260101T000000Z"),
        vevent("SUMMARY:newest", "SEQUENCE:2", "DTSTAMP:20260102T000000Z"),
        vevent("SUMMARY:old", "SEQUENCE:1", "DTSTAMP:20260103T000000Z"),
    ]
    [record] = read(*copies[0], *copies[1], *copies[2])
    assert isinstance(record, EventRecord)
    assert record.title == "newest"


def test_an_event_without_uid_gets_a_stable_one_from_its_content() -> None:
    first, again, other = (one("SUMMARY:" + title, uid="").uid for title in ("a", "a", "b"))
    assert first == again != other


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:"],
        ["DTSTART:00010101T000000Z"],
        ["DTSTART:99991231T235959Z"],
        ["DTSTART:20260231"],
        ["DTSTART:20260101T990000Z"],
        ["DTSTART:tomorrow"],
        ["DTSTART:20260101T000000Z", "DURATION:forever"],
        ["DTSTART:20260101T000000Z", "DURATION:P99999D", "RRULE:FREQ=SECONDLY"],
        ["DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY"],
        ["DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"],
        ["DTSTART:20260101T000000Z", "EXDATE:" + ",".join(["20260101T000000Z"] * 30_000)],
    ],
)
def test_an_unreadable_event_is_named_and_its_neighbours_are_read(lines: list[str]) -> None:
    found = read("BEGIN:VEVENT", "UID:bad", *lines, "END:VEVENT", *vevent(uid="good"))
    assert [(type(each), each.uid) for each in found] == [(EventRecord, "good"), (Unreadable, "bad")]


def test_no_start_is_unreadable_and_a_missing_end_of_file_is_not() -> None:
    [record] = parse_calendar(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nSUMMARY:s\n", default_time_zone="UTC")
    assert isinstance(record, Unreadable)
    [record] = parse_calendar(b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101\n", default_time_zone="UTC")
    assert isinstance(record, EventRecord)


def test_files_without_any_event_are_empty() -> None:
    for raw in (b"", b"garbage", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\nEND:VCALENDAR"):
        assert parse_calendar(raw, default_time_zone="UTC") == []


def test_lines_may_be_folded_anywhere_and_end_in_any_way() -> None:
    raw = calendar(*vevent("SUMMARY:Grüße aus\r\n  Köln")).replace("ö".encode(), b"\xc3\r\n \xb6")
    for text in (raw, raw.replace(b"\r\n", b"\n"), raw.replace(b"\r\n", b"\r"), b"\xef\xbb\xbf" + raw):
        [record] = parse_calendar(text, default_time_zone="UTC")
        assert isinstance(record, EventRecord)
        assert record.title == "Grüße aus Köln"


def self_referring_zone() -> list[str]:
    observance = [
        "BEGIN:STANDARD",
        "DTSTART;TZID=Loop:19700101T000000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
    ]
    return [
        "BEGIN:VTIMEZONE",
        "TZID:Loop",
        "X-LIC-LOCATION:Loop",
        *observance,
        "RRULE:FREQ=SECONDLY",
        "END:STANDARD",
    ]


def excluding(count: int) -> bytes:
    moments = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(count))
    lines = [f"EXDATE:{moment:%Y%m%dT%H%M%SZ}" for moment in moments]
    return calendar(*vevent("RRULE:FREQ=DAILY", *lines, start="DTSTART:20260101T000000Z"))


BOMBS = {
    "3,000 nested events": b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101\n" * 3_000,
    "3,000 nested calendars": b"BEGIN:VCALENDAR\n" * 3_000 + b"BEGIN:VEVENT\nUID:x\nDTSTART:20260101\n",
    "a folded line of 14 MB": calendar(*vevent("DESCRIPTION:" + ("x" * 73 + "\r\n ") * 190_000)),
    "a summary of 14 MB": calendar(*vevent("SUMMARY:" + ("x" * 73 + "\r\n ") * 190_000)),
    "10,000 exclusions": excluding(10_000),
    "a zone that refers to itself": calendar(
        *self_referring_zone(), *vevent(start="DTSTART;TZID=Loop:20260101T000000")
    ),
    "100,000 attendees": calendar(*vevent(*(f"ATTENDEE:mailto:a{n}@x.example" for n in range(100_000)))),
    "900 KB of parameters": calendar(*vevent("ATTENDEE" + ";CN=x" * 180_000 + ":mailto:a@x.example")),
    "900 KB of quotes": calendar(*vevent('ATTENDEE;CN="' + '"' * 900_000)),
    "900 KB of open parameters": calendar(*vevent("ATTENDEE" + ";CN" * 300_000)),
    "20,000 zones": calendar(
        *(line for n in range(3_000) for line in written_zone(f"Z{n}", "+0330", "+0200", *ODD)),
        *vevent(start="DTSTART;TZID=Z1:20260101T000000"),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_time_and_the_reader_survives(name: str) -> None:
    begun = time.process_time()
    for record in parse_calendar(BOMBS[name], default_time_zone="UTC"):
        if isinstance(record, EventRecord):
            window = datetime(2025, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)
            assert len(occurrences([record], window_start=window[0], window_end=window[1])) <= 1_000
    assert time.process_time() - begun < 2


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([*calendar(*vevent()).decode().splitlines(), ":", ";", "\x00", "é", "DTSTART;TZID="])
    )
)
def test_no_shuffle_of_lines_makes_the_reader_fail(lines: list[str]) -> None:
    parse_calendar("\n".join(lines).encode(), default_time_zone="UTC")
