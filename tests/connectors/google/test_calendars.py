"""Google Calendar: which calendars, what a deletion is, and how tokens end."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.connectors.google.account import CALENDARS, MAIL, PRIMARY, items, new_user, opened, pages

from autocapture.connector import Broken, Channel, Gone, Record
from autocapture.errors import ChannelGone, CursorExpired
from autocapture.records import EventRecord
from autocapture.testing.fakes.google import Calendar, FakeGoogle

MONDAY = {"dateTime": "2026-11-16T10:00:00+01:00", "timeZone": "Europe/Amsterdam"}
AN_HOUR_LATER = {"dateTime": "2026-11-16T11:00:00+01:00", "timeZone": "Europe/Amsterdam"}
SECOND = {"dateTime": "2026-11-23T10:00:00+01:00", "timeZone": "Europe/Amsterdam"}


def meeting(event_id: str = "meeting", **more: Any) -> dict[str, Any]:
    return {
        "id": event_id,
        "iCalUID": f"{event_id}@google.com",
        "summary": event_id,
        "start": MONDAY,
        "end": AN_HOUR_LATER,
    } | more


def series(event_id: str = "series", **more: Any) -> dict[str, Any]:
    return meeting(event_id, recurrence=["RRULE:FREQ=WEEKLY;COUNT=10"], **more)


def exception(of: str = "series", **more: Any) -> dict[str, Any]:
    own = meeting(f"{of}_20261123T090000Z", iCalUID=f"{of}@google.com", start=SECOND, end=SECOND)
    return own | {"recurringEventId": of, "originalStartTime": SECOND} | more


def event(item: object) -> EventRecord:
    assert isinstance(item, Record)
    assert isinstance(item.data, EventRecord)
    return item.data


def test_the_logins_own_calendars_are_captured_and_no_others(google: FakeGoogle) -> None:
    user = new_user(google)
    for name, role in (
        ("Visits", "owner"),
        ("Boss", "reader"),
        ("Holidays", "freeBusyReader"),
        ("Team", "writer"),
    ):
        id_ = f"{name.lower()}@group.calendar.google.com"
        calendar = Calendar(id_, name, google.step, role=role, hidden=name == "Visits")
        user.calendars[calendar.id] = calendar
    with opened(google, user, CALENDARS) as connection:
        channels = [(channel.id, channel.name) for channel in connection.channels()]
        left_out = connection.left_out()
    assert channels == [("primary", user.address), ("visits@group.calendar.google.com", "Visits")]
    assert {name for name, why in left_out.items() if why == "somebody else's calendar"} == {
        "Boss",
        "Holidays",
        "Team",
    }


def test_without_the_list_the_primary_calendar_is_read_under_the_same_name(google: FakeGoogle) -> None:
    user = new_user(google)
    user.calendars[user.address].put(meeting())
    scopes = frozenset(scope for scope in CALENDARS if "calendarlist" not in scope) | MAIL
    with opened(google, user, scopes) as connection:
        assert [channel.id for channel in connection.channels()] == ["mailbox", "primary"]
        assert len(items(pages(connection, PRIMARY))) == 1


def test_a_calendar_is_listed_in_pages_and_then_followed(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    for number in range(7):
        calendar.put(meeting(f"meeting{number}"))
    with opened(google, user) as connection:
        found = pages(connection, PRIMARY, limit=3)
        assert sorted(event(item).title for item in items(found)) == [
            f"meeting{number}" for number in range(7)
        ]
        assert [page.complete for page in found] == [False, False, True]
        calendar.put(meeting("meeting3", summary="moved", start=SECOND, end=SECOND))
        calendar.cancel("meeting4")
        news = pages(connection, PRIMARY, found[-1].cursor, limit=3)
        told = {item.id: item for item in items(news)}
        assert event(told["meeting3"]).title == "moved"
        assert told["meeting4"] == Gone("meeting4")
        assert len(told) == 2
        assert not any(page.complete for page in news)
        idle = connection.pull(PRIMARY, news[-1].cursor, limit=3)
        assert (idle.items, idle.more) == ([], False)


def test_a_change_during_the_listing_is_told_after_it(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    for number in range(4):
        calendar.put(meeting(f"meeting{number}"))
    with opened(google, user) as connection:
        first = connection.pull(PRIMARY, None, limit=2)
        calendar.put(meeting("meeting0", summary="changed"))  # its page is read already
        calendar.put(meeting("earlier"))
        rest = pages(connection, PRIMARY, first.cursor, limit=2)
        news = items(pages(connection, PRIMARY, rest[-1].cursor, limit=2))
    assert {"changed", "earlier"} <= {event(item).title for item in news}


def test_a_deleted_instance_says_which_of_its_series(google: FakeGoogle) -> None:
    """Google tells of it the id, the series' id and the original start; the UID is the series'."""
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(series(iCalUID="from-elsewhere@customer.example"))
    with opened(google, user) as connection:
        cursor = pages(connection, PRIMARY)[-1].cursor
        calendar.put(exception(iCalUID="from-elsewhere@customer.example", summary="moved"))
        calendar.cancel("series_20261123T090000Z")
        assert "iCalUID" not in calendar.events["series_20261123T090000Z"]
        (told,) = items(pages(connection, PRIMARY, cursor))
        cancelled = event(told)
        assert (cancelled.uid, cancelled.status) == ("from-elsewhere@customer.example", "cancelled")
        assert cancelled.recurrence_id == datetime(2026, 11, 23, 9, tzinfo=UTC)
        listed = {item.id: item for item in items(pages(connection, PRIMARY))}
        assert event(listed["series_20261123T090000Z"]) == cancelled
        assert connection.get(PRIMARY, ["series_20261123T090000Z"]) == [told]


def test_an_exception_is_an_item_beside_its_master(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(exception(start=AN_HOUR_LATER, end=SECOND))
    calendar.put(series())
    with opened(google, user) as connection:
        found = {item.id: event(item) for item in items(pages(connection, PRIMARY))}
    master, moved = found["series"], found["series_20261123T090000Z"]
    assert master.recurrence is not None
    assert master.recurrence.rules == ("FREQ=WEEKLY;COUNT=10",)
    assert moved.uid == master.uid
    assert moved.recurrence_id == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert moved.starts_at == datetime(2026, 11, 16, 10, tzinfo=UTC)


def test_a_deleted_event_is_known_by_its_id_alone(google: FakeGoogle) -> None:
    """Two events may share a UID, and a tombstone has none."""
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(meeting("one", iCalUID="same@customer.example"))
    calendar.put(meeting("two", iCalUID="same@customer.example"))
    with opened(google, user) as connection:
        cursor = pages(connection, PRIMARY)[-1].cursor
        calendar.cancel("one")
        assert items(pages(connection, PRIMARY, cursor)) == [Gone("one")]
        assert connection.get(PRIMARY, ["one", "never"]) == [Gone("one"), Gone("never")]


def test_a_deleted_series_takes_its_exceptions_along(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(series())
    calendar.put(exception())
    with opened(google, user) as connection:
        cursor = pages(connection, PRIMARY)[-1].cursor
        calendar.cancel("series")
        told = items(pages(connection, PRIMARY, cursor))
    assert {item.id for item in told if isinstance(item, Gone)} == {"series", "series_20261123T090000Z"}


def test_a_deleted_instance_of_a_deleted_series_is_gone(google: FakeGoogle) -> None:
    """On its organizer's calendar a deleted series keeps its details; its deleted instances say nothing without it."""
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(series())
    calendar.put(exception())
    calendar.cancel("series_20261123T090000Z")
    deleted = calendar.events["series_20261123T090000Z"]
    calendar.cancel("series")
    calendar.events["series"]["iCalUID"] = "series@google.com"
    calendar.events["series_20261123T090000Z"] = deleted
    with opened(google, user) as connection:
        told = items(pages(connection, PRIMARY))
        assert {item.id for item in told if isinstance(item, Gone)} == {"series", "series_20261123T090000Z"}
        assert connection.get(PRIMARY, ["series_20261123T090000Z"]) == [Gone("series_20261123T090000Z")]


