"""The commands of `contacts`: who waits, who would be created, who was, and taking that back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.capture.deployment import deliver, message
from tests.integration.contacts.mailbox import ANNA, RUTH
from tests.integration.service.conftest import Run, home, run  # noqa: F401


def _rows(run: Run, *words: str) -> list[dict[str, Any]]:  # noqa: F811
    result = run("contacts", *words, "--format", "json")
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


def test_people_are_staged_created_listed_and_taken_back(run: Run, tmp_path: Path) -> None:  # noqa: F811
    run("init")
    (tmp_path / "users.csv").write_text("email,name\nruth@ours.example,Ruth\n")
    run("users", "import", str(tmp_path / "users.csv"))
    mails = (message(1, author="Ida <ida@shop.example>"), message(2, author=RUTH, to=ANNA))
    deliver(tmp_path / "mail", *mails)
    run("connect", "files", "--user", "ruth@ours.example", "--maildir", str(tmp_path / "mail"))
    assert run("capture").exit_code == 0
    [ida] = _rows(run, "staged")
    assert (ida["address"], ida["name"], ida["mails"], ida["why"]) == (
        "ida@shop.example", "Ida", 1, "below the thresholds",
    )  # fmt: skip
    assert [row["value"] for row in _rows(run, "created")] == ["nordwind.example", "anna@nordwind.example"]
    assert [row["batch"] for row in _rows(run, "created", "--batches")] == [1]
    assert [(row["kind"], row["value"]) for row in _rows(run, "details", "Anna@nordwind.example")] == [
        ("called", "Anna Weber")
    ]
    told = run("contacts", "undo", "--batch", "1")
    assert "1 contacts and 1 companies are taken back; 1 stored activities" in told.stdout
    assert _rows(run, "created") == []
    assert _rows(run, "create", "--dry-run") == []
    assert [row["name"] for row in _rows(run, "create", "ida@shop.example")] == ["Ida"]
    assert "2026-11-02" in run("contacts", "staged").stdout
    for words in (["undo"], ["undo", "x@y.example", "--batch", "1"], ["create", "--dry-run", "x@y.example"]):
        assert run("contacts", *words).exit_code == 1
