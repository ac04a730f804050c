"""The same mail in several mailboxes, the same meeting in several calendars: one activity, however it arrives."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    PEOPLE,
    capture,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
    rows,
)

from autocapture.application import Application
from autocapture.model.activities import Activity, ActivityAlias, Participant
from autocapture.model.ledger import LedgerEntry
from autocapture.workflows.capture import capture_account
from autocapture.workflows.listings import Selection, list_activities

SENT = message(
    1,
    author="Ruth <ruth@ours.example>",
    to="Kim <kim@customer.example>, sam@ours.example",
    message_id="offer@ours.example",
    extra="Cc: tina@ours.example\r\nBcc: lee@partner.example\r\n",
)
RECEIVED = SENT.replace(b"Bcc: lee@partner.example\r\n", b"")


def _mailboxes(app: Application, folder: Path, *contents: Sequence[bytes]) -> list[int]:
    """An account for each of our people, with what their mailbox holds."""
    accounts = []
    for person, messages in zip(PEOPLE, contents, strict=False):
        maildir = folder / person / "Maildir"
        deliver(maildir, *messages)
        accounts.append(connect_files(app, person, maildir=maildir))
    return accounts


def _only_activity(app: Application) -> dict[str, Any]:
    (activity,) = list_activities(app, Selection(None, None, None, None))
    return activity


def _told(activity: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["role"], each["address"]) for each in activity["participants"]}


def test_one_mail_in_three_mailboxes_is_one_activity_in_any_order(tmp_path: Path) -> None:
    seen = []
    for number, order in enumerate(permutations(range(3))):
        folder = tmp_path / str(number)
        app = deploy(folder / "home")
        accounts = _mailboxes(app, folder, [SENT], [RECEIVED], [RECEIVED])
        for place in order:
            capture(app, accounts[place])
        activity = _only_activity(app)
        assert len(activity["sightings"]) == 3
        assert activity["direction"] == "outbound"
        assert _told(activity) == {
            ("from", "ruth@ours.example"),
            ("to", "kim@customer.example"),
            ("to", "sam@ours.example"),
            ("cc", "tina@ours.example"),
            ("bcc", "lee@partner.example"),
        }
        found = everything(app)
        seen.append({name: found[name] for name in ("activity", "participant", "participation", "match")})
        app.engine.dispose()
    assert all(each == seen[0] for each in seen)


def test_many_mails_captured_by_three_workers_at_once_are_each_one_activity(
    either_app: Application, tmp_path: Path
) -> None:
    mails = [
        message(n, author="ruth@ours.example", to="kim@customer.example, sam@ours.example, tina@ours.example",
                extra=f"In-Reply-To: <{n // 2}@customer.example>\r\n")
        for n in range(60)
    ]  # fmt: skip
    accounts = _mailboxes(either_app, tmp_path, mails, mails[::-1], mails[20:] + mails[:20])
    reports = []
    together = threading.Barrier(3)

    def work(account: int) -> None:
        together.wait()
        reports.append(capture_account(either_app, account, worker=f"worker {account}"))

    workers = [threading.Thread(target=work, args=(account,)) for account in accounts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [report.status for report in reports] == ["ok"] * 3
    activities = list(list_activities(either_app, Selection(None, None, None, None)))
    assert len(activities) == 60
    assert {len(each["sightings"]) for each in activities} == {3}
    assert len({each["thread"] for each in activities}) == 1, "replies to one first mail are one thread"


def test_a_copy_whose_id_a_gateway_rewrote_is_a_sighting_of_the_same(
    app: Application, tmp_path: Path
) -> None:
    rewritten = RECEIVED.replace(b"offer@ours.example", b"rewritten@gateway.example")
    for account in _mailboxes(app, tmp_path, [SENT], [rewritten]):
        capture(app, account)
    assert len(_only_activity(app)["sightings"]) == 2
    assert len(rows(app, ActivityAlias)) == 1
    deliver(tmp_path / PEOPLE[2] / "Maildir", rewritten)
    capture(app, connect_files(app, PEOPLE[2], maildir=tmp_path / PEOPLE[2] / "Maildir"))
    assert len(_only_activity(app)["sightings"]) == 3


def test_two_mails_under_one_id_are_two_activities_in_any_order(tmp_path: Path) -> None:
    one = message(1, to="ruth@ours.example, sam@ours.example", message_id="1@customer.example")
    same_id = message(
        2,
        author="lee@partner.example",
        to="sam@ours.example",
        subject="quite another",
        message_id="1@customer.example",
    )
    for order in ((0, 1), (1, 0)):
        folder = tmp_path / str(order[0])
        app = deploy(folder / "home")
        accounts = _mailboxes(app, folder, [one], [])
        deliver(folder / PEOPLE[1] / "Maildir", same_id, at=1_793_800_000)
        for place in order:
            capture(app, accounts[place])
        capture_account(app, accounts[0], resync=True)
        assert sorted(row["subject"] for row in rows(app, Activity)) == ["number 1", "quite another"]
        assert {row["activity_id"] for row in rows(app, LedgerEntry)} == {
            row["id"] for row in rows(app, Activity)
        }
        app.engine.dispose()


MEETING = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:review@ours.example
DTSTAMP:20261101T080000Z
CREATED:20261101T080000Z
DTSTART:{starts}
DTEND:{ends}
SEQUENCE:{sequence}
SUMMARY:Contract review
ORGANIZER:mailto:ruth@ours.example
ATTENDEE;PARTSTAT={kim}:mailto:kim@customer.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:sam@ours.example
ATTENDEE;PARTSTAT={tina}:mailto:tina@ours.example
{more}END:VEVENT
END:VCALENDAR
"""


