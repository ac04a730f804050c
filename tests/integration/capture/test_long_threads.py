"""Threads of thousands of mails: what one mail more costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from time import process_time

from tests.integration.capture.deployment import capture, connect_files, deliver, message, rows

from autocapture.application import Application
from autocapture.model.activities import Activity, Match

MAILS = 4_000
BEGAN = datetime.fromisoformat("2026-11-02T09:00:00+00:00")


def _answer(number: int) -> bytes:
    at = BEGAN + timedelta(minutes=number)
    return message(number, at=at, extra="References: <root@customer.example>\r\n")


def test_a_mail_more_in_a_thread_of_thousands_costs_a_moment(app: Application, tmp_path: Path) -> None:
    """All of it is read and matched again; looking back from each mail at all before it would take many times as long."""
    maildir = tmp_path / "Maildir"
    deliver(maildir, *(_answer(number) for number in range(MAILS)))
    account = connect_files(app, maildir=maildir)
    capture(app, account)
    deliver(maildir, _answer(MAILS))
    started = process_time()
    assert capture(app, account).captured == 1
    assert process_time() - started < 1.0
    assert len({row["thread_id"] for row in rows(app, Activity)}) == 1
    assert len(rows(app, Match)) == MAILS + 1  # each to the company
