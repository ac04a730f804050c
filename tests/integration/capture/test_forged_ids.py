"""A Message-ID is chosen by whoever writes the mail: it must not reach what is no mail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    capture,
    connect_files,
    deliver,
    message,
    rows,
    settle,
)

from autocapture.application import Application
from autocapture.model.activities import Activity
from autocapture.model.columns import stable_id
from autocapture.model.ledger import LedgerEntry

MEETING = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:review@ours.example\r\n"
    "DTSTAMP:20261101T080000Z\r\nDTSTART:20261103T090000Z\r\nDTEND:20261103T100000Z\r\nSUMMARY:Review\r\n"
    "ORGANIZER:mailto:ruth@ours.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:kim@customer.example\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
CALL = CALLS_HEADER + "17,+49301234567,+49305550001,2026-11-03 10:00:00,60,answered,\n"


def _forged(message_id: str, number: int = 1) -> bytes:
    """Every guest knows the meeting's id, its time and its title."""
    return message(number, subject="Review", message_id=message_id)


def _told(app: Application) -> list[tuple[Any, ...]]:
    settle(app)
    return sorted((row["kind"], row["subject"], row["status"]) for row in rows(app, Activity))


@pytest.mark.parametrize("mail_first", [True, False])
def test_a_mail_under_the_key_of_a_meeting_is_a_mail_beside_the_meeting(
    app: Application, tmp_path: Path, mail_first: bool
) -> None:
    (tmp_path / "calendar.ics").write_bytes(MEETING.encode())
    calendar = connect_files(app, ics=tmp_path / "calendar.ics")
    capture(app, calendar)
    (meeting,) = rows(app, Activity)
    forged = meeting["dedupe_key"]
    deliver(tmp_path / "Maildir", _forged(forged))
    if mail_first:
        (tmp_path / "calendar.ics").write_bytes(
            MEETING.replace("review@ours", "other@ours").replace("Review", "Other").encode()
        )
        deliver(tmp_path / "Maildir", _forged(forged.replace("review@ours", "other@ours"), 2))
    capture(app, connect_files(app, "sam@ours.example", maildir=tmp_path / "Maildir"))
    capture(app, calendar)
    kinds = [kind for kind, _, _ in _told(app)]
    assert kinds == (["email", "email", "meeting", "meeting"] if mail_first else ["email", "meeting"])
    assert {row["outcome"] for row in rows(app, LedgerEntry)} == {"captured"}


def test_a_reply_to_a_mail_under_such_a_key_is_in_its_thread(app: Application, tmp_path: Path) -> None:
    forged = "event:review@ours.example#"
    reply = message(2, author="ruth@ours.example", to="kim@customer.example",
                    extra=f"In-Reply-To: <{forged}>\r\n")  # fmt: skip
    deliver(tmp_path / "Maildir", _forged(forged), reply)
    capture(app, connect_files(app, maildir=tmp_path / "Maildir"))
    one, other = rows(app, Activity)
    assert one["thread_id"] == other["thread_id"]
    assert stable_id(forged) not in {one["id"], other["id"]}


def test_a_mail_under_the_key_of_a_call_is_a_mail_beside_the_call(app: Application, tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(CALL)
    (tmp_path / "calls.toml").write_text(CALLS_MAPPING)
    calls = connect_files(app, calls=tmp_path / "calls.csv", mapping=tmp_path / "calls.toml")
    capture(app, calls)
    (call,) = rows(app, Activity)
    deliver(tmp_path / "Maildir", _forged(call["dedupe_key"]))
    capture(app, connect_files(app, "sam@ours.example", maildir=tmp_path / "Maildir"))
    assert [kind for kind, _, _ in _told(app)] == ["call", "email"]
    assert call in rows(app, Activity)
