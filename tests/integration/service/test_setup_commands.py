"""`init`, `database` and `doctor`, as an operator meets them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.integration.service.conftest import Run


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


def test_a_command_before_init_says_so_in_one_line(run: Run) -> None:
    result = run("database", "check")
    assert result.exit_code == 1
    assert result.stderr == "autocapture: the database is empty; run `autocapture init`\n"


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
