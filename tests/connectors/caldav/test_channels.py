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


def test_a_calendar_is_counted_in_one_question(server: CaldavServer, opened: Opener) -> None:
    work = server.store.make("work")
    for number in range(3):
        server.store.put(work, f"{number}.ics", event_text(number))
    server.store.put(work, "task.ics", event_text(9).replace("VEVENT", "VTODO"))
    connection = opened()
    of: Channel = channel(connection)
    asked = len(server.asked)
    assert isinstance(connection, Counts)
    assert connection.count(of).total == 3
    assert len(server.asked) == asked + 1


def test_nothing_is_offered_that_caldav_cannot_do_cheaply(opened: Opener) -> None:
    connection = opened()
    assert not isinstance(connection, TellsNewest)
    assert not isinstance(connection, Watches)
