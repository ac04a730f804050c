"""The intervals of a deal, whatever its changes and imports were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from autocapture.crm.history import moved_away, states_of, unseen_changes
from autocapture.crm.rows import State

START = datetime(2026, 9, 1, tzinfo=UTC)
NOW = START + timedelta(days=60)
CLOSED_STAGES = {"Won": "won", "Lost": "lost"}


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def deal(
    stage: str | None, closed: int | None = None, amount: int | None = 100, **more: Any
) -> dict[str, Any]:
    return {
        "created_at": START,
        "stage": stage,
        "outcome": CLOSED_STAGES.get(stage or "", "open"),
        "closed_at": None if closed is None else day(closed),
        "amount_minor": amount,
        "currency": "EUR",
        **more,
    }


def told(states: tuple[State, ...]) -> list[tuple[int, str | None, str]]:
    return [((state.valid_from - START).days, state.stage, state.outcome) for state in states]


def test_without_history_an_open_deal_stands_in_its_stage_from_the_start() -> None:
    assert told(states_of(deal("A"), [], {}, (), NOW)) == [(0, "A", "open")]


def test_without_history_the_stages_of_a_closed_deal_are_not_known() -> None:
    assert told(states_of(deal("Won", 9), [], {}, (), NOW)) == [(0, None, "open"), (9, "Won", "won")]


def test_back_moves_and_skipped_stages_are_as_the_changes_say() -> None:
    changes = [(day(0), "A"), (day(3), "C"), (day(5), "B"), (day(8), "C")]
    states = states_of(deal("C"), changes, CLOSED_STAGES, (), NOW)
    assert told(states) == [(0, "A", "open"), (3, "C", "open"), (5, "B", "open"), (8, "C", "open")]


def test_a_reopened_deal_is_closed_in_between_only() -> None:
    changes = [(day(0), "A"), (day(3), "Lost"), (day(7), "B"), (day(9), "Won")]
    states = states_of(deal("Won", 9), changes, CLOSED_STAGES, (), NOW)
    assert told(states) == [(0, "A", "open"), (3, "Lost", "lost"), (7, "B", "open"), (9, "Won", "won")]


def test_a_stage_that_the_changes_do_not_explain_counts_from_when_it_was_seen() -> None:
    changes = [(day(0), "A")]
    first = states_of(deal("B"), changes, {}, (), NOW)
    assert told(first) == [(0, "A", "open"), (60, "B", "open")]
    assert states_of(deal("B"), changes, {}, first, NOW + timedelta(days=5)) == first


def test_a_new_owner_has_the_deal_from_the_import_on() -> None:
    first = states_of(deal("A", owner="anna"), [], {}, (), day(10))
    second = states_of(deal("A", owner="bob"), [], {}, first, day(20))
    assert [(state.owner, state.valid_from) for state in second] == [("anna", day(0)), ("bob", day(20))]


def test_a_move_between_two_imports_becomes_two_changes() -> None:
    assert unseen_changes(deal("A"), deal("B"), [], NOW) == ((START, "A"), (NOW, "B"))
    assert unseen_changes(deal("A"), deal("Won", 30), [], NOW) == ((START, "A"), (day(30), "Won"))
    assert unseen_changes(deal("A"), deal("A"), [], NOW) == ()
    assert unseen_changes(None, deal("A"), [], NOW) == ()


CHANGES = st.lists(
    st.tuples(st.integers(-5, 50).map(day), st.sampled_from(["A", "B", "C", "Won", "Lost"])), max_size=6
).map(sorted)
DEALS = st.builds(
    lambda stage, closed, amount: deal(stage, closed if stage in CLOSED_STAGES else None, amount),
    st.sampled_from(["A", "B", "Won", "Lost"]),
    st.integers(0, 50),
    st.one_of(st.none(), st.integers(0, 3)),
)


@given(st.lists(st.tuples(DEALS, CHANGES), min_size=1, max_size=4))
def test_intervals_have_no_gaps_and_end_as_the_deal_stands(imports: list[tuple[dict[str, Any], Any]]) -> None:
    states: tuple[State, ...] = ()
    for number, (row, changes) in enumerate(imports):
        now = NOW + timedelta(days=number)
        states = states_of(row, changes, CLOSED_STAGES, states, now)
        assert states[0].valid_from == START
        assert states[-1].valid_to is None
        for before, after in pairwise(states):
            assert before.valid_from < before.valid_to == after.valid_from  # type: ignore[operator]
        last = states[-1]
        assert (last.stage, last.outcome, last.amount_minor) == (
            row["stage"],
            row["outcome"],
            row["amount_minor"],
        )
        assert states_of(row, changes, CLOSED_STAGES, states, now + timedelta(hours=1)) == states


def test_a_close_that_is_dated_otherwise_moves() -> None:
    changes = [(day(0), "A"), (day(5), "Won")]
    assert told(states_of(deal("Won", 9), changes, CLOSED_STAGES, (), NOW)) == [
        (0, "A", "open"),
        (9, "Won", "won"),
    ]


def test_a_change_that_the_file_dates_otherwise_has_moved() -> None:
    stored = [(day(0), "A"), (day(5), "B"), (day(9), "Won")]
    assert moved_away(stored, [(day(0), "A"), (day(6), "B"), (day(9), "Won")]) == [(day(5), "B")]
    assert moved_away(stored, [(day(0), "A"), (day(5), "B"), (day(7), "Won")]) == [(day(9), "Won")]


def test_a_file_that_begins_late_or_lags_behind_moves_nothing() -> None:
    stored = [(day(0), "A"), (day(5), "B"), (day(9), "A")]
    assert moved_away(stored, [(day(5), "B"), (day(9), "A")]) == []
    assert moved_away(stored, [(day(0), "A"), (day(5), "B")]) == []
