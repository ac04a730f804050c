"""Threads are told by ids: what a subject says neither makes nor ends one."""

from __future__ import annotations

from pathlib import Path

from tests.integration.capture.deployment import capture, connect_files, deliver, message, rows

from autocapture.application import Application
from autocapture.model.activities import Activity


def _threads(app: Application) -> dict[str, int]:
    return {row["dedupe_key"].partition("@")[0]: row["thread_id"] for row in rows(app, Activity)}


def _reply(number: int, to: int, subject: str) -> bytes:
    return message(number, subject=subject, extra=f"In-Reply-To: <{to}@customer.example>\r\n")


def test_one_subject_and_the_same_two_people_are_no_thread(app: Application, tmp_path: Path) -> None:
    deliver(tmp_path / "Maildir", *(message(number, subject="Re: Offer") for number in range(3)))
    capture(app, connect_files(app, maildir=tmp_path / "Maildir"))
    assert len(set(_threads(app).values())) == 3


def test_a_reply_under_another_subject_stays_in_its_thread(app: Application, tmp_path: Path) -> None:
    """Though the mail that it answers comes last."""
    maildir = tmp_path / "Maildir"
    deliver(maildir, _reply(3, to=2, subject="Lunch?"), message(9, subject="Offer"))
    account = connect_files(app, maildir=maildir)
    capture(app, account)
    deliver(maildir, _reply(2, to=1, subject="Something else"), message(1, subject="Offer"))
    capture(app, account)
    threads = _threads(app)
    assert threads["1"] == threads["2"] == threads["3"]
    assert threads["9"] != threads["1"]
