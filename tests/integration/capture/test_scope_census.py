"""Whatever is chosen to be captured, the census comes out equal, and what is kept stays captured."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    CALLS_HEADER,
    CALLS_MAPPING,
    PEOPLE,
    connect_imap,
    deliver,
    message,
    rows,
)
from tests.integration.capture.test_scope import meeting
from tests.peers.dovecot import Dovecot
from typer.testing import CliRunner

from autocapture.application import Application
from autocapture.cli.app import app as commands
from autocapture.model.activities import Activity

OLD, NEW = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 11, 16, 9, tzinfo=UTC)
BOUND = ("accounts", "scope", "1", "--since", "2026-11-01")

Say = Callable[..., str]


@pytest.fixture
def say(app: Application, monkeypatch: pytest.MonkeyPatch) -> Say:
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(app.settings.home))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands, list(words))
        assert done.exit_code == 0, (words, done.output)
        return done.stdout

    return run


def _mbox(path: Path, *messages: tuple[datetime, bytes]) -> None:
    with path.open("ab") as file:
        for at, content in messages:
            file.write(f"From kim@customer.example {at:%a %b %d %H:%M:%S %Y}\n".encode())
            file.write(content.replace(b"\r\n", b"\n") + b"\n")


def _files(folder: Path, number: int, at: datetime) -> None:
    """One more item of this time in every kind of source."""
    deliver(folder / "Maildir", message(number, at=at), at=int(at.timestamp()) + number)
    (folder / "eml").mkdir(exist_ok=True)
    (folder / "eml" / f"{number}.eml").write_bytes(message(number + 100, at=at))
    _mbox(folder / "mbox", (at, message(number + 200, at=at)))
    meeting(folder / "ics", f"meeting-{number}", f"{at:%Y%m%d}")
    log = folder / "calls.csv"
    if not log.exists():
        log.write_text(CALLS_HEADER)
    with log.open("a") as file:
        file.write(f"{number},+46812345679,+46812345678,{at:%Y-%m-%d %H:%M:%S},120,answered,{number}\n")


def _connected(say: Say, folder: Path) -> None:
    _files(folder, 1, OLD), _files(folder, 2, NEW)
    (folder / "calls.toml").write_text(
        'date_format = "%Y-%m-%d %H:%M:%S"\ntime_zone = "UTC"\n' + CALLS_MAPPING
    )
    (folder / "people.csv").write_text(
        f"email,name,phones\n{PEOPLE[0]},Ruth,+46812345678\n", encoding="utf-8"
    )
    say("users", "import", str(folder / "people.csv"))
    named = {"maildir": "Maildir", "mbox": "mbox", "eml": "eml", "ics": "ics", "calls": "calls.csv"}
    options = [word for name, path in named.items() for word in (f"--{name}", str(folder / path))]
    say("connect", "files", "--user", PEOPLE[0], *options, "--mapping", str(folder / "calls.toml"))


def _kinds(app: Application) -> dict[str, int]:
    found = sorted(row["kind"] for row in rows(app, Activity) if row["status"] != "cancelled")
    return {kind: found.count(kind) for kind in found}


def _is_equal(say: Say) -> int:
    """Gives the number of items at the source; the command fails where the census is unequal."""
    return sum(row["at_source"] or 0 for row in json.loads(say("census", "--format", "json")))


def test_what_files_hold_before_a_later_bound_is_kept_until_it_is_purged(
    app: Application, say: Say, tmp_path: Path
) -> None:
    _connected(say, tmp_path)
    say("capture")
    kept = {"call": 2, "email": 6, "meeting": 2}
    assert _kinds(app) == kept
    say(*BOUND, "--keep")
    for words in (("capture",), ("capture", "--resync")):
        say(*words)
        assert (_kinds(app), _is_equal(say)) == (kept, 10)
    _files(tmp_path, 3, OLD)
    say("capture", "--resync")
    assert (_kinds(app), _is_equal(say)) == (kept, 15), (
        "what came later and lies before the bound is not captured"
    )


def test_what_was_not_read_yet_is_not_asked_for_where_what_was_captured_is_kept(
    app: Application, say: Say, tmp_path: Path
) -> None:
    _connected(say, tmp_path)
    say(*BOUND, "--keep")
    say("capture")
    new = {"call": 1, "email": 3, "meeting": 1}
    assert (_kinds(app), _is_equal(say)) == (new, 7), "a log and a calendar are read whole, mail is not"


@pytest.mark.dovecot
def test_what_a_server_holds_before_a_later_bound_is_kept_or_purged(
    app: Application, say: Say, dovecot_server: Dovecot
) -> None:
    login = dovecot_server.new_user()
    for number, at in enumerate((OLD, OLD, NEW)):
        dovecot_server.append("INBOX", message(number, at=at), at=at, user=login)
    connect_imap(app, dovecot_server, login)
    say("capture")
    for choice, again, left in (("--keep", ["--resync"], 3), ("--purge", [], 1)):
        say(*BOUND, choice)
        say("capture", *again)
        assert (_kinds(app), _is_equal(say)) == ({"email": left}, left)
