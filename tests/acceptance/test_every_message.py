"""Every real message that there is, in a real mailbox, captured by the command and accounted for by the census."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.integration.capture.deployment import connect_imap, deploy
from tests.peers.dovecot import Dovecot

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HEAD = b"From: Someone <someone@customer.example>\r\nTo: ruth@ours.example\r\nSubject: %b\r\nMessage-ID: <%b@data>\r\n\r\n"

pytestmark = pytest.mark.dovecot


def _messages() -> list[bytes]:
    """Whole messages as they are; bodies that came without a header get the least there is."""
    if not DATA.is_dir():
        pytest.skip("the collections of real messages are not beside the repository (../shared/data)")
    whole = [
        path
        for folder in ("mime-stalwart", "bounces-sisimai", "replies-discourse/emails")
        for path in sorted((DATA / folder).rglob("*"))
        if path.suffix in (".eml", ".email", ".txt") and path.is_file()
    ]
    bodies = sorted(path for path in (DATA / "signatures-forge").rglob("*_body"))
    bodies += sorted(
        p for kind in ("elided", "trimmed") for p in (DATA / "replies-discourse" / kind).iterdir()
    )
    named = [str(path.relative_to(DATA)).replace("/", "-").encode() for path in bodies]
    return [path.read_bytes() for path in whole] + [
        HEAD % (name, name) + path.read_bytes() for name, path in zip(named, bodies, strict=True)
    ]


def _network_line_ends(message: bytes) -> bytes:
    """A mailbox holds CRLF and no NUL (RFC 3501, 4.3.1): what a server refuses is no mail that it could ever hold."""
    return b"\r\n".join(message.replace(b"\0", b"").splitlines()) + b"\r\n"


def test_a_census_accounts_for_every_real_message(tmp_path: Path, dovecot_server: Dovecot) -> None:
    messages = [_network_line_ends(each) for each in _messages() if each.strip()]
    assert len(messages) > 500
    login = dovecot_server.new_user()
    dovecot_server.append_many("INBOX", messages, user=login)
    app = deploy(tmp_path / "home")
    connect_imap(app, dovecot_server, login, level="full")
    captured = _command(tmp_path, "capture", "--format", "json")
    assert captured.returncode == 0, captured.stderr
    (report,) = json.loads(captured.stdout)
    assert report["listed"] == len(messages)
    assert report["captured"] + report["skipped"] + report["quarantined"] == len(messages)
    assert report["quarantined"] == 0, "real mail, however odd, can be read"
    census = _command(tmp_path, "census", "--format", "json")
    assert census.returncode == 0, census.stderr
    (inbox,) = [row for row in json.loads(census.stdout) if row["channel"] == "INBOX"]
    assert (inbox["at_source"], inbox["in_ledger"], inbox["equal"]) == (len(messages), len(messages), True)
    left_out = {row["channel"]: row["left_out"] for row in json.loads(census.stdout) if row["left_out"]}
    assert left_out == {"Drafts": "drafts", "Junk": "junk mail", "Trash": "deleted mail"}
    ledger = _command(tmp_path, "ledger", "--format", "json")
    rows = json.loads(ledger.stdout)
    assert len(rows) == len(messages)
    assert Counter(row["outcome"] for row in rows)["captured"] == report["captured"]
    assert all(row["reason"] for row in rows if row["outcome"] != "captured"), "what is left out says why"
    again = _command(tmp_path, "capture", "--format", "json")
    assert json.loads(again.stdout)[0]["listed"] == 0


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AUTOCAPTURE_")}
    environ["AUTOCAPTURE_HOME"] = str(folder / "home")
    return subprocess.run(
        [sys.executable, "-m", "autocapture", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
