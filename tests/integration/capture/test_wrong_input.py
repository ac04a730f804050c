"""What somebody can get wrong at the command line: one line that says what, a non-zero exit, no traceback."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.integration.capture.deployment import connect_files, deliver, deploy, message
from typer.testing import CliRunner, Result

from autocapture.cli.app import app as commands

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("AUTOCAPTURE_DATABASE_URL", "AUTOCAPTURE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Run:
    return lambda *words: CliRunner().invoke(commands, list(words))


def _refused(result: Result, says: str) -> None:
    assert result.exit_code != 0
    assert result.stdout == ""
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert result.exit_code == 2 or result.stderr.count("\n") == 1


READERS = ("accounts", "capture", "census", "ledger", "activities")


@pytest.mark.parametrize("command", READERS)
def test_without_a_database_the_remedy_is_named(run: Run, command: str) -> None:
    _refused(run(command), "run `autocapture init`")


@pytest.mark.parametrize("command", ["capture", "census", "ledger"])
def test_without_an_account_the_remedy_is_named(run: Run, home: Path, command: str) -> None:
    deploy(home).engine.dispose()
    _refused(run(command), "no account is connected yet; see `autocapture connect --help`")


@pytest.fixture
def connected(home: Path, tmp_path: Path) -> Path:
    app = deploy(home)
    deliver(tmp_path / "Maildir", message(1))
    connect_files(app, maildir=tmp_path / "Maildir")
    app.engine.dispose()
    return tmp_path / "Maildir"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("capture --account 7", "there is no account 7"),
        ("census --account 7", "there is no account 7"),
        ("ledger --account 7", "there is no account 7"),
        ("ledger --outcome lost", "--outcome: 'lost' is not one of 'captured', 'skipped', 'quarantined'"),
        ("activities --user nobody@ours.example", "there is no user nobody@ours.example"),
        ("activities --kind letter", "--kind: 'letter' is not one of 'email', 'meeting', 'call'"),
        ("activities --from 2026-12-01 --to 2026-11-01", "--to 2026-11-01 lies before --from 2026-12-01"),
        ("activities --from 30-02-2026", "30-02-2026"),
        ("activities --to yesterday", "yesterday"),
        ("accounts --format xml", "xml"),
        ("capture --account seven", "--account"),
        ("connect files --user nobody@ours.example --maildir .", "there is no user nobody@ours.example"),
        ("connect files --user ruth@ours.example", "nothing to read"),
        ("connect files --user ruth@ours.example --maildir /no/such/folder", "/no/such/folder"),
        ("connect files --user ruth@ours.example --maildir . --since 2026-02-30", "2026-02-30"),
        (
            "connect imap --user ruth@ours.example --host h --username u --security ssl --password-stdin",
            "security",
        ),
    ],
)
def test_a_wrong_word_is_named(run: Run, connected: Path, words: str, says: str) -> None:
    _refused(run(*words.split()), says)


def test_files_that_are_gone_are_one_line_and_spoil_nothing(run: Run, connected: Path) -> None:
    assert run("capture").exit_code == 0
    kept = run("ledger", "--format", "csv").stdout
    connected.rename(connected.with_name("elsewhere"))
    captured = run("capture", "--format", "json")
    assert captured.exit_code == 1
    assert "is not a Maildir" in captured.stdout
    _refused(run("census"), "census: account 1 cannot be counted: ")
    assert run("ledger", "--format", "csv").stdout == kept
    connected.with_name("elsewhere").rename(connected)
    assert run("capture").exit_code == 0
    assert run("census").exit_code == 0


def test_a_database_of_another_program_is_one_line(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "autocapture.db").write_bytes(b"this is no database\n" * 100)
    _refused(run("capture"), "not a database")


@pytest.mark.parametrize("command", ["accounts", "init", "database upgrade", "database check"])
def test_a_database_with_the_tables_of_another_program_is_left_alone(
    run: Run, home: Path, command: str
) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "autocapture.db")) as theirs:
        theirs.execute("CREATE TABLE account (name TEXT)")
    _refused(run(*command.split()), "the database holds the tables of another program (account)")
    with closing(sqlite3.connect(home / "autocapture.db")) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("account",)]


def test_a_database_in_a_folder_that_cannot_be_made_is_one_line(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'a.db'}")
    _refused(run("capture"), "cannot be made")


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/d", "postgresql://nobody@127.0.0.1:1/none"])
def test_a_database_that_cannot_be_reached_is_one_line(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", url)
    _refused(run("capture"), "")
