"""An account of files is known by what it reads, and as what: the same again is the same account, anything else another one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from tests.integration.capture.deployment import PEOPLE, message
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.cli.app import app as commands
from autocapture.model.accounts import Account
from autocapture.store.engine import writing

Connect = Callable[..., str]


@pytest.fixture
def connect(app: Application, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """`connect files` for one rep; gives what it says first."""
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(app.settings.home))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)

    def run(*options: str | Path) -> str:
        done = CliRunner().invoke(
            commands, ["connect", "files", "--user", PEOPLE[0], *(str(each) for each in options)]
        )
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()[0]

    return run


def told(*words: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(commands, [*words, "--format", "json"])
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def event(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "b.ics").write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:b\r\nDTSTAMP:20260101T000000Z\r\n"
        f"DTSTART:20261116T090000Z\r\nDTEND:20261116T100000Z\r\nSUMMARY:b\r\nORGANIZER:mailto:{PEOPLE[0]}\r\n"
        "ATTENDEE:mailto:kim@customer.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        encoding="utf-8",
    )


def test_a_folder_read_as_something_else_besides_is_another_account(connect: Connect, tmp_path: Path) -> None:
    both = tmp_path / "both"
    event(both)
    (both / "a.eml").write_bytes(message(1))
    assert connect("--eml", both) == "account 1 connected"
    assert [row["captured"] for row in told("capture")] == [1]
    assert connect("--ics", both) == "account 2 connected"
    assert connect("--ics", both) == "account 2 connected again"
    assert connect("--eml", both) == "account 1 connected again"
    (both / "c.eml").write_bytes(message(2))
    assert [row["captured"] for row in told("capture")] == [1, 1]
    assert sum(row["at_source"] for row in told("census")) == 3


def test_spaces_in_paths_are_of_the_paths(connect: Connect, tmp_path: Path) -> None:
    first, second = tmp_path / "x", tmp_path / "y"
    wide = Path(f"{first} {second}")
    for folder in (first, second, wide, Path(f"{first} ics={second}")):
        folder.mkdir(parents=True)
    assert connect("--eml", first, "--ics", second) == "account 1 connected"
    assert connect("--maildir", _maildir(wide)) == "account 2 connected"
    assert connect("--eml", wide) == "account 3 connected"
    assert connect("--ics", second, "--eml", first) == "account 1 connected again"
    assert connect("--eml", f"{first} ics={second}") == "account 4 connected"
    assert len({row["subject"] for row in told("accounts")}) == 4


def _maildir(folder: Path) -> Path:
    (folder / "cur").mkdir(parents=True, exist_ok=True)
    return folder


def test_an_account_whose_name_was_written_otherwise_is_known_by_its_files(
    connect: Connect, app: Application, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    connect("--eml", folder)
    with writing(app.engine) as session:  # as an earlier version named it
        session.execute(update(Account).values(subject=str(folder)))
    assert connect("--eml", folder) == "account 1 connected again"
    assert connect("--ics", folder) == "account 2 connected"


def test_the_list_of_accounts_says_what_each_reads(connect: Connect, tmp_path: Path) -> None:
    folder = tmp_path / "my mail"
    connect("--maildir", _maildir(folder), "--ics", folder)
    connect("--eml", folder)
    table = CliRunner(env={"COLUMNS": "200"}).invoke(commands, ["accounts"]).output
    assert "files maildir+ics …/my mail" in table
    assert "files eml …/my mail" in table
