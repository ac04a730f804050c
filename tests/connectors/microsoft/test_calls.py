"""Teams calls: of the reps that were named, and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.connectors.microsoft.account import CALL_REP, calls_opened, items, rounds

from autocapture.clock import FixedClock
from autocapture.connector import Broken, Channel, Gone, Record, Ref
from autocapture.errors import RateLimited, ScopeMissing
from autocapture.records import CallRecord
from autocapture.testing.fakes.microsoft import FakeGraph
from autocapture.testing.fakes.microsoft.changes import refusal
from autocapture.testing.fakes.microsoft.worlds import CallsWorld, call_record
from autocapture.testing.fakes.source import REP
from autocapture.testing.loop import Loop
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census
from autocapture_microsoft import calls_connector
from autocapture_microsoft.call_records import call_record as read
from autocapture_microsoft.options import CallsOptions

OTHER = "f69e2c00-0000-0000-0000-185e5f5f5d8a"
TALKED = timedelta(seconds=90)


def add(graph: FakeGraph, number: int, rep: str = CALL_REP, *, ago: timedelta = timedelta(hours=3)) -> str:
    id_ = f"call-{number}"
    graph.calls[id_] = call_record(number, rep, graph.clock.now() - ago, TALKED)
    return id_


def test_calls_of_the_named_reps_alone_are_asked_for(graph: FakeGraph) -> None:
    """What others talk about never reaches us: the filter is Microsoft's to apply."""
    own, others = add(graph, 1), add(graph, 2, OTHER)
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        assert channel == Channel(CALL_REP, "call", REP, whose=REP)
        found = items(rounds(connection, channel))
        (record,) = connection.get(channel, [item.id for item in found])
    assert [item.id for item in found] == [own]
    assert isinstance(record, Record)
    assert all(
        CALL_REP in request.query.get("$filter", "") for request in graph.asked if len(request.path) == 3
    )
    assert not any(others in request.target for request in graph.asked)


def test_the_permission_is_an_applications_or_none(graph: FakeGraph) -> None:
    with calls_opened(graph, scopes={"Calls.Other"}) as connection, pytest.raises(ScopeMissing):
        connection.channels()


def test_late_records_and_later_versions_are_found(graph: FakeGraph) -> None:
    """A record comes up to 150 minutes after its call, and a day's calls are listed again after midnight too."""
    clock = graph.clock
    assert isinstance(clock, FixedClock)
    first = add(graph, 1)
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        cursor = rounds(connection, channel)[-1].cursor
        clock.advance(timedelta(hours=16))  # another day has begun
        late = add(graph, 2, ago=timedelta(hours=17))
        graph.calls[first]["version"] = 2
        pages = rounds(connection, channel, cursor)
        assert items(pages) == [Ref(first, "2"), Ref(late, "1")]
        assert not any(page.complete for page in pages)
        clock.advance(timedelta(days=3))
        rounds(connection, channel, pages[-1].cursor)
        assert (
            items(rounds(connection, channel, rounds(connection, channel, pages[-1].cursor)[-1].cursor)) == []
        )


def test_an_idle_look_costs_one_request_and_keeps_its_cursor(graph: FakeGraph) -> None:
    add(graph, 1)
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        cursor = rounds(connection, channel)[-1].cursor
        asked = graph.requests
        assert connection.pull(channel, cursor, limit=10).cursor == cursor
        assert graph.requests == asked + 1


def test_many_calls_come_page_by_page(graph: FakeGraph) -> None:
    for number in range(70):
        add(graph, number)
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        pages = rounds(connection, channel)
    assert [len(page.items) for page in pages] == [60, 10]
    assert [page.complete for page in pages] == [False, True]


def test_after_some_days_without_a_look_all_pages_reach_back_to_the_last_one(graph: FakeGraph) -> None:
    clock = graph.clock
    assert isinstance(clock, FixedClock)
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        cursor = rounds(connection, channel)[-1].cursor
        clock.advance(timedelta(days=6))
        for number in range(9):
            add(graph, number, ago=timedelta(hours=140 - 12 * number))
        pages = rounds(connection, channel, cursor, limit=2)
    assert [item.id for item in items(pages)] == [f"call-{number}" for number in range(9)]


