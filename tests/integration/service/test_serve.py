"""The service as a process: it answers, captures what arrives, and stops in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.service.conftest import Run

from autocapture.application import Application
from autocapture.cli.application import open_application
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing

MESSAGE = b"From: kunde@example.org\r\nTo: erika@example.com\r\nSubject: Angebot\r\nMessage-ID: <%d@example.org>\r\n\r\nText\r\n"


@pytest.fixture
def app(run: Run, tmp_path: Path) -> Application:
    assert run("init").exit_code == 0
    app = open_application()
    with writing(app.engine) as session:
        session.add(User(email="erika@example.com", name="Erika"))
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    _deliver(tmp_path, 1)
    connected = run("connect", "files", "--user", "erika@example.com", "--maildir", str(tmp_path / "Maildir"))
    assert connected.exit_code == 0, connected.stderr
    return app


def _deliver(folder: Path, number: int) -> None:
    (folder / "Maildir" / "new" / f"{number}.message").write_bytes(MESSAGE % number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(*words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "autocapture", "serve", *words]
    process = subprocess.Popen(command, env={**os.environ, **environ}, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _until(holds: Callable[[], bool], within: float = 40) -> None:
    ends = time.monotonic() + within
    while not holds():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.1)


def _captured(app: Application) -> int:
    with reading(app.engine) as session:
        return len(session.exec(select(LedgerEntry)).all())


def _answer(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_answers_captures_and_stops_within_ten_seconds(
    app: Application, tmp_path: Path, number: signal.Signals
) -> None:
    port = _free_port()
    with _serving(AUTOCAPTURE_WEB_PORT=str(port), AUTOCAPTURE_CAPTURE_INTERVAL_SECONDS="5") as process:
        _until(lambda: _answer(port, "/livez")[0] == 200)
        _until(lambda: _captured(app) == 1)
        assert json.loads(_answer(port, "/readyz")[1]) == {"ready": True, "reasons": []}
        if number is signal.SIGTERM:
            _deliver(tmp_path, 2)
            _until(lambda: _captured(app) == 2)
        process.send_signal(number)
        asked = time.monotonic()
        _, logs = process.communicate(timeout=15)
        assert time.monotonic() - asked < 10
        assert process.returncode == 0
    events = [json.loads(line) for line in logs.splitlines()]
    assert [event["event"] for event in events][-1] == "service stopped"
    assert "example.org" not in logs
    assert "Angebot" not in logs
    with reading(app.engine) as session:
        account = session.exec(select(Account)).one()
    assert (account.lease_owner, account.lease_until) == (None, LONG_AGO)


def test_the_web_alone_captures_nothing(app: Application) -> None:
    port = _free_port()
    with _serving("--only", "web", AUTOCAPTURE_WEB_PORT=str(port)) as process:
        _until(lambda: _answer(port, "/livez")[0] == 200)
        time.sleep(1)
        process.terminate()
        process.communicate(timeout=15)
        assert process.returncode == 0
    assert _captured(app) == 0


def test_it_listens_on_this_machine_alone(
    run: Run, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOCAPTURE_WEB_HOST", "0.0.0.0")
    result = run("serve")
    assert result.exit_code == 1
    assert "127.0.0.1" in result.stderr


def test_a_port_in_use_is_one_line(run: Run, app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("AUTOCAPTURE_WEB_PORT", str(other.getsockname()[1]))
        result = run("serve")
    assert result.exit_code == 1
    assert "AUTOCAPTURE_WEB_PORT" in result.stderr
