"""A paused account is left alone until it is resumed, whoever connects it again meanwhile; a disconnected one until then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.pausing import pause, resume


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
