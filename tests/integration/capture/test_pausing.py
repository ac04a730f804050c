"""A paused account is left alone until it is resumed, whoever connects it again meanwhile; a disconnected one until then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.integration.capture.deployment import capture, connect_files, deliver, deploy, message, rows
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.cli.app import app as commands
from autocapture.errors import InputError
from autocapture.model.accounts import Account
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.model.watching import Stall
from autocapture.store.engine import writing
from autocapture.workflows.account_health import alerts
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.pausing import pause, resume
from autocapture.workflows.stall import VOLUME

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


@pytest.fixture
def captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Application, int]]:
    """One account whose one mail is captured, in the home that the commands take."""
    app = deploy(tmp_path / "home")
    deliver(tmp_path / "mail", message(1))
    account = connect_files(app, maildir=tmp_path / "mail")
    capture(app, account)
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    yield app, account
    app.engine.dispose()


def say(*words: str) -> str:
    told = CliRunner().invoke(commands, list(words))
    assert told.exit_code == 0, told.output
    return told.output


def _state(app: Application) -> str:
    (row,) = rows(app, Account)
    return str(row["state"])


def test_a_paused_account_that_is_connected_again_stays_paused_and_it_is_said(
    captured: tuple[Application, int], tmp_path: Path
) -> None:
    app, account = captured
    assert "is paused" in say("accounts", "pause", str(account))
    deliver(tmp_path / "mail", message(2))
    told = say("connect", "files", "--user", "ruth@ours.example", "--maildir", str(tmp_path / "mail"))
    assert "it is paused, and stays so" in told
    assert f"accounts resume {account}" in told
    assert (_state(app), due_accounts(app), capture_account(app, account).status) == ("paused", [], "paused")
    say("accounts", "resume", str(account))
    assert due_accounts(app) == [account]
    capture(app, account)
    assert len(rows(app, Activity)) == 2


@pytest.mark.parametrize("act", [("pause",), ("disconnect", "--keep")])
def test_of_an_account_that_is_left_alone_nothing_is_counted_and_no_alarm_is_told(
    captured: tuple[Application, int], act: tuple[str, ...]
) -> None:
    app, account = captured
    with writing(app.engine) as session:
        session.add(
            Stall(account_id=account, sign=VOLUME, checked_at=NOW, since=NOW, why="1 mail where 20 are usual")
        )
    assert alerts(app, account)
    assert "census: equal, 1 items" in say("census")
    say("accounts", act[0], str(account), *act[1:])
    assert alerts(app, account) == []
    counted = CliRunner().invoke(commands, ["census", "--format", "json"])
    assert (counted.exit_code, json.loads(counted.stdout)) == (0, [])
    assert counted.stderr == f"census: account {account} is not counted: it is {_state(app)}\n"


def test_a_disconnected_account_keeps_or_loses_what_was_captured_as_it_is_said(
    captured: tuple[Application, int], tmp_path: Path
) -> None:
    app, account = captured
    unsaid = CliRunner().invoke(commands, ["accounts", "disconnect", str(account)])
    assert unsaid.exit_code == 1
    assert "--keep, --purge" in str(unsaid.output) + str(unsaid.exception)
    assert _state(app) == "active"
    say("accounts", "disconnect", str(account), "--keep")
    deliver(tmp_path / "mail", message(2))
    status = capture_account(app, account).status
    assert (_state(app), due_accounts(app), status) == ("disconnected", [], "disconnected")
    assert len(rows(app, Activity)) == 1
    assert f"account {account} " in say("accounts", "disconnect", str(account), "--purge")
    assert (len(rows(app, Activity)), len(rows(app, LedgerEntry))) == (0, 1)
    assert _state(app) == "disconnected"
    with pytest.raises(InputError, match="is disconnected"):
        pause(app, account)
    say("connect", "files", "--user", "ruth@ours.example", "--maildir", str(tmp_path / "mail"))
    capture(app, account)
    assert (_state(app), len(rows(app, Activity))) == ("active", 2)


@pytest.mark.parametrize(("act", "number"), [(pause, 9), (resume, 9), (resume, 1)])
def test_what_cannot_be_paused_or_resumed_is_refused(
    act: Callable[..., None], number: int, tmp_path: Path
) -> None:
    app = deploy(tmp_path / "home")
    connect_files(app, maildir=_made(tmp_path / "mail"))
    with pytest.raises(InputError, match=f"account {number}"):
        act(app, number)
    app.engine.dispose()


def _made(maildir: Path) -> Path:
    deliver(maildir)
    return maildir
