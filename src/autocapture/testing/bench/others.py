"""Other programs as processes of their own: mbsync (isync) and imapflow (Node)."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from autocapture.formats.mime import HEADER_FIELDS

IMAPFLOW = "imapflow@2.1.2"
_LONGEST = 600  # seconds

_MBSYNC = """\
FSync {fsync}

IMAPAccount bench
Host 127.0.0.1
Port {port}
User {username}
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path {folder}/copy/
Inbox {folder}/copy/INBOX

Channel all
Far :far:
Near :near:
Sync Pull
Create Near
SyncState *
"""


@dataclass(frozen=True, slots=True)
class Login:
    """A mailbox on this machine's bench server."""

    port: int
    username: str
    password: str


def mbsync_missing() -> str | None:
    return None if shutil.which("mbsync") else "mbsync is not installed (Debian package isync)"


def run_mbsync(folder: Path, login: Login, *, fsync: bool) -> tuple[float, int]:
    """Copies the whole mailbox into a fresh Maildir: seconds, messages. The copy is removed."""
    copy = folder / "copy"
    copy.mkdir()
    config = folder / "mbsyncrc"
    config.write_text(
        _MBSYNC.format(
            fsync="yes" if fsync else "no",
            port=login.port,
            username=login.username,
            password=login.password,
            folder=folder,
        )
    )
    try:
        started = time.perf_counter()
        _run(["mbsync", "-q", "-c", str(config), "all"], folder)
        seconds = time.perf_counter() - started
        return seconds, sum(1 for name in ("new", "cur") for _ in (copy / "INBOX" / name).iterdir())
    finally:
        shutil.rmtree(copy)


def install_imapflow(folder: Path) -> str | None:
    """Installs it into `folder`; None, or why it cannot be measured."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "node and npm are not installed"
    folder.mkdir()
    options = ["--silent", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder)]
    try:
        _run(["npm", "install", *options, IMAPFLOW], folder)
    except RuntimeError:
        return f"npm could not install {IMAPFLOW}"
    shutil.copy(Path(__file__).with_name("imapflow.js"), folder / "read.js")
    return None


def run_imapflow(folder: Path, login: Login) -> tuple[float, int]:
    """Envelope and the same header fields of every message: seconds from connecting to signing out, messages."""
    given = {"port": login.port, "username": login.username, "password": login.password}
    printed = _run(["node", "read.js", json.dumps({**given, "fields": HEADER_FIELDS})], folder)
    answer = json.loads(printed.splitlines()[-1])
    return float(answer["seconds"]), int(answer["messages"])


def _run(command: list[str], folder: Path) -> str:
    """Runs a command in `folder`; its output. Raises RuntimeError."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{command[0]} took longer than {_LONGEST // 60} minutes") from None
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout
