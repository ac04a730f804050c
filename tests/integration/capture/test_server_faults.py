"""Mail servers that refuse, vanish, crawl or change under us: captured again when they return, nothing lost or doubled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import (
    capture,
    connect_imap,
    deploy,
    message,
    rows,
)
from tests.peers.dovecot import Dovecot, dovecot, missing

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.model.accounts import Account
from autocapture.model.activities import Activity
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.census import take_census

pytestmark = pytest.mark.dovecot

TICK = timedelta(minutes=1)
HOUR = timedelta(hours=1) // TICK  # ticks


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    app = deploy(tmp_path / "home", clock=clock)
    yield app
    app.engine.dispose()


@pytest.fixture
def server() -> Iterator[Dovecot]:
    """A Dovecot of this test's own, which it may stop."""
    if reason := missing():
        pytest.skip(reason)
    with dovecot() as own:
        yield own


def _activities(app: Application) -> list[str]:
    return sorted(row["dedupe_key"] for row in rows(app, Activity))


def _account(app: Application) -> dict[str, object]:
    (account,) = rows(app, Account)
    return account


def _equal(app: Application) -> bool:
    return all(found.equal for found in take_census(app, 1))


def _keys(*numbers: int) -> list[str]:
    return sorted(f"{number}@customer.example" for number in numbers)


def _ticks(app: Application, clock: FixedClock, count: int) -> int:
    """What the service does at each of its ticks; the number of captures it began."""
    begun = 0
    for _ in range(count):
        clock.advance(TICK)
        for account_id in due_accounts(app):
            capture_account(app, account_id)
            begun += 1
    return begun


def test_a_server_that_is_gone_is_asked_ever_less_often_and_captured_when_it_returns(
    app: Application, clock: FixedClock, server: Dovecot
) -> None:
    server.append_many("INBOX", [message(n) for n in range(3)])
    connect_imap(app, server, server.user)
    capture(app, 1)
    server.append("INBOX", message(3))
    server.stop()
    clock.advance(timedelta(minutes=2))
    report = capture_account(app, 1)
    assert report.status == "unreachable"
    assert "\n" not in str(report.why)
    assert _account(app)["state"] == "active"
    assert 3 <= _ticks(app, clock, HOUR) <= 8, "30 seconds, then twice as long each time"
    assert _ticks(app, clock, 6 * HOUR) <= 8, "at most once an hour"
    server.start()
    assert _ticks(app, clock, HOUR + HOUR // 5) >= 1
    assert _activities(app) == _keys(0, 1, 2, 3)
    assert (_account(app)["fails"], _account(app)["why"]) == (0, None)
    assert _equal(app)


def test_a_session_that_is_ended_by_the_server_costs_one_run(
    app: Application, clock: FixedClock, server: Dovecot
) -> None:
    server.append_many("INBOX", [message(n) for n in range(400)])
    connect_imap(app, server, server.user)
    kicked = threading.Thread(target=_kick_soon, args=(server,))
    kicked.start()
    first = capture_account(app, 1)
    kicked.join()
    assert first.status in ("ok", "incomplete", "unreachable")
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert _activities(app) == _keys(*range(400))
    assert _equal(app)


def _kick_soon(server: Dovecot) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        try:
            server.kick()
        except RuntimeError:
            continue
        return


@dataclass(frozen=True)
class Mailbox:
    server: Dovecot
    login: str

    def fill(self, folder: str, *numbers: int) -> None:
        self.server.append_many(folder, [message(n) for n in numbers], user=self.login)


@pytest.fixture
def mailbox(app: Application, dovecot_server: Dovecot) -> Mailbox:
    """Thirty mails in a folder, captured."""
    mailbox = Mailbox(dovecot_server, dovecot_server.new_user())
    dovecot_server.create_folder("Deals", user=mailbox.login)
    mailbox.fill("Deals", *range(30))
    mailbox.fill("INBOX", 100)
    connect_imap(app, dovecot_server, mailbox.login)
    capture(app, 1)
    return mailbox


def _new_uid_validity(mailbox: Mailbox) -> None:
    mailbox.server.new_uid_validity("Deals", 1_900_000_000, user=mailbox.login)


def _deleted_and_made_again(mailbox: Mailbox) -> None:
    mailbox.server.delete_folder("Deals", user=mailbox.login)
    mailbox.server.create_folder("Deals", user=mailbox.login)
    mailbox.fill("Deals", *range(30))


def _renamed(mailbox: Mailbox) -> None:
    mailbox.server.rename_folder("Deals", "Won", user=mailbox.login)


def _moved_to_the_inbox(mailbox: Mailbox) -> None:
    uids = mailbox.server.uids("Deals", user=mailbox.login)
    mailbox.server.move(uids[::2], "Deals", "INBOX", user=mailbox.login)


@pytest.mark.parametrize(
    "change", [_new_uid_validity, _deleted_and_made_again, _renamed, _moved_to_the_inbox]
)
def test_the_same_mails_under_new_names_are_the_same_activities(
    app: Application, clock: FixedClock, mailbox: Mailbox, change: Callable[[Mailbox], None]
) -> None:
    before = rows(app, Activity)
    change(mailbox)
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert rows(app, Activity) == before
    assert _equal(app)
    mailbox.fill("INBOX", 101)
    clock.advance(timedelta(minutes=5))
    assert capture(app, 1).captured == 1


def test_a_deleted_folder_stays_counted_and_is_captured_again_when_it_returns(
    app: Application, clock: FixedClock, mailbox: Mailbox
) -> None:
    before = rows(app, Activity)
    mailbox.server.delete_folder("Deals", user=mailbox.login)
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert rows(app, Activity) == before
    assert _equal(app)
    mailbox.server.create_folder("Deals", user=mailbox.login)
    mailbox.fill("Deals", *range(25, 35))
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert _activities(app) == _keys(*range(35), 100)
    assert _equal(app)


def test_mail_that_arrives_and_leaves_while_it_is_captured_is_neither_lost_nor_doubled(
    app: Application, clock: FixedClock, mailbox: Mailbox
) -> None:
    stop = threading.Event()
    arrived = iter(range(200, 10_000))
    added: list[int] = []

    def keep_changing() -> None:
        while not stop.is_set():
            added.append(next(arrived))
            mailbox.fill("INBOX", added[-1])
            mailbox.server.move(
                mailbox.server.uids("INBOX", user=mailbox.login)[:1], "INBOX", "Deals", user=mailbox.login
            )

    changing = threading.Thread(target=keep_changing)
    changing.start()
    for _ in range(10):
        clock.advance(timedelta(minutes=5))
        capture(app, 1)
    stop.set()
    changing.join()
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert _activities(app) == _keys(*range(30), 100, *added)
    assert _equal(app)
