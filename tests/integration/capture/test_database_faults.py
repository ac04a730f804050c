"""A database that is full, locked or read-only: nothing half-written, one clear line, and on it goes when it can."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from tests.integration.capture.deployment import (
    application,
    capture,
    connect_files,
    deliver,
    deploy,
    everything,
    message,
    rows,
    settle,
)

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import SetupError, StoreBusy
from autocapture.jobs.queue import InProcessQueue, Job
from autocapture.jobs.tasks import CAPTURE, tasks
from autocapture.model.accounts import Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.service.worker import Workers
from autocapture.store import engine as store_engine
from autocapture.store.engine import reading, writing
from autocapture.store.leases import LEASE_FOR
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census


@pytest.fixture
def mails(app: Application, tmp_path: Path) -> Path:
    maildir = tmp_path / "Maildir"
    deliver(maildir, *(message(n, subject="long " * 40) for n in range(120)))
    deliver(maildir, message(900), folder="Sent")
    connect_files(app, maildir=maildir)
    return maildir


@pytest.fixture
def expected(app: Application, mails: Path, tmp_path: Path) -> dict[str, object]:
    """What an undisturbed capture of the same stores."""
    home = tmp_path / "undisturbed"
    app.engine.dispose()  # closed, the database is one file
    shutil.copytree(app.settings.home, home)
    undisturbed = application(home)
    capture(undisturbed, 1)
    settle(undisturbed)
    found = everything(undisturbed)
    undisturbed.engine.dispose()
    return dict(found)


def _file(app: Application) -> Path:
    return Path(str(app.engine.url.database))


def _command(app: Application, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AUTOCAPTURE_")}
    environ["AUTOCAPTURE_HOME"] = str(app.settings.home)
    return subprocess.run(
        [sys.executable, "-m", "autocapture", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _limit(engine: Engine, pages: int) -> Callable[[], None]:
    """Lets the file grow by no more than `pages`; the answer lifts the limit."""
    with engine.connect() as connection:
        held = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    most = [held + pages]

    def limited(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {most[0]}")

    event.listen(engine, "checkout", limited)

    def lift() -> None:
        most[0] = 1 << 30

    return lift


@pytest.mark.parametrize("pages", [0, 1, 3, 6])
def test_a_full_database_keeps_nothing_of_a_page_and_goes_on_when_there_is_room(
    app: Application, expected: dict[str, object], pages: int
) -> None:
    lift = _limit(app.engine, pages)
    for _ in range(3):
        with pytest.raises(StoreBusy, match="full"):
            capture_account(app, 1)
    assert rows(app, LedgerEntry) == []
    assert all(row["cursor"] is None for row in rows(app, Channel))
    with sqlite3.connect(str(_file(app))) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    lift()
    assert capture(app, 1).captured == 121
    settle(app)
    assert everything(app) == expected
    assert all(found.equal for found in take_census(app, 1))


@contextmanager
def _locked(app: Application) -> Iterator[None]:
    """Another program holds the one write lock."""
    other = sqlite3.connect(str(_file(app)), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, app: Application) -> Application:
    """The same application, which waits for a lock a tenth of a second."""
    monkeypatch.setattr(store_engine, "BUSY_TIMEOUT_MS", 100)
    return application(app.settings.home)


def test_a_database_locked_for_longer_than_we_wait_is_one_error_and_nothing_is_kept(
    impatient: Application, expected: dict[str, object]
) -> None:
    with _locked(impatient), pytest.raises(StoreBusy, match="locked"):
        capture_account(impatient, 1)
    assert rows(impatient, LedgerEntry) == []
    capture(impatient, 1)
    settle(impatient)
    assert everything(impatient) == expected


def test_a_database_locked_in_the_middle_of_a_capture_costs_no_row(
    impatient: Application, expected: dict[str, object]
) -> None:
    held = _locked(impatient)

    def lock(_channel: str, _items: int) -> None:
        held.__enter__()

    with pytest.raises(StoreBusy):
        capture_account(impatient, 1, progress=lock)
    held.__exit__(None, None, None)
    stored = len(rows(impatient, LedgerEntry))
    assert stored in (1, 120), "one page, whole"
    assert capture_account(impatient, 1).status == "busy", "the lease could not be handed back"
    again = application(impatient.settings.home, clock=FixedClock(impatient.clock.now() + LEASE_FOR))
    capture(again, 1)
    settle(again)
    assert everything(again) == expected


def test_a_short_lock_is_waited_out(app: Application, mails: Path) -> None:
    captured: list[int] = []
    worker = threading.Thread(target=lambda: captured.append(capture(app, 1).captured))
    with _locked(app):
        worker.start()
        time.sleep(0.7)
    worker.join()
    assert captured == [121]


def test_the_command_tells_of_a_locked_database_in_one_line(app: Application, mails: Path) -> None:
    with _locked(app):
        done = _command(app, "capture")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "the database cannot take this now: database is locked" in done.stderr
    assert _command(app, "capture").returncode == 0


def test_the_command_tells_of_a_read_only_database_in_one_line(app: Application, mails: Path) -> None:
    environ = {**os.environ, "AUTOCAPTURE_HOME": str(app.settings.home)}
    environ["AUTOCAPTURE_DATABASE_URL"] = f"sqlite:///file:{_file(app)}?mode=ro&uri=true"
    done = subprocess.run(
        [sys.executable, "-m", "autocapture", "capture"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "readonly" in done.stderr
    assert rows(app, LedgerEntry) == []


@pytest.mark.postgres
def test_a_postgresql_that_turns_read_only_costs_no_row(postgres_url: str, tmp_path: Path) -> None:
    """As one does that became a standby, or whose disk is nearly full."""
    app = deploy(tmp_path / "home", url=postgres_url)
    deliver(tmp_path / "Maildir", *(message(n) for n in range(30)))
    deliver(tmp_path / "Maildir", message(900), folder="Sent")
    connect_files(app, maildir=tmp_path / "Maildir")

    def turn(takes_writes: bool) -> None:
        other = create_engine(app.engine.url, isolation_level="AUTOCOMMIT")
        with other.connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(
                text(
                    f"ALTER DATABASE {app.engine.url.database} SET default_transaction_read_only = {not takes_writes}"
                )
            )
        other.dispose()
        app.engine.dispose()  # it holds for sessions that begin

    with pytest.raises(StoreBusy, match="read-only"):
        capture_account(app, 1, progress=lambda *_: turn(takes_writes=False))
    stored = len(rows(app, LedgerEntry))
    assert stored in (1, 30), "one page, whole"
    with pytest.raises(StoreBusy, match="read-only"):
        capture_account(app, 1)
    turn(takes_writes=True)
    again = application(app.settings.home, url=postgres_url, clock=FixedClock(app.clock.now() + LEASE_FOR))
    assert capture(again, 1).captured == 31 - stored
    assert all(found.equal for found in take_census(again, 1))
    for each in (app, again):
        each.engine.dispose()


def test_the_services_worker_outlives_a_full_and_a_locked_database(
    impatient: Application, expected: dict[str, object]
) -> None:
    queue = InProcessQueue()
    workers = Workers(queue, tasks(impatient, lambda: False), threads=1)
    workers.start()
    job = Job(CAPTURE, {"account_id": 1})
    lift = _limit(impatient.engine, 0)
    _work(queue, job)
    lift()
    with _locked(impatient):
        _work(queue, job)
    assert rows(impatient, LedgerEntry) == []
    _work(queue, job)
    queue.close()  # which ends the worker too
    assert workers.stop(timedelta(seconds=10))
    settle(impatient)
    assert everything(impatient) == expected


def _work(queue: InProcessQueue, job: Job) -> None:
    """Has the worker do one job and waits for its end."""
    assert queue.enqueue(job)
    ends = time.monotonic() + 30
    while queue._waiting or queue._running:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_what_a_database_refuses_is_told_without_its_values(either_app: Application) -> None:
    secret = "a subject that nobody else may read"
    with pytest.raises(DBAPIError) as refused, writing(either_app.engine) as session:
        session.execute(
            text("INSERT INTO activity (id, subject) VALUES (:id, :subject)"), {"id": 1, "subject": secret}
        )
    assert secret not in str(refused.value).partition("DETAIL")[0]
    assert "SQL parameters hidden" in str(refused.value)


@pytest.mark.postgres
def test_a_postgresql_that_lets_us_in_and_nowhere_else_is_the_administrators(
    postgres_url: str, tmp_path: Path
) -> None:
    app = deploy(tmp_path / "home", url=postgres_url)
    with app.engine.begin() as connection:
        connection.execute(text("CREATE ROLE nobody_in_particular"))
    as_nobody = "SET ROLE nobody_in_particular; SELECT * FROM account"
    with pytest.raises(SetupError, match="permission denied"), reading(app.engine) as session:
        session.execute(text(as_nobody))
    with app.engine.begin() as connection:
        connection.execute(text("DROP ROLE nobody_in_particular"))
    app.engine.dispose()
