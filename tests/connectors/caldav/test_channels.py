"""Which collections are captured, and what is said of the others."""

from __future__ import annotations

import pytest
from tests.connectors.caldav.support import Opener, channel

from autocapture.connector import Channel, Counts, LeavesOut, TellsNewest, Watches
from autocapture.errors import ChannelGone
from autocapture.testing.fakes.caldav.server import CaldavServer
from autocapture.testing.fakes.caldav.store import HOME, event_text

CALENDAR = "<D:collection/><C:calendar/>"


def test_each_calendar_is_a_channel(server: CaldavServer, opened: Opener) -> None:
    server.store.make("work", components=("VEVENT",))
    server.store.make("all", components=("VEVENT", "VTODO"))
    server.store.make("old")
    assert [each.name for each in opened().channels()] == ["work", "all", "old"]


def test_what_is_no_calendar_of_ours_is_left_out_and_named(server: CaldavServer, opened: Opener) -> None:
    server.store.make("work")
    server.store.make("tasks", components=("VTODO",))
    server.store.make("inbox", kinds="<D:collection/><C:schedule-inbox/>")
    server.store.make("outbox", kinds="<D:collection/><C:schedule-outbox/>")
    server.store.make("holidays", kinds="<D:collection/><S:subscribed/>")
    server.store.make("boss", kinds=CALENDAR + "<S:shared/>")
    server.store.make("team", more="<D:owner><D:href>/dav/principals/boss/</D:href></D:owner>")
    server.store.make("mine", more="<D:owner><D:href>/dav/principals/rep</D:href></D:owner>")
    server.store.make("contacts", kinds="<D:collection/>")
    connection = opened()
    assert [each.name for each in connection.channels()] == ["work", "mine"]
    assert isinstance(connection, LeavesOut)
    assert connection.left_out() == {
        "tasks": "it holds no events",
        "inbox": "incoming invitations: they are in a calendar too",
        "outbox": "outgoing invitations: they are in a calendar too",
        "holidays": "a subscription to somebody else's calendar",
        "boss": "shared by somebody else",
        "team": "shared by somebody else",
    }


def test_a_calendar_with_too_long_an_address_is_left_out(server: CaldavServer, opened: Opener) -> None:
    server.store.make("x" * 600).name = "long"
    connection = opened()
    assert connection.channels() == []
    assert isinstance(connection, LeavesOut)
    assert connection.left_out() == {"long": "its address is too long"}


def test_a_calendar_without_a_name_is_called_by_its_address(server: CaldavServer, opened: Opener) -> None:
    server.store.make("work").name = " \n "
    assert channel(opened(), "work").id == f"{HOME}work/"


def test_a_calendar_is_one_however_its_address_is_escaped(server: CaldavServer, opened: Opener) -> None:
    server.store.make("rep@home (1)").name = "home"
    server.manners.escapes_at = True
    connection = opened()
    seen = {channel(connection, "home").id for _ in range(3)}
    assert len(seen) == 1


def test_a_calendar_that_is_gone_switches_its_channel_off(server: CaldavServer, opened: Opener) -> None:
    server.store.make("work")
    connection = opened()
    work = channel(connection)
    del server.store.collections[work.id]
    with pytest.raises(ChannelGone):
        connection.pull(work, None, limit=10)
    with pytest.raises(ChannelGone):
        opened().pull(work, None, limit=10)


def test_a_calendar_is_counted_by_the_year_in_which_its_events_begin(
    server: CaldavServer, opened: Opener
) -> None:
    work = server.store.make("work")
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Z\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
        "TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )
    this_year = event_text(0).replace("BEGIN:VEVENT", f"{zone}BEGIN:VEVENT")
    series = event_text(2).replace("DTSTART:2026", "DTSTART;X-NOTE=a long\r\n er one:2021")
    moved = series.replace("END:VEVENT", "RRULE:FREQ=YEARLY\r\nEND:VEVENT").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:2\r\nDTSTART:20240101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR",
    )
    undated = event_text(3).replace("DTSTART:2026", "DTSTART:?")
    for number, text in enumerate([this_year, event_text(1), moved, undated]):
        server.store.put(work, f"{number}.ics", text)
    server.store.put(work, "task.ics", event_text(9).replace("VEVENT", "VTODO"))
    connection = opened()
    of: Channel = channel(connection)
    asked = len(server.asked)
    assert isinstance(connection, Counts)
    counted = connection.count(of)
    assert (counted.total, counted.by_year) == (4, {2021: 1, 2026: 2})
    assert len(server.asked) == asked + 2


def test_where_a_server_does_not_tell_beginnings_a_calendar_is_counted_without_years(
    server: CaldavServer, opened: Opener
) -> None:
    work = server.store.make("work")
    server.store.put(work, "1.ics", event_text(1))
    server.manners.multiget = 501
    connection = opened()
    of = channel(connection)
    assert isinstance(connection, Counts)
    counted = connection.count(of)
    assert (counted.total, counted.by_year) == (1, {})


def test_nothing_is_offered_that_caldav_cannot_do_cheaply(opened: Opener) -> None:
    connection = opened()
    assert not isinstance(connection, TellsNewest)
    assert not isinstance(connection, Watches)
