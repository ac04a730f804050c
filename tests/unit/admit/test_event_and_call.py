from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.cast import NOON, ORGANIZATION, RUTH

from autocapture.admit.call import admit_call
from autocapture.admit.event import admit_event
from autocapture.admit.exclusions import Exclusions
from autocapture.records import Attendee, CallRecord, EventRecord


def event_reason(*guests: str, exclusions: Exclusions | None = None, **given: Any) -> str | None:
    record = EventRecord(
        "u1",
        NOON,
        NOON + timedelta(hours=1),
        organizer=Attendee("ruth@ours.example"),
        attendees=(Attendee("room@venue.example", resource=True), *(Attendee(each) for each in guests)),
        **given,
    )
    return admit_event(record, RUTH, ORGANIZATION, exclusions or Exclusions()).reason


def call_reason(caller: str, callee: str, exclusions: Exclusions | None = None) -> str | None:
    record = CallRecord("c1", caller, callee, NOON)
    return admit_call(record, RUTH, ORGANIZATION, exclusions or Exclusions()).reason


def test_a_meeting_with_a_customer_is_admitted() -> None:
    assert event_reason("anna@nordwind.example") is None


@pytest.mark.parametrize("purpose", ["out_of_office", "focus", "working_location", "birthday"])
def test_what_a_calendar_holds_besides_is_not_a_meeting(purpose: str) -> None:
    assert event_reason("anna@nordwind.example", purpose=purpose) == "not_a_meeting"


def test_an_appointment_with_oneself_or_a_room_is_not_a_meeting() -> None:
    assert event_reason() == "not_a_meeting"
    assert event_reason("r.miller@ours.example") == "not_a_meeting"


def test_free_time_is_not_a_meeting_unless_it_was_freed_by_cancelling() -> None:
    assert event_reason("sam@ours.example", transparent=True) == "not_a_meeting"
    assert event_reason("anna@nordwind.example", transparent=True) == "not_a_meeting"
    assert event_reason("anna@nordwind.example", transparent=True, status="cancelled") is None


def test_a_room_never_makes_a_meeting_external() -> None:
    assert event_reason("sam@ours.example") == "internal"


def test_private_events_are_left_alone() -> None:
    assert event_reason("anna@nordwind.example", private=True) == "private"


def test_an_exclusion_names_a_guest() -> None:
    listed = Exclusions(handles=frozenset({"anna@nordwind.example"}))
    assert event_reason("anna@nordwind.example", exclusions=listed) == "excluded"


def test_a_lone_cancelled_exception_is_kept_for_its_series() -> None:
    record = EventRecord("u1", NOON, NOON, recurrence_id=NOON, status="cancelled")
    assert admit_event(record, RUTH, ORGANIZATION, Exclusions()).admitted


@pytest.mark.parametrize(
    ("caller", "callee", "expected"),
    [
        ("601", "030 9876543", None),
        ("+49 30 12345601", "+44 20 7946 0018", None),
        ("601", "602", "internal"),
        ("anonymous", "601", "no_external"),
        ("601", "*97", "no_external"),
    ],
)
def test_a_call_needs_a_known_number_outside(caller: str, callee: str, expected: str | None) -> None:
    assert call_reason(caller, callee) == expected


def test_a_listed_number_keeps_a_call_out() -> None:
    assert call_reason("601", "030 9876543", Exclusions(frozenset({"+49309876543"}))) == "excluded"
