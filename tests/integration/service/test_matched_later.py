"""Mail that nobody in the CRM explained finds its company, and its deal, once the CRM knows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.capture.deployment import deliver, message
from tests.integration.service.conftest import Run

MAPPING = """
[source]
date_format = "%Y-%m-%d"
time_zone = "UTC"
currency = "EUR"
region = "NL"

[companies]
file = "companies.csv"
[companies.columns]
key = "id"
name = "name"

[contacts]
file = "contacts.csv"
[contacts.columns]
key = "id"
name = "name"
emails = "mail"
company = "company"
"""
MAILS = 10


def _import(run: Run, folder: Path, contacts: str) -> str:
    (folder / "crm.toml").write_text(MAPPING)
    (folder / "companies.csv").write_text("id,name\nc1,Newcomer\n")
    (folder / "contacts.csv").write_text(f"id,name,mail,company\n{contacts}")
    result = run("import", "crm", "--mapping", str(folder / "crm.toml"))
    assert result.exit_code == 0, result.output
    return str(result.output)


def _activities(run: Run) -> list[dict[str, Any]]:
    return [json.loads(row) for row in run("activities", "--format", "jsonl").stdout.splitlines()]


def test_a_contact_that_is_made_later_gets_the_mail_of_before(run: Run, tmp_path: Path) -> None:
    """All of it, at the next import, and each mail keeps its time."""
    run("init")
    (tmp_path / "users.csv").write_text("email,name\nruth@ours.example,Ruth\n")
    run("users", "import", str(tmp_path / "users.csv"))
    deliver(tmp_path / "Maildir", *(message(n, author="lee@gmail.com") for n in range(MAILS)))
    run("connect", "files", "--user", "ruth@ours.example", "--maildir", str(tmp_path / "Maildir"))
    assert run("capture").exit_code == 0
    before = _activities(run)
    _import(run, tmp_path, "")
    assert [each["companies"] for each in _activities(run)] == [[]] * MAILS, (
        "a company alone explains no free mail"
    )
    said = _import(run, tmp_path, "p1,Lee,lee@gmail.com,c1\n")
    assert f"{MAILS} stored activities are matched differently now" in said
    after = _activities(run)
    assert [each["companies"] for each in after] == [["c1"]] * MAILS
    assert [each["occurred_at"] for each in after] == [each["occurred_at"] for each in before]
