"""One event of Google's to one of ours."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocapture.errors import RecordUnusable
from autocapture.formats.recurrence import occurrences
from autocapture.formats.time_zones import Zones
from autocapture.records import Attendee, EventRecord
from autocapture_google.events import event_record

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ZONES = Zones([], "Europe/Amsterdam")


def read(**event: Any) -> EventRecord:
    start = {"dateTime": "2026-11-16T10:00:00+01:00", "timeZone": "Europe/Amsterdam"}
    end = {"dateTime": "2026-11-16T11:00:00+01:00", "timeZone": "Europe/Amsterdam"}
    return event_record({"id": "e", "start": start, "end": end, **event}, "uid@google.com", ZONES)


def test_a_meeting_is_read_whole() -> None:
    record = read(
        summary="Kick-off\nnow",
        status="tentative",
        sequence=3,
        created="2026-11-01T08:00:00.000Z",
        updated="2026-11-02T08:00:00.123Z",
        organizer={"email": "buyer@customer.example", "displayName": "Buyer"},
        attendees=[
            {
                "email": "buyer@customer.example",
                "displayName": "Buyer",
                "organizer": True,
                "responseStatus": "accepted",
            },
            {"email": "rep@ours.example", "self": True, "responseStatus": "tentative", "optional": True},
            {"email": "room@resource.calendar.google.com", "resource": True, "responseStatus": "declined"},
            {"displayName": "Only a profile", "id": "1234"},
            {"email": "new@customer.example", "responseStatus": "somethingNew"},
            {"email": "silent@customer.example"},
        ],
    )
    assert (record.title, record.status, record.sequence) == ("Kick-off now", "tentative", 3)
    assert record.starts_at == datetime(2026, 11, 16, 10, tzinfo=AMSTERDAM)
    assert record.ends_at == datetime(2026, 11, 16, 11, tzinfo=AMSTERDAM)
    assert record.time_zone == "Europe/Amsterdam"
    assert record.created_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert record.organizer == Attendee("buyer@customer.example", "Buyer", "accepted")
    assert record.attendees[1:] == (
        Attendee("rep@ours.example", "", "tentative", optional=True),
        Attendee("room@resource.calendar.google.com", "", "declined", resource=True),
        Attendee("new@customer.example", "", "unknown"),
        Attendee("silent@customer.example", "", "needs_action"),
    )


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/Los_Angeles", "Pacific/Auckland"])
def test_an_all_day_event_is_days_in_every_zone(zone: str) -> None:
    event = {"id": "e", "start": {"date": "2026-03-28"}, "end": {"date": "2026-03-31"}}
    record = event_record(event, "uid", Zones([], zone))
    assert (record.starts_at, record.ends_at) == (date(2026, 3, 28), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("given", "instant", "zone"),
    [
        ({"dateTime": "2026-07-01T09:00:00Z"}, datetime(2026, 7, 1, 9, tzinfo=UTC), "Europe/Amsterdam"),
        (
            {"dateTime": "2026-07-01T09:00:00-07:00", "timeZone": "America/Los_Angeles"},
            datetime(2026, 7, 1, 16, tzinfo=UTC),
            "America/Los_Angeles",
        ),
        (
            {"dateTime": "2026-07-01T09:00:00+02:00", "timeZone": "Mars/Olympus"},
            datetime(2026, 7, 1, 7, tzinfo=UTC),
            "UTC",
        ),
        ({"dateTime": "2026-07-01T09:00:00", "timeZone": "UTC"}, datetime(2026, 7, 1, 9, tzinfo=UTC), "UTC"),
    ],
)
def test_a_time_is_told_in_the_zone_of_its_event(given: dict[str, str], instant: datetime, zone: str) -> None:
    record = read(start=given, end=given)
    assert record.starts_at == instant
    assert record.time_zone == zone


def test_a_series_keeps_its_wall_clock_time_and_leaves_out_what_is_excluded() -> None:
    record = read(
        start={"dateTime": "2026-10-19T10:00:00+02:00", "timeZone": "Europe/Amsterdam"},
        end={"dateTime": "2026-10-19T11:00:00+02:00", "timeZone": "Europe/Amsterdam"},
        recurrence=[
            "EXDATE;TZID=Europe/Amsterdam:20261102T100000",
            "RRULE:FREQ=WEEKLY;COUNT=4",
            "RDATE;TZID=Europe/Amsterdam:20261201T100000",
            "X-UNKNOWN:1",
        ],
    )
    window = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    found = occurrences([record], window_start=window[0], window_end=window[1])
    assert [f"{each.starts_at:%m-%d %H}" for each in found] == [
        "10-19 08",
        "10-26 09",
        "11-09 09",
        "12-01 09",
    ]


@pytest.mark.parametrize(
    ("told", "purpose"),
    [
        ("default", "default"),
        ("fromGmail", "default"),
        ("outOfOffice", "out_of_office"),
        ("focusTime", "focus"),
        ("workingLocation", "working_location"),
        ("birthday", "birthday"),
        ("somethingNew", "default"),
    ],
)
def test_what_an_entry_is_for(told: str, purpose: str) -> None:
    assert read(eventType=told).purpose == purpose


@pytest.mark.parametrize(
    ("visibility", "private"),
    [("default", False), ("public", False), ("private", True), ("confidential", True)],
)
def test_who_may_see_it(visibility: str, private: bool) -> None:
    assert read(visibility=visibility).private is private


def test_free_time_is_transparent() -> None:
    assert read(transparency="transparent").transparent
    assert not read(transparency="opaque").transparent


def test_a_calendar_is_nobody() -> None:
    """What is entered into a shared calendar is organised by whoever entered it, not by the calendar."""
    calendar = {"email": "abc@group.calendar.google.com", "displayName": "Visits"}
    entered = read(organizer=calendar, creator={"email": "rep@ours.example"}, attendees=[calendar])
    assert entered.organizer == Attendee("rep@ours.example", "", "accepted")
    assert entered.attendees[0].resource
    assert read(organizer=calendar).organizer is None
    assert read(organizer={"email": "unknownorganizer@calendar.google.com"}).organizer is None


def test_what_is_of_another_type_than_promised_is_left_aside() -> None:
    record = read(
        summary=7,
        attendees=["x", {"email": 5}, {"email": "no-address"}],
        organizer="me",
        sequence="many",
        recurrence="RRULE:FREQ=DAILY",
        created=1,
        visibility=[],
        eventType={},
    )
    assert (record.title, record.attendees, record.organizer, record.sequence) == ("", (), None, 0)
    assert record.recurrence is None


def test_a_line_break_in_a_rule_adds_no_line() -> None:
    with pytest.raises(RecordUnusable):
        read(recurrence=["RRULE:FREQ=WEEKLY;COUNT=2\r\nDTSTART:20200101T000000Z"])
    record = read(recurrence=["RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:injected", "DTSTART:20200101T000000Z"])
    assert record.title == ""
    assert record.starts_at == datetime(2026, 11, 16, 10, tzinfo=AMSTERDAM)