def _meeting(
    day: int = 10, *, sequence: int = 0, kim: str = "ACCEPTED", tina: str = "ACCEPTED", more: str = ""
) -> str:
    return MEETING.format(
        starts=f"202611{day:02}T090000Z",
        ends=f"202611{day:02}T100000Z",
        sequence=sequence,
        kim=kim,
        tina=tina,
        more=more,
    ).replace("\n", "\r\n")


def _write(folder: Path, person: int, text: str) -> Path:
    path = folder / PEOPLE[person] / "calendar.ics"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def calendars(app: Application, tmp_path: Path) -> list[int]:
    """One meeting in the calendars of three of us, captured."""
    accounts = [
        connect_files(app, person, ics=_write(tmp_path, number, _meeting()))
        for number, person in enumerate(PEOPLE)
    ]
    for account in accounts:
        capture(app, account)
    return accounts


def _meetings(app: Application) -> list[dict[str, Any]]:
    return rows(app, Activity)


def test_one_meeting_in_three_calendars_is_one_activity(app: Application, calendars: list[int]) -> None:
    activity = _only_activity(app)
    assert len(activity["sightings"]) == 3
    assert activity["status"] == "held"
    assert len(activity["participants"]) == 4


def test_a_move_told_by_the_organizers_calendar_moves_it_whatever_the_others_say(
    app: Application, calendars: list[int], tmp_path: Path
) -> None:
    before = _meetings(app)[0]["id"]
    _write(tmp_path, 0, _meeting(12, sequence=1))
    capture(app, calendars[0])
    (meeting,) = _meetings(app)
    assert meeting["id"] == before
    assert meeting["occurred_at"] == datetime.fromisoformat("2026-11-12T09:00:00+00:00")
    _write(tmp_path, 1, _meeting(12, sequence=1))
    capture(app, calendars[1])
    (meeting,) = _meetings(app)
    assert meeting["moved_count"] == 1, "one move, however many calendars tell of it"
    _write(tmp_path, 0, _meeting(13, sequence=2))
    capture(app, calendars[0])
    _write(tmp_path, 0, _meeting(13, sequence=3, more="LOCATION:Room 4\n"))
    capture(app, calendars[0])
    (meeting,) = _meetings(app)
    assert (meeting["id"], meeting["moved_count"]) == (before, 2)


def test_a_cancellation_by_the_organizer_cancels_it_once(
    app: Application, calendars: list[int], tmp_path: Path
) -> None:
    _write(tmp_path, 0, _meeting(sequence=1, more="STATUS:CANCELLED\n"))
    capture(app, calendars[0])
    assert [meeting["status"] for meeting in _meetings(app)] == ["cancelled_by_us"]
    _write(tmp_path, 1, _meeting(sequence=1, more="STATUS:CANCELLED\n"))
    capture(app, calendars[1])
    assert [meeting["status"] for meeting in _meetings(app)] == ["cancelled_by_us"]


def test_one_copy_that_turns_private_tells_no_more_and_the_last_one_takes_the_meeting_away(
    app: Application, calendars: list[int], tmp_path: Path
) -> None:
    for number in range(3):
        assert len(_meetings(app)) == 1
        _write(tmp_path, number, _meeting(sequence=1, more="CLASS:PRIVATE\n"))
        capture(app, calendars[number])
    assert _meetings(app) == []
    assert rows(app, Participant) == []
    kept = everything(app)
    assert kept["calendar_item"] == [], "nothing of a private event is kept"
    assert "Contract review" not in repr(kept)
    assert {row["outcome"] for row in kept["ledger"]} == {"skipped"}


def test_each_attendees_own_copy_tells_their_answer(
    app: Application, calendars: list[int], tmp_path: Path
) -> None:
    _write(tmp_path, 2, _meeting(tina="DECLINED"))
    capture(app, calendars[2])
    answers = {each["address"]: each["response"] for each in _only_activity(app)["participants"]}
    assert answers["tina@ours.example"] == "declined"
    assert answers["sam@ours.example"] == "accepted"
