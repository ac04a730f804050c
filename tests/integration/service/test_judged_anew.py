"""Who changes what mail is judged by is told what to do about the mail that was captured before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deliver, message
from tests.integration.service.conftest import Run

HEADER = "email,name,aliases\n"
RUTH = "ruth@ours.example"


def _import(run: Run, folder: Path, aliases: str) -> str:
    (folder / "users.csv").write_text(f"{HEADER}{RUTH},Ruth,{aliases}\n")
    result = run("users", "import", str(folder / "users.csv"))
    assert result.exit_code == 0, result.output
    return str(result.output)


def _captured(run: Run, folder: Path) -> None:
    deliver(
        folder / "Maildir",
        message(1, author="Ruth <ruth@before.example>"),
        message(2, author="counsel@clinic.example"),
    )
    connected = run("connect", "files", "--user", RUTH, "--maildir", str(folder / "Maildir"))
    assert connected.exit_code == 0, connected.output
    assert run("capture").exit_code == 0


def _directions(run: Run) -> list[str]:
    rows = run("activities", "--format", "jsonl").stdout.splitlines()
    return [json.loads(row)["direction"] for row in rows]


def test_an_import_that_changes_whose_an_address_is_says_what_to_do(run: Run, tmp_path: Path) -> None:
    run("init")
    assert "--resync" not in _import(run, tmp_path, "")
    assert "--resync" not in _import(run, tmp_path, "r@ours.example"), "nothing is captured yet"
    _captured(run, tmp_path)
    assert "--resync" not in _import(run, tmp_path, "r@ours.example"), "nothing changed"
    assert _directions(run) == ["inbound", "inbound"]
    said = _import(run, tmp_path, "r@ours.example;ruth@before.example")
    assert f"{RUTH}: addresses, numbers or time zone changed; run `autocapture capture --resync`" in said
    assert run("capture", "--resync").exit_code == 0
    assert _directions(run) == ["inbound"], "the other one is among ourselves"


def test_the_doctor_says_when_what_is_captured_was_not_judged_by_the_list_of_now(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init")
    _import(run, tmp_path, "")
    _captured(run, tmp_path)
    path = tmp_path / "exclusions.toml"
    path.write_text('domains = ["clinic.example"]\n')
    monkeypatch.setenv("AUTOCAPTURE_CAPTURE_EXCLUSIONS_FILE", str(path))
    found = _exclusions(run)
    assert found["state"] == "problem"
    assert "2 items were judged before; run `autocapture capture --resync`" in found["found"]
    assert run("capture").exit_code == 0
    assert len(_directions(run)) == 2
    assert run("capture", "--resync").exit_code == 0
    assert len(_directions(run)) == 1
    assert _exclusions(run)["state"] == "ok"
    path.write_text("domains = clinic\n")
    assert "is not valid TOML" in _exclusions(run)["found"]


def _exclusions(run: Run) -> dict[str, str]:
    checks = json.loads(run("doctor", "--format", "json").stdout)
    return next(check for check in checks if check["check"] == "exclusions")
