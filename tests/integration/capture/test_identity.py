"""What is one activity and what is two, and what becomes of an activity whose source says something else now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.capture.deployment import (
    PEOPLE,
    capture,
    connect_files,
    deliver,
    deploy,
    message,
    rows,
)

from autocapture.application import Application
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry

RUTH, KIM = "ruth@ours.example", "kim@customer.example"


def _activities(app: Application) -> list[dict[str, Any]]:
    return sorted(rows(app, Activity), key=lambda row: (row["occurred_at"], row["dedupe_key"]))


def test_the_mails_of_a_program_with_one_constant_id_are_each_an_activity(tmp_path: Path) -> None:
    mails = [
        message(n, to="ruth@ours.example, sam@ours.example", message_id="ticket@system") for n in range(60)
    ]
    reports = [message(24 * n, subject="Usage report", message_id="report@system") for n in range(5)]
    told = []
    for number, order in enumerate(((0, 1), (1, 0))):
        folder = tmp_path / str(number)
        app = deploy(folder / "home")
        for place in order:
            maildir = folder / PEOPLE[place]
            deliver(maildir, *(mails[::-1] if place else mails + reports), at=1_794_500_000)
            capture(app, connect_files(app, PEOPLE[place], maildir=maildir))
        found = _activities(app)
        assert len(found) == 65
        told.append(sorted((row["subject"], row["occurred_at"]) for row in found))
        sightings = [row["activity_id"] for row in rows(app, LedgerEntry)]
        assert sum(sightings.count(row["id"]) == 2 for row in found) == 60
        app.engine.dispose()
    assert told[0] == told[1]


def test_a_stranger_who_reuses_the_id_of_our_mail_does_not_change_it(
    app: Application, tmp_path: Path
) -> None:
    ours = message(1, author=RUTH, to=KIM, subject="The offer", message_id="offer@ours.example")
    theirs = message(
        1, author="eve@elsewhere.example", to=RUTH, subject="The offer", message_id="offer@ours.example"
    )
    maildir = tmp_path / "Maildir"
    deliver(maildir, ours)
    account = connect_files(app, maildir=maildir)
    capture(app, account)
    deliver(maildir, theirs)
    capture(app, account)
    assert sorted(row["direction"] for row in _activities(app)) == ["inbound", "outbound"]
