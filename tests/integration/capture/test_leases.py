"""One worker at a time on one account, and none that overslept does harm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col
from tests.integration.capture.deployment import (
    capture,
    connect_files,
    deliver,
    deploy,
    message,
    rows,
)

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import LONG_AGO, Account
from autocapture.model.activities import Activity
from autocapture.model.ledger import CAPTURED, QUARANTINED, LedgerEntry
from autocapture.store import leases
from autocapture.store.engine import writing
from autocapture.store.leases import LEASE_FOR
from autocapture.workflows.capture import capture_account, due_accounts, release_leases
from autocapture.workflows.workers import worker_name


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    app = deploy(tmp_path / "home", url=url, clock=clock)
    deliver(tmp_path / "Maildir", *(message(n) for n in range(5)))
    deliver(tmp_path / "Maildir", *(message(n) for n in range(5, 9)), folder="Sent")
    connect_files(app, maildir=tmp_path / "Maildir")
    yield app
    app.engine.dispose()


def test_a_worker_that_slept_through_its_lease_commits_nothing_while_another_goes_on(
    app: Application, clock: FixedClock
) -> None:
    others = []

    def sleep_too_long(_channel: str, _items: int) -> None:
        if not others:
            clock.advance(LEASE_FOR + timedelta(seconds=1))
            others.append(capture_account(app, 1, worker="another"))
            _arrives_late(app)

    report = capture_account(app, 1, worker="sleeper", progress=sleep_too_long)
    assert others[0].status == "ok"
    assert report.status == "busy"
    assert report.why == "account 1 was taken over by another worker"
    assert len(rows(app, Activity)) == len(rows(app, LedgerEntry)) == 9
    (account,) = rows(app, Account)
    assert (account["lease_owner"], account["lease_until"]) == (None, LONG_AGO)
    assert account["why"] is None


def _arrives_late(app: Application) -> None:
    """News that the sleeper would capture if it were let."""
    (account,) = rows(app, Account)
    deliver(Path(account["options"]["maildir"]), message(50), folder="Sent")


def test_a_sleeper_whose_provider_fails_says_nothing_of_the_account(
    app: Application, clock: FixedClock, tmp_path: Path
) -> None:
    def sleep_and_lose_the_files(_channel: str, _items: int) -> None:
        clock.advance(LEASE_FOR + timedelta(seconds=1))
        with writing(app.engine) as session:
            assert leases.claim(session, 1, "another", clock.now()) is not None

    assert capture_account(app, 1, worker="sleeper", progress=sleep_and_lose_the_files).status == "busy"
    (account,) = rows(app, Account)
    assert (account["lease_owner"], account["fails"]) == ("another", 0)


def test_an_account_that_is_being_captured_is_not_captured_twice(app: Application) -> None:
    seen = []

    def look(_channel: str, _items: int) -> None:
        seen.append((due_accounts(app), capture_account(app, 1, worker="another").status))

    capture_account(app, 1, progress=look)
    assert set(map(repr, seen)) == {"([], 'busy')"}


def test_a_stop_between_two_pages_hands_the_lease_back_and_the_rest_follows(app: Application) -> None:
    asked = iter([False, True])
    report = capture_account(app, 1, should_stop=lambda: next(asked))
    assert report.status == "stopped"
    assert 0 < len(rows(app, LedgerEntry)) < 9
    (account,) = rows(app, Account)
    assert account["lease_owner"] is None
    assert due_accounts(app) == [1]
    capture(app, 1)
    assert len(rows(app, LedgerEntry)) == 9


def _held_by(app: Application, clock: FixedClock, owner: str) -> None:
    with writing(app.engine) as session:
        assert leases.claim(session, 1, owner, clock.now()) is not None


def test_the_lease_of_a_process_that_was_killed_is_taken_at_once(app: Application, clock: FixedClock) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    _held_by(app, clock, worker_name().replace(str(os.getpid()), str(ended.pid)))
    assert due_accounts(app) == [1]
    assert capture(app, 1).captured == 9


@pytest.mark.parametrize(
    "owner", [f"{worker_name().rpartition(':')[0]}:1", "another-host:999999", "no number"]
)
def test_any_other_lease_is_waited_out(app: Application, clock: FixedClock, owner: str) -> None:
    _held_by(app, clock, owner)
    assert due_accounts(app) == []
    assert capture_account(app, 1).status == "busy"
    clock.advance(LEASE_FOR)
    assert due_accounts(app) == [1]
    assert capture(app, 1).captured == 9


def test_a_clean_stop_hands_back_every_lease_of_the_process(app: Application, clock: FixedClock) -> None:
    _held_by(app, clock, worker_name())
    assert release_leases(app) == 1
    assert due_accounts(app) == [1]


YEARS = timedelta(days=3_650)


def test_what_a_clock_that_was_years_ahead_left_waiting_is_captured_once_it_is_right(
    app: Application, clock: FixedClock
) -> None:
    clock.advance(YEARS)
    capture(app, 1)
    _held_by(app, clock, "another-host:1")
    with writing(app.engine) as session:
        account = session.get_one(Account, 1)
        account.throttle_until = clock.now() + timedelta(hours=1)
        session.add(account)
        session.execute(
            update(LedgerEntry)
            .where(col(LedgerEntry.source_id) == rows(app, LedgerEntry)[0]["source_id"])
            .values(outcome=QUARANTINED, retry_at=clock.now() + timedelta(hours=1))
        )
    assert due_accounts(app) == []
    clock.advance(-YEARS)
    _arrives_late(app)
    assert due_accounts(app) == [1]
    capture(app, 1)
    outcomes = [row["outcome"] for row in rows(app, LedgerEntry)]
    assert outcomes == [CAPTURED] * 10, "the new one came, and the quarantined one was read again"
    assert due_accounts(app) == []


def test_a_lease_of_a_host_whose_clock_is_a_little_ahead_is_a_lease(
    app: Application, clock: FixedClock
) -> None:
    clock.advance(LEASE_FOR / 2)
    _held_by(app, clock, "another-host:1")
    clock.advance(-LEASE_FOR / 2)
    assert capture_account(app, 1).status == "busy"
