"""Of who is disabled nothing is captured; what was captured stays, and who is enabled again goes on where they were."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    PEOPLE,
    capture,
    connect_files,
    deliver,
    deploy,
    message,
    rows,
)
from typer.testing import CliRunner

from autocapture.cli.app import app as commands
from autocapture.errors import LeaseLost
from autocapture.model.accounts import Channel
from autocapture.model.activities import Activity
from autocapture.store import leases
from autocapture.store.engine import writing
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.people_access import set_active, user_id_of


def test_the_accounts_of_who_is_disabled_rest_and_go_on_from_their_cursors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = deploy(tmp_path / "home")
    deliver(tmp_path / "mail", message(1))
    account = connect_files(app, maildir=tmp_path / "mail")
    capture(app, account)
    before = rows(app, Channel)
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))

    def say(*words: str) -> str:
        told = CliRunner().invoke(commands, list(words))
        assert told.exit_code == 0, told.output
        return told.stdout

    say("users", "disable", PEOPLE[0])
    deliver(tmp_path / "mail", message(2))
    (report,) = json.loads(say("capture", "--format", "json"))
    assert (report["status"], report["captured"]) == ("disabled", 0)
    assert json.loads(say("accounts", "--format", "json"))[0]["state"] == "disabled"
    assert rows(app, Channel) == before
    assert len(rows(app, Activity)) == 1
    assert json.loads(say("census", "--format", "json")) == [], (
        "the mailbox is not asked for what it holds either"
    )
    say("users", "enable", PEOPLE[0])
    (report,) = json.loads(say("capture", "--format", "json"))
    assert (report["status"], report["captured"]) == ("ok", 1)
    assert len(rows(app, Activity)) == 2
    app.engine.dispose()


def test_what_is_being_read_while_somebody_is_disabled_is_not_stored(tmp_path: Path) -> None:
    app = deploy(tmp_path / "home")
    deliver(tmp_path / "mail", message(1))
    account = connect_files(app, maildir=tmp_path / "mail")
    assert due_accounts(app) == [account]
    with writing(app.engine) as session:
        lease = leases.claim(session, account, "worker", app.clock.now())
    set_active(app, user_id_of(app, PEOPLE[0]), False)
    assert lease is not None
    with pytest.raises(LeaseLost), writing(app.engine) as session:
        leases.renew(session, lease, app.clock.now() + timedelta(seconds=1))
    assert due_accounts(app) == []
    assert capture_account(app, account).status == "disabled"
    app.engine.dispose()
