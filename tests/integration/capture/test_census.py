"""The census says what is missing, and the next capture brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.capture.deployment import (
    capture,
    connect_files,
    connect_imap,
    deliver,
    everything,
    message,
    settle,
)
from tests.peers.dovecot import Dovecot
from typer.testing import CliRunner, Result

from autocapture.application import Application
from autocapture.cli.app import app as commands
from autocapture.store.engine import writing
from autocapture.workflows.census import take_census

Run = Callable[..., Result]


@pytest.fixture
def run(app: Application, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(app.settings.home))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    return lambda *words: CliRunner().invoke(commands, list(words))


def _lose(app: Application, count: int) -> None:
    """Takes rows out of the ledger, as no command can."""
    with writing(app.engine) as session:
        lost = session.execute(
            text("SELECT channel_id, source_id FROM ledger ORDER BY source_id LIMIT :count"), {"count": count}
        )
        for channel_id, source_id in lost.all():
            session.execute(
                text("DELETE FROM ledger WHERE channel_id = :channel AND source_id = :item"),
                {"channel": channel_id, "item": source_id},
            )


def _imap(app: Application, folder: Path, request: pytest.FixtureRequest) -> None:
    server: Dovecot = request.getfixturevalue("dovecot_server")
    login = server.new_user()
    server.append_many("INBOX", [message(number) for number in range(12)], user=login)
    server.append("Sent", message(90, author="ruth@ours.example", to="kim@customer.example"), user=login)
    connect_imap(app, server, login)


def _files(app: Application, folder: Path, request: pytest.FixtureRequest) -> None:
    deliver(folder / "Maildir", *(message(number) for number in range(12)))
    deliver(
        folder / "Maildir", message(90, author="ruth@ours.example", to="kim@customer.example"), folder="Sent"
    )
    connect_files(app, maildir=folder / "Maildir")


@pytest.mark.parametrize("connected", [_files, pytest.param(_imap, marks=pytest.mark.dovecot)])
def test_lost_rows_are_missed_by_the_census_and_brought_back_by_the_next_capture(
    connected: Callable[..., None],
    app: Application,
    run: Run,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    connected(app, tmp_path, request)
    capture(app, 1)
    settle(app)
    assert run("census").exit_code == 0
    before = everything(app)
    _lose(app, 3)
    counted = run("census", "--format", "json")
    assert counted.exit_code == 1
    assert sum(row["missing_count"] for row in json.loads(counted.stdout)) == 3
    assert "3 at the source without a ledger row" in counted.stderr
    assert "`autocapture capture` brings in" in counted.stderr
    again = run("capture", "--format", "json")
    assert json.loads(again.stdout)[0]["captured"] == 3, "the cursor is past them, but they were queued"
    assert run("census").exit_code == 0
    assert _without_census(everything(app)) == _without_census(before)


def _without_census(found: dict[str, Any]) -> dict[str, Any]:
    """The figures of a census are when it was taken, and a row read again has one reading more."""
    kept = {name: rows for name, rows in found.items() if name != "census"}
    kept["ledger"] = [{key: value for key, value in row.items() if key != "tries"} for row in kept["ledger"]]
    return kept


def test_a_row_too_many_is_told_by_the_census_and_left_by_a_resync(
    app: Application, run: Run, tmp_path: Path
) -> None:
    _files(app, tmp_path, None)  # type: ignore[arg-type]
    capture(app, 1)
    gone = sorted((tmp_path / "Maildir" / "cur").iterdir())[0]
    gone.unlink()
    (counted,) = [found for found in take_census(app, 1) if not found.equal]
    assert (len(counted.left), counted.missing) == (1, ())
    assert run("census").exit_code == 1
    assert run("capture").exit_code == 0
    assert run("census").exit_code == 0


def test_a_census_before_the_first_capture_misses_everything(
    app: Application, run: Run, tmp_path: Path
) -> None:
    _files(app, tmp_path, None)  # type: ignore[arg-type]
    counted = run("census")
    assert counted.exit_code == 1
    assert "13 at the source" in counted.stderr


def test_an_account_that_cannot_be_counted_does_not_keep_the_others_from_it(
    app: Application, run: Run, tmp_path: Path
) -> None:
    _files(app, tmp_path, None)  # type: ignore[arg-type]
    deliver(tmp_path / "other", message(1))
    capture(app, connect_files(app, "sam@ours.example", maildir=tmp_path / "other"))
    (tmp_path / "Maildir").rename(tmp_path / "elsewhere")
    counted = run("census", "--format", "json")
    assert counted.exit_code == 1
    assert [(row["account"], row["equal"]) for row in json.loads(counted.stdout)] == [(2, True)]
    assert "account 1 cannot be counted" in counted.stderr


def test_counting_alone_changes_nothing(app: Application, tmp_path: Path) -> None:
    _files(app, tmp_path, None)  # type: ignore[arg-type]
    capture(app, 1)
    settle(app)
    _lose(app, 2)
    before = everything(app)
    take_census(app, 1)
    assert everything(app) == before
