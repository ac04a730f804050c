"""The import commands, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from tests.integration.imports.exports import FILES, MAPPING
from tests.tables import make_tables
from typer.testing import CliRunner, Result

from autocapture.bootstrap import build
from autocapture.cli import importing, people
from autocapture.settings import load_settings

USERS = (
    "email,name,time_zone\nanna@ours.example,Anna Bakker,Europe/Amsterdam\nbob@ours.example,Bob Stone,UTC\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with an export and a database that knows two users."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOCAPTURE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("AUTOCAPTURE_DATABASE_URL", raising=False)
    (tmp_path / "home").mkdir()
    application = build(load_settings())
    make_tables(application.engine)
    application.engine.dispose()
    (tmp_path / "crm.toml").write_text(MAPPING)
    (tmp_path / "users.csv").write_text(USERS)
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    assert run("users", "import", "users.csv").exit_code == 0
    return tmp_path


def run(*words: str) -> Result:
    app = typer.Typer()
    importing.register(app)
    people.register(app)
    return CliRunner().invoke(app, words)


def test_a_dry_run_prints_the_plan(folder: Path) -> None:
    shown = run("import", "crm", "--mapping", "crm.toml", "--dry-run")
    assert shown.exit_code == 0
    assert "deal: 3 created, 0 updated, 0 unchanged" in shown.stdout
    assert "would be imported, 0 refused" in shown.stdout


def test_the_report_leaves_as_json_lines(folder: Path) -> None:
    (folder / "export").mkdir()
    for name in FILES:
        (folder / f"{name}.csv").rename(folder / "export" / f"{name}.csv")
    shown = run("import", "crm", "--mapping", "crm.toml", "--source", "export", "--format", "jsonl")
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert ("count", "deal") in {(row["action"], row["table"]) for row in rows}
    assert {row["action"] for row in rows} == {"count", "create", "note"}
    [deal] = [row for row in rows if (row["table"], row["key"], row["action"]) == ("deal", "D1", "create")]
    assert deal["after"]["amount_minor"] == 1_250_000


def test_refused_rows_are_counted_on_standard_error(folder: Path) -> None:
    (folder / "users.csv").write_text(USERS + "nobody,N,UTC\n")
    shown = run("users", "import", "users.csv")
    assert (shown.exit_code, "1 row was refused" in shown.stderr) == (0, True)
    assert "refused: users.csv line 4: invalid email 'nobody'" in shown.stdout
    assert run("users", "import", "users.csv", "--strict").exit_code == 1


def test_when_nothing_can_be_imported_the_command_fails(folder: Path) -> None:
    (folder / "users.csv").write_text("email,name\nnobody,N\n")
    assert run("users", "import", "users.csv").exit_code == 1


def test_a_file_of_users_that_is_no_text_is_told_with_what_helps(folder: Path) -> None:
    (folder / "users.csv").write_bytes(b"email,name\nmax@example.com,M\xfcller\n")
    shown = run("users", "import", "users.csv")
    assert shown.exit_code == 1
    assert str(shown.exception) == "users.csv line 2: not utf-8 text; save it as CSV in UTF-8"


def test_one_row_is_told_as_one(folder: Path) -> None:
    (folder / "users.csv").write_text("email,name\nmax@example.com,Max\n")
    assert "1 row was imported, 0 refused" in run("users", "import", "users.csv").stdout


def test_hours_absences_and_periods_of_the_fiscal_year_are_imported_from_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_FISCAL_YEAR_BEGINS_IN", "2")
    (folder / "hours.csv").write_text("user,monday,tuesday\n,09:00-17:00,09:00-17:00\n")
    (folder / "absences.csv").write_text(
        "user,starts_on\nanna@ours.example,2026-11-09\nzoe@ours.example,2026-11-09\n"
    )
    (folder / "quotas.csv").write_text(
        "metric,scope_type,scope,period,value,currency\nemails_sent,company,,FY2026-Q4,9,\n"
    )
    assert "working hours: 1 created" in run("import", "working-hours", "hours.csv").stdout
    shown = run("import", "absences", "absences.csv", "--strict")
    assert (shown.exit_code, shown.stdout.splitlines()) == (
        1,
        [
            "absence: 1 created, 0 updated, 0 unchanged",
            "refused: absences.csv line 3: there is no user 'zoe@ours.example'",
            "1 row was imported, 1 refused",
        ],
    )
    rows = [
        json.loads(line)
        for line in run("import", "quotas", "quotas.csv", "--format", "jsonl").stdout.splitlines()
    ]
    assert [row["key"] for row in rows if row["action"] == "create"] == [
        "emails_sent / company /  / 2026-11-01 / 2027-01-31"
    ]
