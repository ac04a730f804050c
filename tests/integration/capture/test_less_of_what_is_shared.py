"""Somebody has less kept of what a colleague's account has seen too: each account's own level decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.capture.deployment import PEOPLE, capture, deliver, message, rows

from autocapture.application import Application
from autocapture.connector import CaptureLevel
from autocapture.model.activities import Activity
from autocapture.workflows.change_scope import Scope, change_scope
from autocapture.workflows.connect_account import Login, connect_account

SHARED = message(1, to=", ".join(PEOPLE[:2]), subject="Prices for March", message_id="a@customer.example")


def _seen_by(app: Application, folder: Path, *levels: CaptureLevel) -> list[int]:
    """The one mail in an account of each level."""
    accounts = []
    for person, level in zip(PEOPLE, levels, strict=False):
        maildir = folder / person
        deliver(maildir, SHARED)
        login = Login(person, "files", {"maildir": str(maildir)}, capture_level=level)
        accounts.append(connect_account(app, login).account_id)
    for account_id in reversed(accounts):
        capture(app, account_id)
    return accounts


@pytest.mark.parametrize(
    ("colleagues", "subject"),
    [("subject", "Prices for March"), ("full", "Prices for March"), ("metadata", None)],
)
def test_a_subject_stays_where_a_colleagues_level_keeps_it(
    either_app: Application, tmp_path: Path, colleagues: CaptureLevel, subject: str | None
) -> None:
    mine, _ = _seen_by(either_app, tmp_path, "subject", colleagues)
    assert rows(either_app, Activity)[0]["subject"] == "Prices for March"
    change_scope(either_app, mine, Scope(None, "metadata"), purge=True)
    assert [row["subject"] for row in rows(either_app, Activity)] == [subject]
