"""What a command in the foreground writes: its rows on standard output, and nothing else there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.integration.service.conftest import Run


def _with_one_account(run: Run, folder: Path) -> Path:
    assert run("init").exit_code == 0
    (folder / "users.csv").write_text("email,name,team\nann@example.com,Ann,North\n")
    assert run("users", "import", str(folder / "users.csv")).exit_code == 0
    for name in ("new", "cur", "tmp"):
        (folder / "Maildir" / name).mkdir(parents=True)
    done = run("connect", "files", "--user", "ann@example.com", "--maildir", str(folder / "Maildir"))
    assert done.exit_code == 0, done.output
    return folder / "Maildir"


def test_a_capture_that_failed_still_writes_rows_alone(run: Run, tmp_path: Path) -> None:
    shutil.rmtree(_with_one_account(run, tmp_path))
    done = run("capture", "--format", "json")
    assert done.exit_code == 1
    [row] = json.loads(done.stdout)
    assert row["status"] != "ok"
    assert row["why"]
    assert done.stderr == ""


def test_currency_has_a_column_whatever_the_first_metric_is(run: Run, tmp_path: Path) -> None:
    _with_one_account(run, tmp_path)
    header = run("metrics", "--period", "2026-W46", "--format", "csv").stdout.splitlines()[0]
    assert "currency" in header.split(",")


def test_tables_are_for_people(run: Run, tmp_path: Path) -> None:
    _with_one_account(run, tmp_path)
    assert run("capture").exit_code == 0
    shown = run("accounts").stdout
    assert "+00:00" not in shown
    cut = run("metrics", "emails_sent", "--period", "2026-W46", "--by", "team", "--format", "table").stdout
    assert "{" not in cut
