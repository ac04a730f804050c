"""Calls and mails around the slot of a meeting: what they say of it, whatever was stored first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    capture,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
    settle,
)

from autocapture.clock import FixedClock
from autocapture.connector import CaptureLevel
from autocapture.measure.aggregate import aggregate
from autocapture.measure.catalog import metric_named
from autocapture.measure.period import Period
from autocapture.measure.query import Query
from autocapture.model.crm import Contact, ContactHandle
from autocapture.settings import MeetingSettings
from autocapture.store.engine import reading, writing
from autocapture.workflows.listings import Selection, list_activities
from autocapture.workflows.meetings import settle_meetings

NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
KIMS = "+31301234567"

OUTCOMES = """
[values.outcome]
answered = "answered"
"no answer" = "no_answer"
"""

ICS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
{events}END:VCALENDAR
"""
EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
DTSTART:202611{day}T{hour}0000Z
DTEND:202611{day}T{end}0000Z
SUMMARY:Demo
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT={answer}:mailto:kim@customer.example
{more}END:VEVENT
"""


def event(
    uid: str = "demo",
    *,
    day: str = "10",
    hour: str = "10",
    end: str = "11",
    answer: str = "ACCEPTED",
    more: str = "",
) -> str:
    return EVENT.format(uid=uid, day=day, hour=hour, end=end, answer=answer, more=more)


class Desk:
    """Ruth's calendar, call log and mailbox, as files that change."""

    def __init__(self, folder: Path, clock: FixedClock, level: CaptureLevel = "subject") -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.app = folder, deploy(folder / "home", clock=clock)
        with writing(self.app.engine) as session:
            session.add(ContactHandle(kind="phone", value=KIMS, contact_id=1))
        (folder / "calls.toml").write_text('time_zone = "UTC"\n' + CALLS_MAPPING + OUTCOMES)
        self.mailbox = folder / "Maildir"
        self._paths = {
            "event": {"ics": folder / "work.ics"},
            "call": {"calls": folder / "calls.csv", "mapping": folder / "calls.toml"},
            "email": {"maildir": self.mailbox},
        }
        self._level: CaptureLevel = level
        self._accounts: dict[str, int] = {}

    def calendar(self, *events: str) -> None:
        (self.folder / "work.ics").write_text(ICS.format(events="".join(events)))

    def calls(self, *rows: str) -> None:
        (self.folder / "calls.csv").write_text(CALLS_HEADER + "".join(f"{row}\n" for row in rows))

    def capture(self, *kinds: str) -> None:
        """Those of these kinds, or all, that there are files of."""
        for kind in kinds or self._paths:
            paths = self._paths[kind]
            if all(path.exists() for path in paths.values()):
                if kind not in self._accounts:
                    self._accounts[kind] = connect_files(self.app, level=self._level, **paths)
                capture(self.app, self._accounts[kind])

    def sorry(self, at: str = "10T11:30", **given: Any) -> None:
        """Kim writes that the meeting was missed, on a day of the month."""
        when = datetime.fromisoformat(f"2026-11-{at}:00+00:00")
        given.setdefault("subject", "Sorry I missed our meeting")
        deliver(self.mailbox, message(1, at=when, **given), at=int(when.timestamp()))

    def meetings(self) -> list[dict[str, Any]]:
        return list(list_activities(self.app, Selection(kind="meeting")))

    def meeting(self) -> dict[str, Any]:
        (found,) = self.meetings()
        return found

    def all_calls(self) -> list[dict[str, Any]]:
        return list(list_activities(self.app, Selection(kind="call")))

    def call(self) -> dict[str, Any]:
        (found,) = self.all_calls()
        return found

    def count(self, metric: str) -> float | None:
        settle(self.app)
        query = Query(Period(NOW.date().replace(day=1), NOW.date()), NOW)
        with reading(self.app.engine) as session:
            return aggregate(session, metric_named(metric), query)[0].value


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def desk(tmp_path: Path, clock: FixedClock) -> Desk:
    return Desk(tmp_path, clock)


