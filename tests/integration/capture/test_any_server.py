"""Faults that every mail server can show, on Dovecot and on one with plain IMAP4rev1: nothing is lost, nothing doubled."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.connectors.imap.mailbox import Mailbox
from tests.integration.capture.deployment import capture, connect_imap, deploy, message, rows
from tests.integration.capture.relay import Relay

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.credentials import seal_credential
from autocapture.connector import PasswordCredential
from autocapture.errors import CredentialRejected
from autocapture.model.accounts import Account, Credential
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.store.engine import writing
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.census import take_census


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    app = deploy(tmp_path / "home", clock=clock)
    yield app
    app.engine.dispose()


@pytest.fixture(params=[pytest.param("dovecot_server", marks=pytest.mark.dovecot), "mail_devel_server"])
def box(request: pytest.FixtureRequest) -> Mailbox:
    """A mailbox that nobody used yet."""
    return Mailbox(request.getfixturevalue(request.param), f"{uuid.uuid4().hex[:12]}@example.org")


@pytest.fixture
def relay(box: Mailbox) -> Iterator[Relay]:
    relay = Relay(box.server.port)
    yield relay
    relay.close()


def _connect(app: Application, box: Mailbox, port: int, password: str | None = None) -> int:
    return connect_imap(app, box.server, box.user, port=port, password=password)


def _account(app: Application) -> dict[str, object]:
    (account,) = rows(app, Account)
    return account


def _activities(app: Application) -> list[str]:
    return sorted(row["dedupe_key"] for row in rows(app, Activity))


def _keys(*numbers: int) -> list[str]:
    return sorted(f"{number}@customer.example" for number in numbers)


def _equal(app: Application) -> bool:
    return all(found.equal for found in take_census(app, 1))


def test_a_wrong_password_asks_for_a_new_sign_in_once_and_a_reconnect_resumes(
    app: Application, clock: FixedClock, box: Mailbox, relay: Relay
) -> None:
    box.append(*(message(n) for n in range(3)))
    _connect(app, box, relay.port)
    capture(app, 1)
    _store_password(app, "no longer right")
    box.append(message(3))
    clock.advance(timedelta(minutes=2))
    report = capture_account(app, 1)
    assert report.status == "needs_reconnect"
    assert report.why == "the IMAP server refuses this user name and password"
    assert (_account(app)["state"], _account(app)["why"]) == ("needs_reconnect", report.why)
    before = relay.connections
    for _ in range(30):
        clock.advance(timedelta(minutes=10))
        assert due_accounts(app) == [], "nobody tries a refused password again"
    assert capture_account(app, 1).status == "needs_reconnect"
    assert relay.connections == before
    with pytest.raises(CredentialRejected):
        _connect(app, box, relay.port, "wrong again")
    assert _account(app)["state"] == "needs_reconnect"
    assert _connect(app, box, relay.port) == 1
    assert _account(app)["state"] == "active"
    assert due_accounts(app) == [1]
    assert capture(app, 1).captured == 1
    assert _activities(app) == _keys(0, 1, 2, 3)
    assert _equal(app)


def _store_password(app: Application, password: str) -> None:
    """As if the password had been changed at the provider."""
    with writing(app.engine) as session:
        stored = session.get_one(Credential, 1)
        credential = PasswordCredential(str(_account(app)["subject"]), password)
        stored.sealed = seal_credential(app.vault, 1, credential)
        session.add(stored)


def test_connections_cut_anywhere_lose_and_double_nothing(
    app: Application, clock: FixedClock, box: Mailbox, relay: Relay
) -> None:
    box.append(*(message(n) for n in range(60)))
    box.create("Deals")
    box.append(*(message(n) for n in range(50, 70)), to="Deals")
    _connect(app, box, relay.port)
    lengths = random.Random(7)
    statuses = set()
    for _ in range(6):
        relay.cut_after = lengths.randrange(1, 12_000)
        statuses.add(capture_account(app, 1).status)
        clock.advance(timedelta(hours=2))
    assert statuses & {"incomplete", "unreachable"}
    assert statuses <= {"ok", "incomplete", "unreachable"}, (
        "a broken line is never taken for a wrong password"
    )
    relay.cut_after = None
    capture(app, 1)
    assert _activities(app) == _keys(*range(70))
    assert _equal(app)


def test_a_slow_server_is_waited_for(app: Application, box: Mailbox, relay: Relay) -> None:
    box.append(*(message(n) for n in range(5)))
    _connect(app, box, relay.port)
    relay.delay = 0.1
    assert capture(app, 1).captured == 5


def test_an_emptied_mailbox_stays_counted_and_is_captured_again_when_refilled(
    app: Application, clock: FixedClock, box: Mailbox
) -> None:
    box.append(*(message(n) for n in range(30)))
    _connect(app, box, box.server.port)
    capture(app, 1)
    before = rows(app, Activity)
    box.expunge(*box.uids())
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert rows(app, Activity) == before
    assert [row for row in rows(app, LedgerEntry) if row["gone_at"] is None] == []
    assert _equal(app)
    box.append(*(message(n) for n in range(40)))
    clock.advance(timedelta(minutes=5))
    capture(app, 1)
    assert _activities(app) == _keys(*range(40))
    assert _equal(app)
