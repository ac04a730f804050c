"""An account whose only calendar is gone, or is said to be, is looked at again: it may come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.capture.deployment import PEOPLE, capture, deploy, rows

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connector import PasswordCredential
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.store.engine import writing
from autocapture.testing.fakes.caldav.server import CaldavServer, caldav_server
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Collection, Store, event_text
from autocapture.workflows.capture import due_accounts
from autocapture.workflows.connect_account import Login, connect_account

INTERVAL = timedelta(minutes=2)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 16, 9, tzinfo=UTC))


@pytest.fixture
def app(tmp_path: Path, clock: FixedClock) -> Iterator[Application]:
    app = deploy(tmp_path / "home", clock=clock)
    yield app
    app.engine.dispose()


@pytest.fixture
def calendar() -> Collection:
    return Store().make("work")


@pytest.fixture
def server(calendar: Collection) -> Iterator[CaldavServer]:
    store = Store()
    store.collections[calendar.path] = calendar
    store.put(calendar, "1.ics", event_text(1))
    with caldav_server(store) as server:
        yield server


def _enabled(app: Application) -> list[bool]:
    return [row["enabled"] for row in rows(app, Channel)]


def test_an_account_whose_only_calendar_was_missed_once_is_captured_again(
    app: Application, clock: FixedClock, server: CaldavServer, calendar: Collection
) -> None:
    """It vanished between the listing and the reading, as when one answer of a server is wrong."""
    login = Login(PEOPLE[0], "caldav", {"url": server.url}, PasswordCredential(USER, PASSWORD))
    account_id = connect_account(app, login).account_id
    capture(app, account_id)
    server.store.put(calendar, "2.ics", event_text(2))
    clock.advance(INTERVAL)
    server.store.on_step(server.store.collections.clear, 2)  # while the second request lists the calendars
    capture(app, account_id)
    assert _enabled(app) == [False]
    assert due_accounts(app) == [], "not at every tick"
    clock.advance(INTERVAL)
    assert due_accounts(app) == [account_id]
    capture(app, account_id)
    assert due_accounts(app) == [], "it is still gone"
    server.store.collections[calendar.path] = calendar
    clock.advance(INTERVAL)
    assert due_accounts(app) == [account_id]
    capture(app, account_id)
    assert _enabled(app) == [True]
    assert [row["gone_at"] for row in rows(app, LedgerEntry)] == [None, None]


def test_an_account_of_which_everything_is_left_out_is_looked_at_now_and_then(
    app: Application, clock: FixedClock, server: CaldavServer, calendar: Collection
) -> None:
    login = Login(PEOPLE[0], "caldav", {"url": server.url}, PasswordCredential(USER, PASSWORD))
    account_id = connect_account(app, login).account_id
    capture(app, account_id)
    with writing(app.engine) as session:
        session.get_one(Account, account_id).left_out = [calendar.path]
        session.get_one(Channel, 1).enabled = False
    clock.advance(INTERVAL)
    for _ in range(2):
        assert due_accounts(app) == [account_id]
        capture(app, account_id)
        assert due_accounts(app) == []
        clock.advance(INTERVAL)
    assert _enabled(app) == [False]