CALL = f"c1,601,{KIMS},2026-11-10 10:01:00,1500,answered,"


def test_a_conference_call_during_a_meeting_is_the_meeting_and_counts_once(desk: Desk) -> None:
    desk.calendar(event())
    desk.calls(CALL)
    desk.capture()
    meeting, call = desk.meeting(), desk.call()
    assert (call["meeting"], meeting["status"]) == (meeting["id"], "held")
    assert meeting["evidence"][0] == {
        "sign": "talked",
        "says": "held",
        "grade": "firm",
        "who": [KIMS],
        "activity": call["id"],
    }
    assert [desk.count(each) for each in ("meetings_held", "calls_made", "calls_connected")] == [1, 0, 0]


def test_other_calls_stay_calls_of_their_own(desk: Desk) -> None:
    """After the slot, over before it, not answered, with somebody else."""
    desk.calendar(event())
    desk.calls(
        f"c1,601,{KIMS},2026-11-10 11:05:00,600,answered,",
        f"c2,601,{KIMS},2026-11-10 09:57:00,60,answered,",
        f"c3,601,{KIMS},2026-11-10 10:05:00,0,no answer,",
        "c4,601,+31307654321,2026-11-10 10:05:00,600,answered,",
    )
    desk.capture()
    assert [call["meeting"] for call in desk.all_calls()] == [None] * 4
    assert desk.count("calls_made") == 4
    assert [each["sign"] for each in desk.meeting()["evidence"]] == ["accepted"]


def test_a_call_shows_that_a_meeting_was_held_of_which_nobody_knew(desk: Desk) -> None:
    unsure = event(answer="DECLINED", more="ATTENDEE:mailto:lee@customer.example\n")
    desk.calendar(unsure)
    desk.capture("event")
    assert desk.meeting()["status"] == "unknown"
    desk.calls(CALL)
    desk.capture("call")
    assert desk.meeting()["status"] == "held"
    desk.calls()
    desk.capture("call")
    assert desk.meeting()["status"] == "held", "what left the log was talked all the same"
    desk.calls(CALL.replace("10:01", "12:01"))
    desk.capture("call")
    assert (desk.meeting()["status"], desk.call()["meeting"]) == ("unknown", None)


def test_what_nobody_knows_counts_where_the_settings_say_so(desk: Desk) -> None:
    desk.calendar(event(answer="DECLINED", more="ATTENDEE:mailto:lee@customer.example\n"))
    desk.capture("event")
    assert desk.count("meetings_held") == 0
    given = desk.app.settings
    for counts, status in ((True, "held"), (False, "unknown")):
        chosen = given.model_copy(update={"meetings": MeetingSettings(unknown_count=counts)})
        desk.app = replace(desk.app, settings=chosen)
        settle_meetings(desk.app, whole_calendar=True)
        assert (desk.meeting()["status"], desk.count("meetings_held")) == (status, int(counts))
        assert (desk.meeting()["evidence"][0]["sign"] == "policy") is counts


def test_a_meeting_that_was_called_off_is_not_held_by_a_call(desk: Desk) -> None:
    desk.calendar(event(more="STATUS:CANCELLED\n"))
    desk.calls(CALL)
    desk.capture()
    assert (desk.meeting()["status"], desk.call()["meeting"]) == ("cancelled_by_us", None)
    assert desk.count("calls_made") == 1


def test_a_mail_after_the_slot_tells_that_the_guest_did_not_come(desk: Desk) -> None:
    desk.calendar(event())
    desk.capture()
    assert desk.count("meetings_held") == 1
    desk.sorry()
    desk.capture("email")
    meeting = desk.meeting()
    assert (meeting["status"], meeting["evidence"][0]["sign"]) == ("no_show", "missed")
    assert meeting["evidence"][0]["who"] == ["kim@customer.example"]
    assert desk.count("meetings_held") == 0