def test_where_both_conditions_are_not_taken_at_once_the_reps_calls_are_listed(graph: FakeGraph) -> None:
    add(graph, 1)
    add(graph, 2, ago=timedelta(days=31))
    graph.fail(refusal(400, "BadRequest"), where="startDateTime.{1,3}ge")
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        assert [item.id for item in items(rounds(connection, channel))] == ["call-1"]


def test_each_call_is_answered_by_itself(graph: FakeGraph) -> None:
    ids = [add(graph, number) for number in range(4)]
    graph.calls[ids[1]]["sessions"] = "x"
    graph.fail(refusal(500, "InternalServerError"), where="call-2")
    with calls_opened(graph) as connection:
        (channel,) = connection.channels()
        kinds = {item.id: type(item) for item in connection.get(channel, [*ids, "none"])}
        assert kinds == dict(zip([*ids, "none"], [Record, Broken, Broken, Record, Gone], strict=True))
        graph.fail(refusal(429, "TooManyRequests", Retry_After="20"), where="call-", times=9)
        with pytest.raises(RateLimited):
            connection.get(channel, ids)


def test_a_call_tells_number_direction_and_length(graph: FakeGraph) -> None:
    began = graph.clock.now()
    told = call_record(7, CALL_REP, began, TALKED)
    assert read("c", told, CALL_REP, REP) == CallRecord(
        "c", "", "+31302000007", began, TALKED, "answered", "outbound", None, REP
    )
    session: dict[str, Any] = told["sessions"][0]
    session["caller"], session["callee"] = session["callee"], session["caller"]
    inbound = read("c", told, CALL_REP, REP)
    assert (inbound.caller, inbound.callee, inbound.direction) == ("+31302000007", "", "inbound")
    session["failureInfo"] = {"stage": "callSetup", "reason": "x"}
    assert (read("c", told, CALL_REP, REP).outcome, read("c", told, CALL_REP, REP).talked_for) == (
        "failed",
        timedelta(0),
    )


def test_a_call_whose_type_is_not_told_is_told_by_its_sessions(graph: FakeGraph) -> None:
    """Microsoft's own example of a call from a number is of type unknown."""
    told = {**call_record(7, CALL_REP, graph.clock.now(), TALKED), "type": "unknown"}
    assert read("c", told, CALL_REP, REP).callee == "+31302000007"
    among_several = {**told, "sessions": told["sessions"] * 2}
    assert read("c", among_several, CALL_REP, REP).callee == ""


@pytest.mark.parametrize("told", [{"type": "groupCall"}, {"sessions": []}, {"sessions": None}])
def test_meetings_and_calls_of_others_have_no_number_here(graph: FakeGraph, told: dict[str, Any]) -> None:
    """Without a number on the other side nothing becomes an activity."""
    record = read("c", {**call_record(7, CALL_REP, graph.clock.now(), TALKED), **told}, CALL_REP, REP)
    assert (record.caller, record.callee, record.owner) == ("", "", REP)


class Only:
    """A registry of one connector."""

    def __init__(self, connector: Any) -> None:
        self._connector = connector

    def get(self, _name: str) -> Any:
        return self._connector


def test_calls_that_microsoft_keeps_no_longer_have_not_left(graph: FakeGraph) -> None:
    """A census told of each of them that it had left, for ever."""
    world = CallsWorld(calls_connector)
    with Loop(world) as loop:
        world.graph.clock = loop.clock
        world.add(1, 0)
        assert capture_account(loop.app, loop.account_id, worker="calls").status == "ok"
        loop.clock.advance(timedelta(days=40))
        world.add(2, 0)
        assert capture_account(loop.app, loop.account_id, worker="calls").status == "ok"
        app = replace(loop.app, registry=Only(world.connector))  # type: ignore[arg-type]
        (counted,) = take_census(app, loop.account_id)
        assert (counted.at_source, counted.in_ledger, counted.missing, counted.left) == (1, 2, (), ())
        del world.graph.calls["call-2"]
        (counted,) = take_census(app, loop.account_id)
        assert counted.left == ("call-2",)
        assert len(loop.activities()) == 2


@pytest.mark.parametrize("rep", ["x", "oid=", "o'id=rep@ours.example", "=rep@ours.example"])
def test_a_rep_is_an_object_id_and_an_address(rep: str) -> None:
    with pytest.raises(ValueError, match="ENTRA-OBJECT-ID"):
        CallsOptions(reps=(rep,))
