"""Calendars: a view of a period, series read whole, and a view that is renewed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.connectors.microsoft.account import AGENDA, CALENDARS, items, meeting, opened, rounds

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Channel, Gone, Record, Ref
from autocapture.errors import CursorExpired
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox, event
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.http import Response
from autocapture.testing.fakes.microsoft.samples import moment
from autocapture.testing.fakes.microsoft.worlds import CalendarWorld
from autocapture.testing.fakes.source import FIRST
from autocapture.testing.loop import Loop
from autocapture.workflows.census import take_census
from autocapture_microsoft import connector
from autocapture_microsoft.agenda import view_at

WEEKS = [FIRST + timedelta(weeks=week) for week in range(3)]


def add_weekly(mailbox: FakeMailbox, title: str = "weekly", number: int = 1) -> str:
    return mailbox.calendar.add_series(event(number, title, starts=WEEKS[0]), WEEKS)


def test_own_calendars_are_captured_and_nobody_elses(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    mailbox.add_calendar("Beurzen")
    mailbox.add_calendar("Feestdagen", can_edit=False)
    mailbox.add_calendar("Collega", owner="colleague@ours.example")
    with opened(graph, CALENDARS) as connection:
        assert [channel.name for channel in connection.channels()] == ["Agenda", "Beurzen"]
        assert set(connection.left_out()) == {"mail", "Feestdagen", "Collega"}  # type: ignore[attr-defined]


def test_a_series_is_one_item_filled_from_its_master(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    """Its instances arrive bare: without subject and people."""
    series = add_weekly(mailbox)
    mailbox.calendar.replace(series, WEEKS[1], start=moment(WEEKS[1] + timedelta(hours=2)), subject="moved")
    single = mailbox.calendar.add(event(2, "single"))
    with opened(graph, CALENDARS) as connection:
        found = {item.id: meeting(item) for item in items(rounds(connection, AGENDA))}
    assert found.keys() == {series, single}
    weekly = found[series]
    assert weekly.title == "weekly"
    assert {each.email for each in weekly.attendees} == {"rep@ours.example", "buyer1@customer.example"}
    assert weekly.recurrence is not None
    assert weekly.recurrence.dates == (WEEKS[0], WEEKS[2])
    assert [(each.recurrence_id, each.title) for each in weekly.overrides] == [(WEEKS[1], "moved")]


def test_masters_are_read_once_and_twenty_at_a_time(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number in range(25):
        add_weekly(mailbox, f"series {number}", number)
    with opened(graph, CALENDARS) as connection:
        connection.channels()
        asked = graph.requests
        assert len(items([connection.pull(AGENDA, None, limit=200)])) == 25
    assert graph.requests - asked == 1 + 2 + 2
    masters = [
        request.path[-1] for request in graph.asked if request.path[2] == "events" and len(request.path) == 4
    ]
    assert len(masters) == len(set(masters)) == 25


def test_an_instance_that_was_taken_out_is_found_though_nothing_tells_of_it(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    series = add_weekly(mailbox)
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        mailbox.calendar.take_out(series, WEEKS[1])
        (item,) = items(rounds(connection, AGENDA, cursor))
    recurrence = meeting(item).recurrence
    assert recurrence is not None
    assert recurrence.dates == (WEEKS[0], WEEKS[2])


@pytest.mark.parametrize("readable", [False, True])
def test_a_series_leaves_whole(graph: FakeGraph, mailbox: FakeMailbox, readable: bool) -> None:
    """Also where it can be read on, from the folder of what was deleted: an id that stays is no proof."""
    series = add_weekly(mailbox)
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        mailbox.calendar.remove(series, readable=readable)
        assert items(rounds(connection, AGENDA, cursor)) == [Gone(series)]
        assert connection.get(AGENDA, [series]) == [Gone(series)]


@pytest.mark.parametrize("instances_too", [False, True])
def test_a_series_that_is_there_is_not_gone_though_its_master_is_told_as_removed(
    graph: FakeGraph, mailbox: FakeMailbox, instances_too: bool
) -> None:
    """A view tells whatever changed outside of its period as removed: also the master of a series that began before."""
    series, single = add_weekly(mailbox), mailbox.calendar.add(event(2, "single"))
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        bounds = {"start": moment(WEEKS[1]), "end": moment(WEEKS[1] + timedelta(minutes=30))}
        instance = {"id": f"{series}/1", "type": "occurrence", "seriesMasterId": series, **bounds}
        told = [{"id": id_, "@removed": {"reason": "deleted"}} for id_ in (series, single, "never")]
        told += [instance] if instances_too else []
        link = f"{graph.url}/me/calendarView/delta?$deltatoken=later"
        graph.fail(Response(200, {"@odata.deltaLink": link, "value": told}), where="calendarView/delta")
        found = {item.id: type(item) for item in connection.pull(AGENDA, cursor, limit=100).items}
    assert found == {series: Record, single: Gone, "never": Gone}


@pytest.mark.parametrize("asked", [r"/events/[^/]+\?", r"/events\?\$filter"])
def test_a_series_is_not_gone_because_the_question_for_it_failed(
    graph: FakeGraph, mailbox: FakeMailbox, asked: str
) -> None:
    """Within a batch whose other answers are there: it is named, and asked for alone."""
    series, single = add_weekly(mailbox), mailbox.calendar.add(event(2, "single"))
    told = [{"id": id_, "@removed": {"reason": "deleted"}} for id_ in (series, single)]
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        graph.fail(_round(graph, told), where="calendarView/delta")
        graph.fail(refusal(503, "ServiceUnavailable"), where=asked)
        found = {item.id: item for item in connection.pull(AGENDA, cursor, limit=100).items}
        assert found == {series: Ref(series), single: Gone(single)}
        assert [type(item) for item in connection.get(AGENDA, [series])] == [Record]


def test_an_instance_that_is_asked_for_is_answered_by_its_series(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """One that was told as removed when Graph failed at it: it is no item, and its series may have changed."""
    series = add_weekly(mailbox)
    instance = next(mailbox.calendar.events[series].instances())
    told = [{"id": "instance", "@removed": {"reason": "deleted"}}]
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        graph.fail(_round(graph, told), where="calendarView/delta")
        graph.fail(refusal(503, "ServiceUnavailable"), where="/events/instance")
        assert connection.pull(AGENDA, cursor, limit=100).items == [Ref("instance")]
        graph.fail(Response(200, {**instance, "id": "instance"}), where="/events/instance")
        found = {item.id: type(item) for item in connection.get(AGENDA, ["instance"])}
    assert found == {"instance": Gone, series: Record}


def _round(graph: FakeGraph, told: list[dict[str, Any]]) -> Response:
    """What a view tells at once, with nothing to follow."""
    link = f"{graph.url}/me/calendarView/delta?$deltatoken=later"
    return Response(200, {"@odata.deltaLink": link, "value": told})


@pytest.mark.parametrize("changed", ["removed", "edited"])
def test_an_event_at_which_graph_fails_for_ever_keeps_its_calendar_waiting_once(changed: str) -> None:
    world = CalendarWorld(connector)
    with Loop(world) as loop:
        for number in (1, 2):
            world.add(number, 0)
        loop.drain()
        kept = world.items[1]
        world.remove(1) if changed == "removed" else world.edit(1)
        world.add(3, 0)
        world.graph.fail(refusal(500, "InternalServerError"), where=quote(kept.id, safe=""), times=100_000)
        statuses = [report.status for _ in range(3) if (report := loop.capture()) is not None]
        assert statuses == ["incomplete", "ok", "ok"]
        assert loop.quarantined() == [[kept.id], []]
        assert loop.held()[0].keys() >= {"item 2 v1", "item 3 v1"}
        (ghost,) = [found.left for found in take_census(loop.app, loop.account_id) if found.left] or [()]
        assert ghost == ((kept.id,) if changed == "removed" else ()), "the census tells of what is not there"
        world.graph.forget_failures()
        loop.drain()
        assert loop.held() == world.truth()
        assert loop.quarantined() == [[], []]


def test_an_instance_that_was_moved_out_of_the_view_is_no_longer_where_it_was(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    """Should a view tell of it as removed and of nothing else, it says itself of which series it is."""
    series = add_weekly(mailbox)
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        far = WEEKS[1] + timedelta(days=900)
        mailbox.calendar.replace(series, WEEKS[1], start=moment(far), end=moment(far + timedelta(hours=1)))
        told = {"id": f"{series}/moved", "@removed": {"reason": "deleted"}}
        link = f"{graph.url}/me/calendarView/delta?$deltatoken=later"
        graph.fail(Response(200, {"@odata.deltaLink": link, "value": [told]}), where="calendarView/delta")
        answer = Response(200, {"id": told["id"], "type": "exception", "seriesMasterId": series})
        graph.fail(answer, where="moved")
        found = {item.id: item for item in connection.pull(AGENDA, cursor, limit=100).items}
    recurrence = meeting(found[series]).recurrence
    assert recurrence is not None
    assert recurrence.dates == (WEEKS[0], WEEKS[2])


def test_a_changed_master_changes_every_instance(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    series = add_weekly(mailbox)
    with opened(graph, CALENDARS) as connection:
        first = rounds(connection, AGENDA)
        mailbox.calendar.edit(series, subject="renamed")
        (item,) = items(rounds(connection, AGENDA, first[-1].cursor))
        (again,) = connection.get(AGENDA, [series])
    assert meeting(item).title == meeting(again).title == "renamed"
    assert isinstance(item, Record)
    assert item.version != items(first)[0].version  # type: ignore[union-attr]


def test_what_did_not_change_is_of_the_same_version_however_often_it_is_read(
    graph: FakeGraph, mailbox: FakeMailbox
) -> None:
    add_weekly(mailbox)
    mailbox.calendar.add(event(2, "single"))
    with opened(graph, CALENDARS) as connection:
        assert items(rounds(connection, AGENDA)) == items(rounds(connection, AGENDA))


def test_one_unreadable_series_leaves_the_others_be(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    broken, unread, good = (add_weekly(mailbox, f"series {number}", number) for number in range(3))
    mailbox.calendar.edit(broken, attendees="x")
    with opened(graph, CALENDARS) as connection:
        graph.fail(refusal(500, "InternalServerError"), where="00002.*instances")
        found = {item.id: type(item) for item in items(rounds(connection, AGENDA))}
    assert found == {broken: Broken, unread: Broken, good: Record}


def test_a_draft_of_an_invitation_is_no_event(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    draft = mailbox.calendar.add(event(1, "draft", isDraft=True))
    with opened(graph, CALENDARS) as connection:
        assert items(rounds(connection, AGENDA)) == []
        assert connection.get(AGENDA, [draft]) == [Gone(draft)]


def test_texts_of_events_are_dropped_though_they_are_sent(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    mailbox.calendar.add(event(1, "meeting", body={"contentType": "html", "content": "SECRET"}))
    with opened(graph, {"Calendars.Read"}) as connection:
        assert "SECRET" not in repr(rounds(connection, AGENDA))


def test_a_view_begins_where_the_account_does_so_a_renewed_one_forgets_nothing() -> None:
    since = datetime(2026, 8, 18, tzinfo=UTC)
    one = view_at(datetime(2026, 11, 16, 9, tzinfo=UTC), since)
    other = view_at(datetime(2027, 5, 20, 9, tzinfo=UTC), since)
    assert one.begins == other.begins == since
    assert (one.ends, other.ends) == (datetime(2027, 11, 16, tzinfo=UTC), datetime(2028, 5, 19, tzinfo=UTC))
    unbounded = view_at(datetime(2026, 11, 16, 9, tzinfo=UTC), None)
    assert unbounded.ends - unbounded.begins == timedelta(days=1825)  # Graph gives no longer one
    assert unbounded.instances[0] == datetime(2025, 11, 15, tzinfo=UTC)
    assert view_at(datetime(2026, 11, 16, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)) == view_at(
        datetime(2026, 11, 16, tzinfo=UTC), None
    )


def test_a_view_is_renewed_while_half_a_year_of_it_lies_ahead(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    clock = FixedClock(datetime(2026, 11, 16, 9, tzinfo=UTC))
    with opened(graph, CALENDARS, clock=clock, since=date(2026, 8, 18)) as connection:
        page = rounds(connection, AGENDA)[-1]
        clock.advance(timedelta(days=184))
        page = connection.pull(AGENDA, page.cursor, limit=10)
        clock.advance(timedelta(days=1, hours=1))
        with pytest.raises(CursorExpired):
            connection.pull(AGENDA, page.cursor, limit=10)
        far = mailbox.calendar.add(event(1, "far", starts=clock.now() + timedelta(days=350)))
        assert [item.id for item in items(rounds(connection, AGENDA))] == [far]


def test_meetings_that_were_held_stay_when_the_view_is_renewed() -> None:
    """An event of which the new view shows nothing is not taken for cancelled."""
    world = CalendarWorld(connector)
    with Loop(world) as loop:
        for number in range(6):
            world.add(number, number % 2)
        loop.drain()
        before, held = loop.activities(), loop.held()
        cursors = loop.cursors()
        loop.clock.advance(timedelta(days=200))
        loop.drain()
        assert loop.cursors() != cursors
        assert loop.activities() == before
        assert loop.held() == held


def test_an_event_that_moves_out_of_the_view_leaves_it(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    single = mailbox.calendar.add(event(1, "single"))
    with opened(graph, CALENDARS) as connection:
        cursor = rounds(connection, AGENDA)[-1].cursor
        later = FIRST + timedelta(days=800)
        mailbox.calendar.edit(single, start=moment(later), end=moment(later + timedelta(hours=1)))
        assert items(rounds(connection, AGENDA, cursor)) == [Gone(single)]


def test_a_series_longer_than_a_page_is_read_to_its_end(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    daily = [datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=number) for number in range(650)]
    mailbox.calendar.add_series(event(1, "daily", starts=daily[0]), daily)
    with opened(graph, CALENDARS) as connection:
        (item,) = items(rounds(connection, AGENDA))
    recurrence = meeting(item).recurrence
    assert recurrence is not None
    assert len(recurrence.dates) == 650


def test_a_calendar_is_counted_by_year(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    for number, year in enumerate((2026, 2026, 2024)):
        mailbox.calendar.add(event(number, "x", starts=datetime(year, 3, 1, 9, tzinfo=UTC)))
    with opened(graph, CALENDARS) as connection:
        count = connection.count(AGENDA)  # type: ignore[attr-defined]
        assert (count.total, count.by_year) == (3, {2024: 1, 2026: 2})
        assert connection.newest(AGENDA) is None  # type: ignore[attr-defined]


def test_a_second_calendar_is_viewed_by_its_id(graph: FakeGraph, mailbox: FakeMailbox) -> None:
    other = mailbox.add_calendar("Beurzen")
    id_ = other.add(event(1, "fair"))
    with opened(graph, CALENDARS) as connection:
        assert [item.id for item in items(rounds(connection, Channel(other.id, "event")))] == [id_]
        assert items(rounds(connection, AGENDA)) == []
