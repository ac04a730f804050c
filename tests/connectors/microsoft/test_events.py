"""Events in Graph's form: times and zones, answers, series with what was moved and taken out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autocapture.connector import Broken
from autocapture.formats.recurrence import occurrences
from autocapture.testing.fakes.microsoft.http import Json
from autocapture.testing.fakes.microsoft.samples import attendee, day, event, moment, person, zulu
from autocapture.testing.fakes.source import REP
from autocapture_microsoft.event_uid import series_uid
from autocapture_microsoft.events import Calendar, event_record, read_event, series_record

AMSTERDAM = Calendar(REP, "Europe/Amsterdam")
NINE = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
GOID = "040000008200E00074C5B7101A82E008"
MADE = "0123456789ABCDEF0000000000000000"


def record(**told: Any) -> Any:
    return event_record(event(1, "meeting", starts=NINE, **told), AMSTERDAM)


@pytest.mark.parametrize(
    ("named", "zone"),
    [
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("Romance Standard Time", "Europe/Paris"),
        ("India Standard Time", "Asia/Calcutta"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("UTC", "UTC"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("tzone://Microsoft/Custom", None),
        ("Customized Time Zone", None),
        ("", None),
        (None, None),
    ],
)
def test_an_event_is_in_its_own_zone_where_that_is_one(named: str | None, zone: str | None) -> None:
    """A custom zone has no name; what it means in UTC is told by Graph all the same."""
    found = record(originalStartTimeZone=named)
    assert found.time_zone == zone
    assert found.starts_at == NINE
    assert found.starts_at.utcoffset() == NINE.astimezone(ZoneInfo(zone or "UTC")).utcoffset()


def test_a_time_that_is_told_in_another_zone_than_it_was_asked_in_is_read_in_that() -> None:
    start = {"dateTime": "2026-11-02T09:00:00.0000000", "timeZone": "W. Europe Standard Time"}
    assert record(start=start).starts_at == NINE


@pytest.mark.parametrize(
    ("start", "end", "zone", "days"),
    [
        (day("2026-11-02"), day("2026-11-03"), "W. Europe Standard Time", ("2026-11-02", "2026-11-03")),
        (day("2026-11-02"), day("2026-11-05"), "tzone://Microsoft/Custom", ("2026-11-02", "2026-11-05")),
        # told in UTC though made in a zone: the day that it was made for, on either side of the date line
        (
            moment(datetime(2026, 11, 1, 23, tzinfo=UTC)),
            moment(datetime(2026, 11, 2, 23, tzinfo=UTC)),
            "W. Europe Standard Time",
            ("2026-11-02", "2026-11-03"),
        ),
        (
            moment(datetime(2026, 11, 2, 5, tzinfo=UTC)),
            moment(datetime(2026, 11, 3, 5, tzinfo=UTC)),
            "Eastern Standard Time",
            ("2026-11-02", "2026-11-03"),
        ),
        (
            moment(datetime(2026, 11, 1, 11, tzinfo=UTC)),
            moment(datetime(2026, 11, 2, 11, tzinfo=UTC)),
            "New Zealand Standard Time",
            ("2026-11-02", "2026-11-03"),
        ),
        (  # over the change to winter time a day has 25 hours
            moment(datetime(2026, 10, 24, 22, tzinfo=UTC)),
            moment(datetime(2026, 10, 25, 23, tzinfo=UTC)),
            "W. Europe Standard Time",
            ("2026-10-25", "2026-10-26"),
        ),
        (  # without a zone, the rep's
            moment(datetime(2026, 11, 1, 23, tzinfo=UTC)),
            moment(datetime(2026, 11, 2, 23, tzinfo=UTC)),
            None,
            ("2026-11-02", "2026-11-03"),
        ),
    ],
)
def test_whole_days_are_dates(start: Json, end: Json, zone: str | None, days: tuple[str, str]) -> None:
    found = record(isAllDay=True, start=start, end=end, originalStartTimeZone=zone)
    assert (found.starts_at, found.ends_at) == tuple(map(date.fromisoformat, days))


def test_start_and_end_in_the_wrong_order_are_put_right() -> None:
    found = record(start=moment(NINE + timedelta(hours=1)), end=moment(NINE))
    assert found.ends_at - found.starts_at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("told", "response"),
    [
        ("none", "needs_action"),
        ("notResponded", "needs_action"),
        ("organizer", "accepted"),
        ("accepted", "accepted"),
        ("tentativelyAccepted", "tentative"),
        ("declined", "declined"),
        ("somethingNew", "unknown"),
        (None, "needs_action"),
    ],
)
def test_an_answer_has_one_meaning_and_a_new_one_breaks_nothing(told: str | None, response: str) -> None:
    found = record(attendees=[attendee("buyer1@customer.example", told)])  # type: ignore[arg-type]
    assert found.attendees[0].response == response


def test_the_owners_own_answer_stands_apart_from_the_list() -> None:
    attendees = [attendee(REP.upper(), "none"), attendee("buyer1@customer.example", "none")]
    found = record(
        attendees=attendees, responseStatus={"response": "declined"}, organizer=person("b@customer.example")
    )
    assert [each.response for each in found.attendees] == ["declined", "needs_action"]


def test_rooms_are_resources_and_guests_may_be_optional() -> None:
    found = record(
        attendees=[
            attendee("room@ours.example", "accepted", "resource"),
            attendee("x@y.example", "none", "optional"),
        ]
    )
    assert [(each.resource, each.optional) for each in found.attendees] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, {"private": False, "transparent": False, "status": "confirmed", "purpose": "default"}),
        ({"sensitivity": "private"}, {"private": True}),
        ({"sensitivity": "confidential"}, {"private": True}),
        ({"sensitivity": "personal"}, {"private": True}),
        ({"sensitivity": None}, {"private": False}),
        ({"showAs": "free"}, {"transparent": True}),
        ({"showAs": "tentative"}, {"transparent": False, "status": "confirmed"}),
        ({"isCancelled": True}, {"status": "cancelled"}),
        ({"showAs": "oof"}, {"purpose": "default"}),
        ({"showAs": "oof", "attendees": []}, {"purpose": "out_of_office"}),
        ({"showAs": "workingElsewhere", "attendees": None}, {"purpose": "working_location"}),
        ({"organizer": None}, {"organizer": None}),
    ],
)
def test_what_an_event_is(told: Json, expected: Json) -> None:
    found = record(**told)
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_an_event_says_at_length_is_dropped_when_it_is_read() -> None:
    found = record(
        body={"contentType": "html", "content": "<b>secret</b>"},
        bodyPreview="secret",
        location={"x": "secret"},
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "told",
    [
        {"iCalUId": None},
        {"iCalUId": 7},
        {"start": None},
        {"start": {"dateTime": "soon"}},
        {"end": "later"},
        {"attendees": "all"},
        {"attendees": [{"emailAddress": "x"}]},
        {"isAllDay": True, "end": {"dateTime": 7}},
        {"organizer": []},
        {"createdDateTime": "then"},
        {"originalStartTimeZone": 5},
    ],
)
def test_an_event_of_unknown_form_is_broken_alone(told: Json) -> None:
    assert isinstance(read_event("id", event(1, "x", **told), AMSTERDAM), Broken)


@pytest.mark.parametrize(
    ("uid", "expected"),
    [
        ("abc@google.com", ("abc@google.com", None)),
        ("", ("", None)),
        (f"{GOID}00000000{MADE}04000000AABBCCDD", (f"{GOID}00000000{MADE}04000000AABBCCDD", None)),
        (
            f"{GOID}07EA0B02{MADE}04000000aabbccdd",
            (f"{GOID}00000000{MADE}04000000AABBCCDD", date(2026, 11, 2)),
        ),
        (
            f"{GOID}07EA0B09{MADE}00000000" + b"vCal-Uid\x01\0\0\0abc@google.com\0".hex(),
            ("abc@google.com", date(2026, 11, 9)),
        ),
        (f"{GOID}FFFFFFFF{MADE}04000000AABB", (f"{GOID}FFFFFFFF{MADE}04000000AABB", None)),
        (f"{GOID}0000", (f"{GOID}0000", None)),
        (f"{GOID}00000000{MADE}0400000xyz", (f"{GOID}00000000{MADE}0400000xyz", None)),
    ],
)
def test_a_series_and_its_instances_have_one_uid_and_that_of_their_origin(
    uid: str, expected: tuple[str, date | None]
) -> None:
    assert series_uid(uid) == expected


def test_who_was_invited_to_one_instance_alone_holds_that_instance() -> None:
    found = record(
        iCalUId=f"{GOID}07EA0B02{MADE}04000000AABBCCDD", originalStart=zulu(NINE - timedelta(hours=1))
    )
    assert found.uid == f"{GOID}00000000{MADE}04000000AABBCCDD"
    assert found.recurrence_id == NINE - timedelta(hours=1)


def instance(start: datetime, **told: Any) -> Json:
    return {
        "id": f"{start:%d}",
        "type": "occurrence",
        "start": moment(start),
        "end": moment(start + timedelta(minutes=30)),
        **told,
    }


def shown(found: Any) -> list[tuple[object, object, str, bool]]:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    seen = occurrences([found], window_start=first, window_end=last)
    return [(each.key, each.starts_at, each.event.title, each.cancelled) for each in seen]


def test_a_series_takes_place_when_the_provider_says_and_not_when_its_rule_would() -> None:
    """The first instance was taken out, the third moved and renamed, the fourth cancelled; nine o'clock stays nine o'clock."""
    starts = [datetime(2026, 10, 19, 7, tzinfo=UTC) + timedelta(weeks=week) for week in range(4)]
    starts[1:] = [
        start + timedelta(hours=start >= datetime(2026, 10, 25, 1, tzinfo=UTC)) for start in starts[1:]
    ]
    master = event(1, "weekly", starts=starts[0], type="seriesMaster")
    moved = instance(
        starts[2] + timedelta(hours=3), type="exception", originalStart=zulu(starts[2]), subject="moved"
    )
    cancelled = instance(starts[3], type="exception", originalStart=zulu(starts[3]), isCancelled=True)
    found = series_record(master, [instance(starts[1]), moved, cancelled], AMSTERDAM)
    assert shown(found) == [
        (starts[1], starts[1], "weekly", False),
        (starts[2], starts[2] + timedelta(hours=3), "moved", False),
        (starts[3], starts[3], "weekly", True),
    ]
    assert {each.attendees for each in found.overrides} == {found.attendees}


def test_a_series_of_which_nothing_is_left_takes_place_never() -> None:
    master = event(1, "weekly", starts=NINE, type="seriesMaster")
    assert shown(series_record(master, [], AMSTERDAM)) == []


def test_a_series_of_whole_days_is_one_of_dates() -> None:
    master = event(
        1, "fair", type="seriesMaster", isAllDay=True, start=day("2026-11-02"), end=day("2026-11-03")
    )
    second = {"type": "occurrence", "start": day("2026-11-09"), "end": day("2026-11-10")}
    third = {
        "type": "exception",
        "start": day("2026-11-17"),
        "end": day("2026-11-18"),
        "originalStart": "2026-11-15T23:00:00Z",
    }
    found = series_record(master, [second, third], AMSTERDAM)
    assert [each[:2] for each in shown(found)] == [
        (date(2026, 11, 9), date(2026, 11, 9)),
        (date(2026, 11, 16), date(2026, 11, 17)),
    ]
