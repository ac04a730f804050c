from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.unit.cast import NOON, ORGANIZATION, RUTH

from autocapture.model.draft import Draft
from autocapture.normalize.call import draft_call, merge_calls
from autocapture.normalize.handles import canonical_phone
from autocapture.normalize.people import handles_of
from autocapture.records import CallRecord


def call(
    caller: str = "601", callee: str = "030 9876543", *, seconds: int = 90, after: int = 0, **given: Any
) -> Draft:
    given.setdefault("outcome", "answered" if seconds else "no_answer")
    record = CallRecord(
        given.pop("call_id", "c1"),
        caller,
        callee,
        NOON + timedelta(seconds=after),
        timedelta(seconds=seconds),
        **given,
    )
    return draft_call(record, RUTH, ORGANIZATION)


def parts(of: Draft) -> dict[int, tuple[str, bool, float]]:
    return {part.user_id: (part.role, part.counts, part.share) for part in of.parts}


def test_a_rep_calls_a_number_written_nationally() -> None:
    found = call()
    assert (found.direction, found.status, found.duration_s) == ("outbound", "answered", 90)
    assert [(p.role, p.address, p.user_id) for p in found.parties] == [
        ("callee", "+49309876543", None),
        ("caller", "ext:601", 1),
    ]
    assert parts(found) == {1: ("caller", True, 1.0)}
    assert found.ends_at == NOON + timedelta(seconds=90)


def test_an_attempt_counts_for_who_dialled_but_a_missed_call_for_nobody() -> None:
    assert parts(call(seconds=0))[1] == ("caller", True, 1.0)
    assert parts(call("+442079460018", "601", seconds=0))[1] == ("callee", False, 0.0)


def test_a_line_belongs_to_whom_the_log_names() -> None:
    assert parts(call("+493000000", "+442079460018", direction="outbound", owner="sam@ours.example")) == {
        2: ("caller", True, 1.0)
    }
    assert parts(call("602", "+442079460018")) == {2: ("caller", True, 1.0)}
    assert parts(call("+493011111", "+442079460018", direction="outbound")) == {1: ("caller", True, 1.0)}
    assert parts(call(owner="nobody@ours.example")) == {}


def test_between_two_numbers_of_ours_a_call_is_internal_whatever_the_log_says() -> None:
    found = call("+49 30 12345601", "602", direction="outbound")
    assert (found.direction, found.external) == ("internal", False)


def test_the_legs_of_a_transferred_call_are_one_call_in_any_order() -> None:
    legs = [
        call("+442079460018", "601", seconds=40, group="g1"),
        call("+442079460018", "602", seconds=70, after=45, group="g1", call_id="c2"),
        call(
            "+442079460018", "603", seconds=0, after=20, group="g1", call_id="c3", owner="tina@ours.example"
        ),
    ]
    merged = merge_calls(legs)
    assert (merged.dedupe_key, merged.status, merged.duration_s) == ("call:g1", "answered", 70)
    assert parts(merged) == {1: ("callee", True, 0.5), 2: ("callee", True, 0.5), 3: ("callee", False, 0.0)}
    assert merged.ends_at == NOON + timedelta(seconds=115)
    for order in permutations(legs):
        assert merge_calls(order) == merged
        assert merge_calls([merge_calls(order[:2]), order[2], merged]) == merged


def test_a_call_that_was_passed_on_went_the_way_of_its_first_leg() -> None:
    first = call("601", "+442079460018", seconds=40, group="g1", owner="ruth@ours.example")
    rest = {"group": "g1", "call_id": "c2", "owner": "ruth@ours.example", "direction": "outbound"}
    passed_on = call("+442079460018", "602", seconds=70, after=45, **rest)
    for legs in ((first, passed_on), (passed_on, first)):
        merged = merge_calls(legs)
        assert merged.direction == "outbound"
        assert parts(merged) == {1: ("caller", True, 0.5), 2: ("callee", True, 0.5)}


def test_the_handles_of_a_call_are_read_by_the_reps_region() -> None:
    record = CallRecord("c1", "601", "020 7946 0018", NOON)
    assert handles_of(record, "GB") == {"ext:601", "+442079460018"}


@pytest.mark.parametrize(
    ("raw", "handle"),
    [("ext:601", "ext:601"), ("anonymous", ""), ("", ""), ("tel:+4930 9876543", "+49309876543")],
)
def test_numbers_have_one_form(raw: str, handle: str) -> None:
    assert canonical_phone(raw, "DE") == handle