def test_what_was_over_before_the_bound_is_in_neither_listing_nor_feed(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    old = {"dateTime": "2026-01-05T09:00:00Z"}
    calendar.put(meeting("old", start=old, end=old))
    calendar.put(meeting("long", start=old, end=SECOND))
    calendar.put(series("weekly", start=old | {"timeZone": "UTC"}, end=old | {"timeZone": "UTC"}))
    with opened(google, user, since=date(2026, 11, 1)) as connection:
        found = pages(connection, PRIMARY)
        assert {item.id: type(item) for item in items(found)} == {
            "old": Gone,
            "long": Record,
            "weekly": Record,
        }
        calendar.put(meeting("old", start=old, end=old, summary="renamed"))
        calendar.put(meeting("long", start=old, end=old))
        told = items(pages(connection, PRIMARY, found[-1].cursor))
        assert {item.id: type(item) for item in told} == {"old": Gone, "long": Gone}


def test_an_instance_that_was_moved_to_before_the_bound_is_told(google: FakeGoogle) -> None:
    """Else its series would say that it takes place when it was to be."""
    user = new_user(google)
    calendar = user.calendars[user.address]
    before = {"dateTime": "2026-10-05T09:00:00Z"}
    calendar.put(series())
    calendar.put(exception(start=before, end=before))
    calendar.put(exception(id="series_20261005T090000Z", start=before, end=before, originalStartTime=before))
    with opened(google, user, since=date(2026, 11, 1)) as connection:
        told = {item.id: type(item) for item in items(pages(connection, PRIMARY))}
    assert told == {"series": Record, "series_20261123T090000Z": Record, "series_20261005T090000Z": Gone}


def test_an_expired_token_is_told_at_every_place(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    for number in range(5):
        calendar.put(meeting(f"meeting{number}"))
    with opened(google, user) as connection:
        during = connection.pull(PRIMARY, None, limit=2).cursor
        after = pages(connection, PRIMARY, limit=2)[-1].cursor
        calendar.expire_tokens()
        for cursor in (during, after, after.replace('"sync":"', '"sync":"x')):
            with pytest.raises(CursorExpired):
                connection.pull(PRIMARY, cursor, limit=2)
        assert len(items(pages(connection, PRIMARY, limit=2))) == 5


def test_a_page_is_asked_for_as_the_one_before_it(google: FakeGoogle) -> None:
    """The fake refuses a token with other parameters than it was given for; limits differ from page to page."""
    user = new_user(google)
    calendar = user.calendars[user.address]
    for number in range(5):
        calendar.put(meeting(f"meeting{number}"))
    with opened(google, user) as connection:
        first = connection.pull(PRIMARY, None, limit=2)
        second = connection.pull(PRIMARY, first.cursor, limit=4_000)
        assert second.more
        assert connection.pull(PRIMARY, second.cursor, limit=1).complete


def test_a_calendar_that_is_gone_or_barred_is_a_channel_gone(google: FakeGoogle) -> None:
    user = new_user(google)
    with opened(google, user) as connection, pytest.raises(ChannelGone):
        connection.pull(Channel("nobody@ours.example", "event"), None, limit=10)


def test_an_event_that_cannot_be_read_takes_no_other_along(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(meeting("good"))
    bad: dict[str, dict[str, Any]] = {
        "absurd": {"start": {"dateTime": "0001-01-01T00:00:00Z"}},
        "wordy": {"start": {"dateTime": "next week"}},
        "empty": {"start": {}},
        "list": {"start": [], "end": []},
        "crowd": {
            "recurrence": ["RRULE:FREQ=DAILY"],
            "attendees": [{"email": f"a{n}@b.example"} for n in range(500)],
        },
        "rule": {"recurrence": ["RRULE:FREQ=SECONDLY"]},
        "endless": {"recurrence": [f"RRULE:FREQ=DAILY;INTERVAL={n}" for n in range(1, 200)]},
    }
    for event_id, wrong in bad.items():
        calendar.put(meeting(event_id) | wrong)
    with opened(google, user) as connection:
        found = {item.id: item for item in items(pages(connection, PRIMARY))}
    assert isinstance(found.pop("good"), Record)
    broken = {event_id for event_id, item in found.items() if isinstance(item, Broken)}
    assert broken >= bad.keys() - {"rule"}  # a rule that cannot be read is told when it is unrolled


def test_titles_are_not_asked_for_below_the_level_that_keeps_them(google: FakeGoogle) -> None:
    user = new_user(google)
    user.calendars[user.address].put(meeting(description="the plan", location="Rome"))
    with opened(google, user, level="metadata") as connection:
        (item,) = items(pages(connection, PRIMARY))
    assert event(item).title == ""


def test_events_are_counted_by_year_and_the_last_change_is_told(google: FakeGoogle) -> None:
    user = new_user(google)
    calendar = user.calendars[user.address]
    calendar.put(meeting("one"))
    calendar.put(meeting("two", start={"date": "2025-03-01"}, end={"date": "2025-03-02"}))
    calendar.put(meeting("gone"))
    calendar.cancel("gone")
    with opened(google, user) as connection:
        counted = connection.count(PRIMARY)
        assert (counted.total, counted.by_year) == (2, {2025: 1, 2026: 1})
        assert connection.newest(PRIMARY) == calendar.updated_at
