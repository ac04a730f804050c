"""`autocapture summary` as an administrator types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.integration.summary.mailbox import mailbox

from autocapture.application import Application


def _run(app: Application, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOCAPTURE_")}
    environment |= {"AUTOCAPTURE_HOME": str(app.settings.home)}
    environment |= {f"AUTOCAPTURE_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "autocapture", "summary", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_published_week_is_told_and_saved_as_one_file(app: Application, tmp_path: Path) -> None:
    out = tmp_path / "summary.html"
    done = _run(app, "--week", "2026-W46", "--team", "North", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "North is at 69% of its Q4 2026 quota" in done.stdout
    assert "http://127.0.0.1:8000/summary/north/2026-W46" in done.stdout
    html = out.read_text(encoding="utf-8")
    assert "<svg" in html
    assert 'href="http://127.0.0.1:8000/n/' in html
    assert "<link" not in html


def test_links_begin_with_the_public_address_where_one_is_set(app: Application, tmp_path: Path) -> None:
    out = tmp_path / "summary.html"
    public = {"WEB_PUBLIC_URL": "https://sales.example/weekly/"}
    done = _run(app, "--week", "2026-W46", "--team", "North", "--out", str(out), **public)
    assert "https://sales.example/weekly/summary/north/2026-W46" in done.stdout
    html = out.read_text(encoding="utf-8")
    assert 'href="https://sales.example/weekly/n/' in html
    assert "127.0.0.1" not in html


def test_sending_twice_mails_once(app: Application) -> None:
    with mailbox() as kept:
        smtp = {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(kept.port),
            "SMTP_SECURITY": "none",
            "SMTP_SENDER": "summary@ours.example",
        }
        for said in (
            r"  sent to eva@ours\.example\n",
            r"  already sent to eva@ours\.example on \w+, .* UTC\n",
        ):
            done = _run(app, "--week", "2026-W46", "--send", **smtp)
            assert done.returncode == 0, done.stderr
            assert re.search(said, done.stdout)
        assert len(kept.messages) == 1


def test_what_cannot_be_done_is_one_line(app: Application) -> None:
    for arguments in (
        ["--week", "2026-W46", "--team", "Nowhere"],
        ["--week", "soon"],
        ["--week", "2026-W46", "--send"],
        ["--week", "2026-W46", "--team", "North", "--out", "nowhere/summary.html"],
    ):
        done = _run(app, *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr
