"""The sample organisation goes through the whole loop once; a second run changes nothing."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.console import Console
from sqlmodel import SQLModel, text
from tests.integration.service.conftest import Run
from tests.integration.summary.walking import unopened

from autocapture.application import Application
from autocapture.cli.application import open_application
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing
from autocapture.testing.demo import settle_sample, show_sample
from autocapture.workflows.connect_account import Login, connect_account

OF_THE_RUN = {
    ("channel", "wake_at"),
    ("channel", "last_ok_at"),
    ("channel", "cursor"),
    ("channel", "generation"),
    ("account", "lease_no"),
}
"""Columns that say when an account was last looked at, not what was found. What was written moments before it was listed is
listed once more, so cursor and generation depend on how fast the machine is."""


def _everything(app: Application) -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    with reading(app.engine) as session:
        for name, table in SQLModel.metadata.tables.items():
            kept = [column.name for column in table.columns if (name, column.name) not in OF_THE_RUN]
            columns = ", ".join(f'"{column}"' for column in kept)
            rows = session.connection().execute(text(f'SELECT {columns} FROM "{name}"'))
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def _shown(app: Application, *, stopping: bool = False) -> str:
    out = io.StringIO()
    show_sample(app, lambda: stopping, Console(file=out, width=160))
    return out.getvalue()


def test_the_second_run_of_the_sample_changes_nothing(run: Run) -> None:
    assert run("init").exit_code == 0
    app = open_application()
    first = _shown(app)
    assert "captured" in first
    assert "newsletter" in first
    assert "matched to a deal" in first
    assert "revenue_won" in first
    assert "http://127.0.0.1:8000/summary/" in first
    before = _everything(app)
    second = _shown(app)
    assert unopened(app) == []
    after = _everything(app)
    assert [name for name in before if before[name] != after[name]] == []
    assert "users: 0 created, 0 updated" in second
    count = int(re.search(r"CRM: .* (\d+) refused", first)[1])  # type: ignore[index]
    told = re.findall(r"^  refused: \S+ line \d+: .+", first, re.MULTILINE)
    assert len(told) == count > 0
    assert first.split("What was captured")[1] == second.split("What was captured")[1]


def test_the_sample_is_where_its_people_are_unless_the_operator_said_otherwise(run: Run) -> None:
    assert run("init").exit_code == 0
    app = open_application()
    assert settle_sample(app)
    assert open_application().settings.organization.time_zone == "Europe/Amsterdam"
    (app.settings.home / "autocapture.toml").write_text('[organization]\ntime_zone = "Asia/Taipei"\n')
    assert not settle_sample(app)
    assert open_application().settings.organization.time_zone == "Asia/Taipei"


def test_a_stopped_run_ends_before_it_tells_of_anything(run: Run) -> None:
    assert run("init").exit_code == 0
    app = open_application()
    assert "weekly summary of" not in _shown(app, stopping=True)


def test_no_sample_is_written_beside_somebodys_own_accounts(run: Run, tmp_path: Any) -> None:
    assert run("init").exit_code == 0
    app = open_application()
    with writing(app.engine) as session:
        session.add(User(email="erika@example.com", name="Erika"))
    (tmp_path / "mail").mkdir()
    connect_account(app, Login("erika@example.com", "files", {"eml": tmp_path / "mail"}))
    assert "no sample" in _shown(app)
    assert not (app.settings.home / "sample").exists()
