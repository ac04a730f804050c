"""`init`, `database` and `doctor`, as an operator meets them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from tests.integration.service.conftest import Run

from autocapture.cli.application import open_application
from autocapture.connect.credentials import seal_credential
from autocapture.connector import PasswordCredential
from autocapture.model.accounts import LONG_AGO, Account, Credential
from autocapture.model.organization import User
from autocapture.store.engine import writing
from autocapture.workflows.set_up import KEY_REPLACED, REPLACED_BEFORE_CHOICE


def test_init_makes_home_key_and_database_and_is_harmless_the_second_time(run: Run, home: Path) -> None:
    assert run("init").exit_code == 0
    key = home / "keys" / "master.key"
    before = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    again = run("init")
    assert again.exit_code == 0
    assert "users import" in again.output
    assert key.read_bytes() == before
    assert run("database", "check").exit_code == 0


def test_what_init_makes_is_for_its_owner_alone(run: Run, home: Path) -> None:
    before = os.umask(0o022)
    try:
        assert run("init").exit_code == 0
        with writing(open_application().engine) as session:
            session.add(User(email="erika@example.com", name="Erika"))
            session.flush()
            made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
    finally:
        os.umask(before)
    assert {name for name in made if name.startswith("autocapture.db")} >= {
        "autocapture.db",
        "autocapture.db-wal",
    }
    assert {name: oct(mode) for name, mode in made.items() if mode & 0o077} == {}


def test_a_command_in_the_wrong_place_says_so_in_one_line_and_leaves_no_trace(run: Run, home: Path) -> None:
    for words in (
        ("database", "check"),
        ("accounts",),
        ("database", "upgrade"),
        ("summary", "--week", "2026-W46"),
    ):
        result = run(*words)
        assert result.exit_code == 1
        assert result.stderr == (
            f"autocapture: there is no folder {home}; run `autocapture init`, or set AUTOCAPTURE_HOME to where it is\n"
        )
    assert run("doctor").exit_code == 1
    assert not home.exists()


def test_a_command_before_init_says_so_in_one_line(run: Run, home: Path) -> None:
    home.mkdir()
    result = run("database", "check")
    assert result.exit_code == 1
    assert result.stderr == "autocapture: the database is empty; run `autocapture init`\n"


def test_init_makes_the_folder_of_a_database_elsewhere(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", f"sqlite:///{tmp_path}/data/x.db")
    assert run("init").exit_code == 0
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "x.db").stat().st_mode) == 0o600


def _use(home: Path) -> None:
    """Accounts with a sealed password, of which one was never begun and one is paused, and one account without."""
    app = open_application()
    with writing(app.engine) as session:
        session.add(User(id=1, email="erika@example.com", name="Erika"))
        session.flush()
        for number, connector, state in (
            (1, "imap", "active"),
            (2, "files", "active"),
            (3, "imap", "pending"),
            (4, "imap", "paused"),
        ):
            row = Account(
                id=number,
                user_id=1,
                connector=connector,
                subject=f"x{number}",
                options={},
                created_at=LONG_AGO,
            )
            row.state = state
            session.add(row)
            session.flush()
        for number in (1, 3, 4):
            sealed = seal_credential(app.vault, number, PasswordCredential("erika", "secret"))
            session.add(Credential(account_id=number, sealed=sealed, updated_at=LONG_AGO))


def test_a_lost_key_is_not_replaced_without_a_word(run: Run, home: Path) -> None:
    run("init")
    _use(home)
    key = home / "keys" / "master.key"
    kept = key.read_text()
    key.unlink()
    refused = run("init")
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"autocapture: the key of this database is missing; put {key} back, or, where it is lost for good, run "
        "`autocapture init --new-key` (accounts must then be connected again)\n",
    )
    assert not key.exists()
    key.write_text(kept)
    key.chmod(0o600)
    assert run("init").exit_code == 0


def test_a_new_key_is_made_when_asked_and_says_what_must_be_connected_again(run: Run, home: Path) -> None:
    run("init")
    _use(home)
    (home / "keys" / "master.key").unlink()
    assert run("init", "--new-key").exit_code == 0
    accounts = json.loads(run("accounts", "--format", "json").output)
    assert [(row["state"], row["why"]) for row in accounts] == [
        ("needs_reconnect", KEY_REPLACED),
        ("active", None),
        ("needs_reconnect", REPLACED_BEFORE_CHOICE),
        ("paused", None),
    ]
    assert run("accounts", "resume", "4").exit_code == 0
    assert run("capture", "--account", "4").exit_code == 1
    resumed = json.loads(run("accounts", "--format", "json").output)[3]
    assert (resumed["state"], resumed["why"]) == (
        "needs_reconnect",
        "account 4 has no password; connect it again",
    )
    assert "sign in again" in KEY_REPLACED
    again = run("init", "--new-key")
    assert again.exit_code == 1
    assert "is never overwritten" in again.stderr


def test_a_key_is_made_for_a_database_that_needs_none_yet(run: Run, home: Path) -> None:
    run("init")
    (home / "keys" / "master.key").unlink()
    assert run("init").exit_code == 0


def test_what_to_do_next_is_said_until_an_account_is_connected(run: Run, home: Path) -> None:
    assert "next: " in run("init").output
    _use(home)
    assert "next: " not in run("init").output


@pytest.mark.parametrize(("name", "mode"), [(".", "700"), ("autocapture.db", "600")])
def test_the_doctor_names_what_is_open_to_others(run: Run, home: Path, name: str, mode: str) -> None:
    run("init")
    (home / name).chmod(0o755)
    result = run("doctor", "--format", "json")
    problems = [check for check in json.loads(result.output) if check["state"] == "problem"]
    assert [check["check"] for check in problems] == ["privacy"]
    assert f"chmod {mode} " in problems[0]["found"]


def test_an_option_that_is_none_of_its_words_is_told_plainly(run: Run) -> None:
    result = run("serve", "--only", "foo")
    assert result.exit_code == 2
    assert "Value error" not in result.stderr
    assert "'foo' is not one of 'web', 'worker', 'scheduler'" in result.stderr


def test_a_scheduler_alone_is_refused_since_nobody_would_do_its_work(run: Run) -> None:
    run("init")
    result = run("serve", "--only", "scheduler")
    assert result.exit_code == 1
    assert "autocapture serve --only worker" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_typing_error_in_the_environment_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOCAPTURE_DATABSE_URL", "sqlite:///x.db")
    result = run("init")
    assert (result.exit_code, result.stderr) == (
        1,
        "autocapture: unknown setting AUTOCAPTURE_DATABSE_URL in the environment\n",
    )


def test_a_command_typed_wrongly_ends_with_2(run: Run) -> None:
    assert run("initialise").exit_code == 2
    assert run("doctor", "--format", "xml").exit_code == 2


def test_the_doctor_finds_a_fresh_installation_well(run: Run) -> None:
    run("init")
    result = run("doctor", "--format", "json")
    checks = {check["check"]: check for check in json.loads(result.output)}
    assert {check["state"] for check in checks.values()} == {"ok"}, checks
    assert result.exit_code == 0
    assert {"python", "home", "key file", "database", "disk", "clock"} <= set(checks)


def test_the_doctor_tells_where_mails_lead_and_that_an_account_waits_for_its_owner(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    with writing(open_application().engine) as session:
        session.add(owner := User(email="ann@example.com", name="Ann"))
        session.flush()
        session.add(
            Account(
                user_id=owner.id or 0,
                connector="imap",
                subject="ann",
                options={},
                state="pending",
                created_at=LONG_AGO,
            )
        )

    def told(name: str) -> str:
        rows = json.loads(run("doctor", "--format", "json").stdout)
        return next(f"{row['state']}: {row['found']}" for row in rows if row["check"].startswith(name))

    assert told("account 1") == (
        "ok: waits for its owner's choice, on its page or with `autocapture accounts scope 1`"
    )
    monkeypatch.setenv("AUTOCAPTURE_SMTP_HOST", "smtp.example.com")
    assert told("mail") == "problem: no mail can be sent: set smtp.host and smtp.sender"
    monkeypatch.setenv("AUTOCAPTURE_SMTP_SENDER", "reports@example.com")
    assert "opens on this machine alone" in told("mail")
    monkeypatch.setenv("AUTOCAPTURE_WEB_PUBLIC_URL", "https://autocapture.example.com")
    assert told("mail").endswith("links lead to https://autocapture.example.com")


def test_the_doctor_reads_what_proves_the_clients_before_anybody_consents(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    for provider in ("GOOGLE", "MICROSOFT"):
        monkeypatch.setenv(f"AUTOCAPTURE_{provider}_CLIENT_ID", "client")
        monkeypatch.setenv(f"AUTOCAPTURE_{provider}_CLIENT_SECRET_FILE", str(home / "secret"))

    def told() -> list[tuple[str, str]]:
        rows = json.loads(run("doctor", "--format", "json").stdout)
        return [(row["state"], row["found"]) for row in rows if row["check"].startswith("sign-in")]

    assert (
        told()
        == [("problem", f"the secret file {home / 'secret'} cannot be read: No such file or directory")] * 2
    )
    (home / "secret").write_text("s3cret\n", encoding="utf-8")
    assert {state for state, _ in told()} == {"ok"}


def test_the_doctor_names_an_open_key_file_and_its_remedy(run: Run, home: Path) -> None:
    run("init")
    (home / "keys" / "master.key").chmod(0o644)
    result = run("doctor", "--format", "jsonl")
    problems = [
        check for line in result.output.splitlines() if (check := json.loads(line))["state"] == "problem"
    ]
    assert [check["check"] for check in problems] == ["key file"]
    assert "chmod 600" in problems[0]["found"]
    assert result.exit_code == 1


def test_going_back_asks_first(run: Run) -> None:
    run("init")
    unknown = run("database", "downgrade", "no-such", stdin="n\n")
    assert (unknown.exit_code, "losing" in unknown.stderr, "no-such" in unknown.stderr) == (1, False, True)
    assert run("database", "downgrade", "base", stdin="n\n").exit_code == 1
    assert run("database", "check").exit_code == 0
    assert run("database", "downgrade", "base", "--yes").exit_code == 0
    assert run("database", "check").exit_code == 1
    assert run("database", "upgrade").exit_code == 0
    assert run("database", "check").exit_code == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql://localhost/x", "sqlite:////proc/none/x.db"])
def test_a_database_url_that_cannot_be_is_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_DATABASE_URL", url)
    result = run("init")
    assert result.exit_code == 1
    assert result.stderr.startswith("autocapture: ")
    assert result.stderr.count("\n") == 1
