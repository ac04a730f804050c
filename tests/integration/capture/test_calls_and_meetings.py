"""The hard cases of calls and meetings, each from the source to what is stored: state, credit, people, company and deal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    PEOPLE,
    capture,
    connect_files,
    everything,
)
from tests.integration.capture.test_slots import CALL, ICS, KIMS, NOW, event
from tests.integration.capture.test_transfers import FIRST, LINES, MAPPING, PASSED_ON

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.crm import ContactHandle, Deal, DealContact
from autocapture.model.organization import UserHandle
from autocapture.store.engine import writing
from autocapture.workflows.listings import Selection, list_activities
from autocapture.workflows.meetings import settle_meetings

RUTH, SAM, _ = PEOPLE


class Team:
    """Two of us, each with a calendar and a call log; a customer with one deal, on which Kim has a role."""

    def __init__(self, app: Application, folder: Path) -> None:
        self.app, self.folder = app, folder
        created = datetime(2026, 10, 1, tzinfo=UTC)
        with writing(app.engine) as session:
            session.add(ContactHandle(kind="phone", value=KIMS, contact_id=1))
            for line, user in LINES.items():
                session.add(UserHandle(kind="phone", value=f"ext:{line}", user_id=user))
            named = {"name": "Atlas", "company_id": 1, "owner_id": 1}
            session.add(Deal(id=1, source_id="d1", created_at=created, created_on=created.date(), **named))
            session.flush()
            session.add(DealContact(deal_id=1, contact_id=1))
        (folder / "calls.toml").write_text(MAPPING)

    def calendar(self, person: str, *events: str) -> None:
        (self.folder / f"{person}.ics").write_text(ICS.format(events="".join(events)))

    def log(self, person: str, *rows: str) -> None:
        (self.folder / f"{person}.csv").write_text(CALLS_HEADER + "".join(f"{row}\n" for row in rows))

    def capture(self) -> None:
        """Once: whoever has files is connected and captured."""
        for person in (RUTH, SAM):
            paths = {"calls": self.folder / f"{person}.csv", "ics": self.folder / f"{person}.ics"}
            paths = {name: path for name, path in paths.items() if path.exists()}
            if "calls" in paths:
                paths["mapping"] = self.folder / "calls.toml"
            if paths:
                capture(self.app, connect_files(self.app, person, **paths))
        settle_meetings(self.app)

    def stored(self, kind: str) -> list[dict[str, Any]]:
        return list(list_activities(self.app, Selection(kind=kind)))

    def only(self, kind: str) -> dict[str, Any]:
        (found,) = self.stored(kind)
        return found

    def credit(self) -> dict[int, float]:
        """By user, the share in all that counts."""
        found: dict[int, float] = {}
        for part in everything(self.app)["participation"]:
            if part["counts"]:
                found[part["user_id"]] = found.get(part["user_id"], 0.0) + part["share"]
        return found


def told(activity: dict[str, Any]) -> tuple[Any, ...]:
    """State, contacts, companies, deals."""
    contacts = [each["contact"] for each in activity["participants"] if each["contact"]]
    return activity["status"], contacts, activity["companies"], [each["deal"] for each in activity["deals"]]


HELD = ("held", ["p1"], ["c1"], ["d1"])
ANSWERED = ("answered", ["p1"], ["c1"], ["d1"])


@pytest.fixture
def team(app: Application, tmp_path: Path) -> Team:
    return Team(replace(app, clock=FixedClock(NOW)), tmp_path)


def ours(answer: str = "ACCEPTED", who: str = RUTH) -> str:
    return f"ATTENDEE;PARTSTAT={answer}:mailto:{who}\n"


def by_kim(**given: Any) -> str:
    return event(**given).replace(f"ORGANIZER:mailto:{RUTH}", "ORGANIZER:mailto:kim@customer.example")


def test_a_series_with_an_exception_is_its_dates_each_with_its_own_state(team: Team) -> None:
    series = event(day="02", more="RRULE:FREQ=WEEKLY;COUNT=3\n")
    moved = event(day="10", more="RECURRENCE-ID:20261109T100000Z\n")
    team.calendar(RUTH, series, moved)
    team.capture()
    found = team.stored("meeting")
    assert [(each["occurred_at"].day, each["moved"]) for each in found] == [(2, 0), (10, 1), (16, 0)]
    assert [told(each) for each in found] == [HELD, HELD, ("planned", *HELD[1:])]


def test_a_meeting_organised_by_the_customer_is_held_with_them(team: Team) -> None:
    team.calendar(RUTH, by_kim(more=ours()))
    team.capture()
    meeting = team.only("meeting")
    assert (told(meeting), meeting["direction"], team.credit()) == (HELD, "inbound", {1: 1.0})


def test_a_rep_who_declines_gets_no_credit_and_the_meeting_is_off(team: Team) -> None:
    team.calendar(RUTH, by_kim(more=ours("DECLINED")))
    team.capture()
    assert (told(team.only("meeting")), team.credit()) == (("cancelled_by_us", *HELD[1:]), {})


def test_a_rep_who_is_replaced_by_a_colleague_leaves_the_credit_to_them(team: Team) -> None:
    copy = by_kim(more=ours("DECLINED") + ours(who=SAM))
    team.calendar(RUTH, copy)
    team.calendar(SAM, copy)
    team.capture()
    assert (told(team.only("meeting")), team.credit()) == (HELD, {2: 1.0})


def test_a_meeting_whose_guests_are_hidden_is_with_who_organises_it(team: Team) -> None:
    hidden = by_kim().replace("ATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example\n", "")
    team.calendar(RUTH, hidden)
    team.capture()
    assert (told(team.only("meeting")), team.credit()) == (HELD, {1: 1.0})


def test_a_conference_call_during_a_meeting_counts_once(either_app: Application, tmp_path: Path) -> None:
    team = Team(replace(either_app, clock=FixedClock(NOW)), tmp_path)
    team.calendar(RUTH, event())
    team.log(RUTH, CALL)
    team.capture()
    meeting, call = team.only("meeting"), team.only("call")
    assert (told(meeting), told(call)) == (HELD, ANSWERED)
    assert (call["meeting"], meeting["evidence"][0]["activity"]) == (meeting["id"], call["id"])


def test_a_transfer_is_one_call_of_both_reps(team: Team) -> None:
    team.log(RUTH, FIRST)
    team.log(SAM, PASSED_ON)
    team.capture()
    assert (told(team.only("call")), team.credit()) == (ANSWERED, {1: 0.5, 2: 0.5})