def test_other_mails_tell_nothing_of_it(desk: Desk) -> None:
    """Before it and days after it, of nobody who was a guest, to no rep of it, an answer, and one that says nothing of it."""
    desk.calendar(event())
    for number, mail in enumerate(
        (
            {"at": "10T09:30"},
            {"at": "13T11:30"},
            {"author": "Lee <lee@customer.example>"},
            {"to": "sam@ours.example"},
            {"subject": "Re: Sorry I missed our meeting"},
            {"subject": "Our meeting"},
        )
    ):
        desk.sorry(**mail, message_id=f"{number}@told.example")
    desk.capture()
    assert [each["sign"] for each in desk.meeting()["evidence"]] == ["accepted"]


def test_a_mail_is_about_the_meeting_that_was_last_and_a_call_of_its_own_about_that_it_lies_in(
    desk: Desk,
) -> None:
    desk.calendar(event("first", hour="08", end="09"), event("second"))
    desk.calls(CALL.replace("10:01", "08:01"))
    desk.sorry()
    desk.capture()
    assert [each["status"] for each in desk.meetings()] == ["held", "no_show"]


def test_what_is_written_tells_it_as_a_subject_does_where_texts_are_kept(
    tmp_path: Path, clock: FixedClock
) -> None:
    for level, status in (("full", "no_show"), ("subject", "held")):
        desk = Desk(tmp_path / level, clock, level=level)
        desk.calendar(event())
        desk.capture("event")
        desk.sorry(subject="Today", body="Hi Ruth,\n\nI am so sorry that I missed our meeting. Tomorrow?")
        desk.capture("email")
        assert desk.meeting()["status"] == status
        desk.app.engine.dispose()


def _changes(desk: Desk) -> list[Callable[[], None]]:
    """Calendar, call log and mailbox, each captured by itself."""

    def calendar() -> None:
        desk.calendar(event("one", answer="NEEDS-ACTION"), event("two", hour="12", end="13"))
        desk.capture("event")

    def calls() -> None:
        desk.calls(CALL, CALL.replace("c1", "c2").replace("10:01", "12:30"))
        desk.capture("call")

    def mails() -> None:
        desk.sorry("10T13:30")
        desk.capture("email")

    return [calendar, calls, mails]


def test_the_order_of_arrival_does_not_matter(tmp_path: Path, clock: FixedClock) -> None:
    seen = []
    for number, order in enumerate(((0, 1, 2), (2, 1, 0), (1, 2, 0))):
        desk = Desk(tmp_path / str(number), clock)
        changes = _changes(desk)
        for place in order:
            changes[place]()
        settle_meetings(desk.app)
        found = everything(desk.app)
        seen.append({name: found[name] for name in ("activity", "participant", "participation", "match")})
        desk.app.engine.dispose()
    assert all(each == seen[0] for each in seen)
    told = [(row["kind"], row["status"], row["meeting_id"] is not None) for row in seen[0]["activity"]]
    assert sorted(each for each in told if each[0] != "email") == [
        ("call", "answered", True),
        ("call", "answered", True),
        ("meeting", "held", False),
        ("meeting", "held", False),
    ]


def test_a_number_that_is_entered_later_folds_a_call_that_was_there(desk: Desk) -> None:
    with writing(desk.app.engine) as session:
        session.delete(session.get_one(ContactHandle, ("phone", KIMS, 1)))
    desk.calendar(event())
    desk.calls(CALL)
    desk.capture()
    assert desk.call()["meeting"] is None
    with writing(desk.app.engine) as session:
        session.add(ContactHandle(kind="phone", value=KIMS, contact_id=1))
    settle_meetings(desk.app, whole_calendar=True)
    assert desk.call()["meeting"] == desk.meeting()["id"]


def test_a_number_that_several_share_is_the_guests_in_the_slot(desk: Desk) -> None:
    with writing(desk.app.engine) as session:
        session.add(Contact(id=2, source_id="p2", name="Lee", company_id=1))
        session.flush()
        session.add(ContactHandle(kind="phone", value=KIMS, contact_id=2))
    desk.calendar(event())
    desk.calls(CALL)
    desk.capture()
    assert desk.call()["meeting"] == desk.meeting()["id"]
