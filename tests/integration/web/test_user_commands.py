"""`users`: letting people in and out at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.summary.mailbox import mailbox
from typer.testing import CliRunner, Result

from autocapture.cli.app import app as commands
from autocapture.cli.application import open_application
from autocapture.model.organization import User
from autocapture.model.sign_in import AuditEntry
from autocapture.store.engine import reading
from autocapture.workflows.sign_in import choose_password, sign_in

Run = Callable[..., Result]
USERS = "email,name,role\nann@ours.example,Ann Berg,rep\nbo@ours.example,Bo Chen,manager\n"
CHOSEN = "eleven patient otters"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a home of its own, in which two people are known."""
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)

    def command(*words: str) -> Result:
        return CliRunner().invoke(commands, list(words))

    assert "open to this machine" in command("init").stdout
    (tmp_path / "users.csv").write_text(USERS, encoding="utf-8")
    assert command("users", "import", str(tmp_path / "users.csv")).exit_code == 0
    return command


def _token(told: str) -> str:
    return told.strip().rpartition("/link/")[2]


def _listed(run: Run) -> dict[str, dict[str, object]]:
    return {row["email"]: row for row in json.loads(run("users", "list", "--format", "json").stdout)}


def test_the_first_admin_is_made_at_the_command_line_and_lets_everybody_in(run: Run) -> None:
    assert "--admin" in run("users", "invite", "ann@ours.example").stderr
    told = run("users", "invite", "eva@ours.example", "--admin")
    assert "http://127.0.0.1:8000/link/" in told.stdout
    choose_password(open_application(), _token(told.stdout), CHOSEN)
    assert "open to this machine" not in run("init").stdout
    everybody = run("users", "invite", "--all").stdout.splitlines()
    assert [line.partition(",")[0] for line in everybody] == ["ann@ours.example", "bo@ours.example"]
    listed = _listed(run)
    assert (listed["eva@ours.example"]["role"], listed["eva@ours.example"]["signs_in_by"]) == (
        "admin",
        "password",
    )
    assert listed["ann@ours.example"]["invited_until"] is not None
    assert run("users", "invite", "--all").stdout == ""


def test_whom_to_invite_must_be_said(run: Run) -> None:
    for words in ((), ("ann@ours.example", "--all"), ("--all", "--admin"), ("nobody@ours.example",)):
        assert run("users", "invite", *words).exit_code == 1
    for words in ((), ("ann@ours.example", "--all"), ("nobody@ours.example",)):
        assert run("users", "sign-out", *words).exit_code == 1
    assert run("users", "disable", "nobody@ours.example").exit_code == 1


def test_links_are_mailed_where_a_mail_server_is_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with mailbox() as box:
        for key, value in (
            ("HOST", "127.0.0.1"),
            ("PORT", str(box.port)),
            ("SECURITY", "none"),
            ("SENDER", "a@ours.example"),
        ):
            monkeypatch.setenv(f"AUTOCAPTURE_SMTP_{key}", value)  # fmt: skip
        told = run("users", "invite", "ann@ours.example", "--admin")
        assert "/link/" not in told.stdout
        [mail] = box.messages
        assert mail["to"] == "Ann Berg <ann@ours.example>"
        assert "/link/" in run("users", "invite", "ann@ours.example", "--print").stdout
        assert len(box.messages) == 1
        box.answer = "554 not today"
        refused = run("users", "invite", "ann@ours.example")
    assert refused.exit_code == 1
    assert "try --print" in refused.stderr


def test_disabling_and_signing_out_take_effect_at_once(run: Run) -> None:
    choose_password(
        open_application(), _token(run("users", "invite", "bo@ours.example", "--admin").stdout), CHOSEN
    )
    assert _listed(run)["bo@ours.example"]["sessions"] == 1
    assert "1 session ended" in run("users", "sign-out", "bo@ours.example").stdout
    assert isinstance(sign_in(open_application(), "bo@ours.example", CHOSEN, "192.0.2.1"), str)
    run("users", "disable", "bo@ours.example")
    assert _listed(run)["bo@ours.example"]["state"] == "disabled"
    assert not isinstance(sign_in(open_application(), "bo@ours.example", CHOSEN, "192.0.2.1"), str)
    run("users", "enable", "bo@ours.example")
    assert isinstance(sign_in(open_application(), "bo@ours.example", CHOSEN, "192.0.2.1"), str)


def test_a_role_that_an_import_changes_is_written_down(run: Run, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(USERS.replace("manager", "ops"), encoding="utf-8")
    run("users", "import", str(tmp_path / "users.csv"))
    with reading(open_application().engine) as session:
        told = session.exec(
            select(AuditEntry.action, AuditEntry.detail, User.email).join(
                User, col(User.id) == col(AuditEntry.user_id)
            )
        ).all()
    assert told == [("role changed", "manager to ops", "bo@ours.example")]
