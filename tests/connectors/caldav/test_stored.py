"""What the engine makes of it: one meeting, however often and in how many calendars it lies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autocapture.testing.fakes.caldav.manners import Manners
from autocapture.testing.fakes.caldav.store import event_text
from autocapture.testing.fakes.caldav.world import CaldavWorld
from autocapture.testing.loop import Loop
from autocapture_caldav import connector


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop(CaldavWorld(connector, Manners())) as made:
        yield made


def world(loop: Loop) -> CaldavWorld:
    assert isinstance(loop.world, CaldavWorld)
    return loop.world


def test_one_uid_twice_in_a_calendar_is_the_newer_of_both(loop: Loop) -> None:
    store, (calendar, _) = world(loop).store, world(loop).calendars
    store.put(calendar, "old.ics", event_text(1, 1))
    store.put(calendar, "new.ics", event_text(1, 2))
    loop.drain()
    assert list(loop.activities()) == ["item 1 v2"]
    store.delete(calendar, "new.ics")
    loop.drain()
    assert list(loop.activities()) == ["item 1 v1"]


def test_one_uid_in_two_calendars_is_one_meeting_until_both_are_gone(loop: Loop) -> None:
    store, (one, two) = world(loop).store, world(loop).calendars
    store.put(one, "a.ics", event_text(1))
    store.put(two, "b.ics", event_text(1))
    loop.drain()
    (first,) = loop.activities()["item 1 v0"]
    store.delete(one, "a.ics")
    loop.drain()
    assert loop.activities() == {"item 1 v0": [first]}


def test_each_meeting_of_a_series_is_one_however_its_calendar_moves_it(loop: Loop) -> None:
    """A series with a moved and a cancelled instance: the instance stays what it was."""
    store, (calendar, _) = world(loop).store, world(loop).calendars
    series = event_text(1, more="RRULE:FREQ=DAILY;COUNT=5")
    store.put(calendar, "a.ics", series)
    loop.drain()
    before = loop.activities()
    (ids,) = before.values()
    assert len(ids) == 5
    moved = event_text(1, 1, more="RECURRENCE-ID:20261103T010000Z").replace(
        "T010000Z\r\nDUR", "T050000Z\r\nDUR"
    )
    exception = moved[moved.index("BEGIN:VEVENT") : moved.index("END:VCALENDAR")]
    store.put(calendar, "a.ics", series.replace("END:VCALENDAR", exception + "END:VCALENDAR"))
    loop.drain()
    after = loop.activities()
    assert sorted(each for same in after.values() for each in same) == sorted(ids)
    assert len(after["item 1 v1"]) == 1


def test_a_private_event_tells_nothing(loop: Loop) -> None:
    store, (calendar, _) = world(loop).store, world(loop).calendars
    store.put(calendar, "a.ics", event_text(1, more="CLASS:PRIVATE"))
    loop.drain()
    assert loop.activities() == {}
    assert "item 1" not in str(loop.rows())


def test_a_reset_told_twice_gives_the_same_rows(loop: Loop) -> None:
    for number in range(6):
        world(loop).add(number, number % 2)
    loop.drain()
    before = loop.activities()
    for _ in range(2):
        world(loop).expire()
        loop.drain()
    assert loop.activities() == before
