"""What counts among calls and meetings, where one activity decides about another or a guest about a meeting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, SQLModel
from tests.unit.measured_cast import measured_cast

from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.examples import ANN, AS_OF, KIM, LEE, WEEK, activity, at, insert_rows
from autocapture.measure.query import Query
from autocapture.model.activities import Participant


def value(session: Session, name: str) -> object:
    [found] = aggregate(session, metric_named(name), Query(WEEK, AS_OF))
    return found.value


def calls(*dialled: tuple[int, int]) -> list[SQLModel]:
    """Calls to one number: seconds after noon, and seconds talked (0: nobody answered)."""
    noon = at("11-10 12:00")
    return [
        row
        for number, (second, talked) in enumerate(dialled, 1)
        for row in activity(
            number,
            "call",
            "11-10 12:00",
            [ANN],
            occurred_at=noon + timedelta(seconds=second),
            status="answered" if talked else "no_answer",
            duration_s=talked,
        )
    ]


@pytest.mark.parametrize(
    ("dialled", "made", "connected"),
    [
        ([(0, 0), (90, 0), (200, 65)], 1, 1),
        ([(0, 0), (120, 0)], 1, 0),
        ([(0, 0), (121, 0)], 2, 0),
        ([(0, 5), (30, 0)], 1, 0),
        ([(0, 61), (110, 70)], 2, 2),
        ([(0, 0), (10, 60), (115, 60)], 2, 2),
        ([(0, 61), (100, 0), (110, 0)], 2, 1),
    ],
    ids=["retries", "two minutes", "later", "cut off", "called back", "retry and back", "busy after a talk"],
)
def test_dialling_again_is_another_call_only_after_a_connection_or_two_minutes(
    dialled: Sequence[tuple[int, int]], made: int, connected: int
) -> None:
    with measured_cast() as session:
        insert_rows(session, calls(*dialled))
        assert (value(session, "calls_made"), value(session, "calls_connected")) == (made, connected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.sampled_from([0, 59, 60, 200])), max_size=8))
def test_no_more_calls_are_connected_than_were_made(dialled: list[tuple[int, int]]) -> None:
    with measured_cast() as session:
        insert_rows(session, calls(*dialled))
        made, connected = value(session, "calls_made"), value(session, "calls_connected")
        assert isinstance(made, int)
        assert isinstance(connected, int)
        assert connected <= made <= len(dialled)


@pytest.mark.parametrize(
    ("kim", "lee", "held"),
    [
        ("accepted", "declined", 1),
        ("tentative", "declined", 1),
        ("needs_action", "needs_action", 1),
        (None, None, 1),
        ("needs_action", "declined", 0),
        ("declined", "declined", 0),
    ],
)
def test_a_meeting_that_has_just_ended_is_judged_by_its_guests(
    kim: str | None, lee: str | None, held: int
) -> None:
    """As `normalize.meeting` will judge it when it is looked at again: until then it is stored as planned."""
    with measured_cast() as session:
        rows = activity(1, "meeting", "11-10 15:00", [ANN], status="planned", contacts=[KIM, LEE])
        answers = {KIM: kim, LEE: lee}
        for row in rows:
            if isinstance(row, Participant) and row.contact_id in answers:
                row.response = answers[row.contact_id]
        insert_rows(session, rows)
        assert value(session, "meetings_held") == held
