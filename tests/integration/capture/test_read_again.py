"""What could not be read is read again later, and a source that fails over it keeps nothing else waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.capture.deployment import connect_files, deliver, deploy, message, rows

from autocapture.clock import FixedClock
from autocapture.connector import Broken
from autocapture.errors import Unreachable
from autocapture.model.accounts import Account
from autocapture.model.ledger import LedgerEntry
from autocapture.workflows import capture as capturing
from autocapture.workflows.capture import capture_account, due_accounts

START = datetime.fromisoformat("2026-11-20T08:00:00+00:00")


class Poisoned:
    """A connection that cannot read one mail, and breaks over it when `deadly`."""

    deadly = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def get(self, channel: Any, ids: Any) -> Any:
        found = list(self._connection.get(channel, ids))
        if channel.id.endswith("Sent") and self.deadly:
            raise Unreachable("the server closed the connection")
        return [Broken(item.id, "unreadable") for item in found] if channel.id.endswith("Sent") else found


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> type[Poisoned]:
    really_open = capturing.open_account

    @contextmanager
    def open_account(*given: Any) -> Iterator[Poisoned]:
        with really_open(*given) as connection:
            yield Poisoned(connection)

    monkeypatch.setattr(capturing, "open_account", open_account)
    monkeypatch.setattr(Poisoned, "deadly", False)
    return Poisoned


def test_a_connection_that_breaks_over_it_costs_its_own_folder_alone(
    poisoned: type[Poisoned], tmp_path: Path
) -> None:
    clock = FixedClock(START)
    app = deploy(tmp_path / "home", clock=clock)
    deliver(tmp_path / "mail", message(1))
    deliver(tmp_path / "mail", message(2), folder="Sent")
    account = connect_files(app, maildir=tmp_path / "mail")
    assert capture_account(app, account).quarantined == 1
    poisoned.deadly = True
    for number, status in enumerate(("incomplete", "ok", "incomplete"), 3):
        clock.advance(timedelta(days=2))
        deliver(tmp_path / "mail", message(number), folder="Archive")
        assert due_accounts(app) == [account]
        report = capture_account(app, account)
        assert (report.status, report.captured) == (status, 1)
        assert status == "ok" or "Sent" in (report.why or "")
        (row,) = rows(app, Account)
        assert row["fails"] == 0
    poisoned.deadly = False
    clock.advance(timedelta(days=2))
    assert capture_account(app, account).status == "ok"
    assert len(rows(app, LedgerEntry)) == 5
    app.engine.dispose()
