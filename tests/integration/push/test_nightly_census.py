"""Every night each account is counted at its source: what is missing is queued, read, and gone from the next count."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update
from tests.integration.capture.deployment import PEOPLE
from tests.integration.push.conftest import START, Gmail, both_databases
from tests.integration.push.test_freshness import _receive

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.errors import RateLimited
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.model.watching import Census
from autocapture.store.engine import reading, writing
from autocapture.workflows.account_health import health_of
from autocapture.workflows.capture import capture_account, due_accounts
from autocapture.workflows.nightly_census import Censuses, next_night
from autocapture.workflows.people_access import set_active, user_id_of


def _row(app: Application) -> Census:
    with reading(app.engine) as session:
        row = session.exec(select(Census)).one()
        session.expunge(row)
        return row


def _lose(app: Application, count: int) -> None:
    with writing(app.engine) as session:
        lost = session.exec(select(LedgerEntry).order_by(col(LedgerEntry.source_id)).limit(count)).all()
        for entry in lost:
            session.delete(entry)


def _night(app: Application, clock: FixedClock, gmail: Gmail) -> None:
    """Until the census of the coming night is done, with the captures that come by."""
    censuses = Censuses(app)
    censuses.due()
    before = _row(app).counted_at
    clock.advance(_row(app).due_at - clock.now() + timedelta(seconds=1))
    for _ in range(20):
        for account_id in censuses.due():
            censuses.go_on(account_id)
        if _row(app).counted_at != before:
            return
        clock.advance(timedelta(seconds=30))
        if due_accounts(app):
            capture_account(app, gmail.account_id)
    raise AssertionError("the census never ended")


@pytest.fixture
def full(app: Application, gmail: Gmail) -> Gmail:
    for number in range(120):
        _receive(gmail, number, START - timedelta(minutes=number))
    with writing(app.engine) as session:
        session.execute(update(Channel).values(cursor=None))
    capture_account(app, gmail.account_id)
    return gmail


@both_databases
@pytest.mark.parametrize("lost", [0, 6, 105])
def test_what_was_lost_is_counted_queued_and_read(
    app: Application, full: Gmail, clock: FixedClock, lost: int
) -> None:
    _lose(app, lost)
    _night(app, clock, full)
    row = _row(app)
    assert (row.listed, row.missing, row.ghosts) == (120, lost, 0)
    with reading(app.engine) as session:
        counted = health_of(session, [full.account_id], clock.now())[full.account_id].counted
    assert counted is not None
    assert counted.words == {0: "100 %", 6: "95 %", 105: "12.5 %"}[lost]
    clock.advance(timedelta(minutes=5))
    if lost:
        assert due_accounts(app) == [full.account_id]
    report = capture_account(app, full.account_id)
    assert report.captured == lost
    _night(app, clock, full)
    assert (_row(app).listed, _row(app).missing) == (120, 0)


def test_what_came_a_moment_ago_is_not_missing(app: Application, full: Gmail, clock: FixedClock) -> None:
    censuses = Censuses(app)
    censuses.due()
    clock.advance(_row(app).due_at - clock.now() + timedelta(seconds=1))
    _receive(full, 900, clock.now())
    (account_id,) = censuses.due()
    assert not censuses.go_on(account_id), "a capture must go by before it counts"
    assert due_accounts(app) == [account_id]
    clock.advance(timedelta(seconds=5))
    assert capture_account(app, account_id).captured == 1
    assert censuses.go_on(account_id)
    assert (_row(app).listed, _row(app).missing) == (121, 0)


def test_each_account_is_counted_in_the_night_at_a_time_of_its_own(app: Application) -> None:
    times = [next_night(app, account_id, START) for account_id in range(1, 60)]
    assert all(at.date() == START.date() + timedelta(days=1) and at.hour < 6 for at in times)
    assert len(set(times)) > 55


def test_a_busy_account_is_counted_later(app: Application, full: Gmail, clock: FixedClock) -> None:
    censuses = Censuses(app)
    censuses.due()
    clock.advance(_row(app).due_at - clock.now() + timedelta(seconds=1))
    with writing(app.engine) as session:
        lease = {"lease_owner": "another host:1", "lease_until": clock.now() + timedelta(minutes=4)}
        session.execute(update(Account).values(**lease))
    assert not censuses.go_on(full.account_id)
    assert _row(app).counted_at is None
    assert Censuses(app).due() == [], "one is under way"
    clock.advance(timedelta(minutes=20))
    assert censuses.due() == [full.account_id]
    assert censuses.go_on(full.account_id)


def test_a_provider_that_asks_for_less_is_left_alone_and_the_count_goes_on(
    app: Application, full: Gmail, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autocapture_google.connection import GoogleConnection

    censuses = Censuses(app)
    censuses.due()
    clock.advance(_row(app).due_at - clock.now() + timedelta(seconds=1))

    def limited(*_: object, **__: object) -> None:
        raise RateLimited("less, please", timedelta(minutes=3))

    monkeypatch.setattr(GoogleConnection, "pull", limited)
    assert not censuses.go_on(full.account_id)
    monkeypatch.undo()
    assert censuses.due() == []
    clock.advance(timedelta(minutes=4))
    assert censuses.due() == [full.account_id]
    assert censuses.go_on(full.account_id)


def test_an_account_that_cannot_be_counted_is_tried_again_in_an_hour(
    app: Application, full: Gmail, clock: FixedClock, tmp_path: Path
) -> None:
    censuses = Censuses(app)
    censuses.due()
    clock.advance(_row(app).due_at - clock.now() + timedelta(seconds=1))
    with writing(app.engine) as session:
        session.execute(update(Account).values(connector="gone"))
    assert not censuses.go_on(full.account_id)
    assert _row(app).last_error
    assert censuses.due() == []
    clock.advance(timedelta(minutes=61))
    assert censuses.due() == [full.account_id]


def test_the_accounts_of_who_is_disabled_are_not_counted(
    app: Application, gmail: Gmail, clock: FixedClock
) -> None:
    censuses = Censuses(app)
    censuses.due()
    clock.advance(timedelta(days=1, minutes=1))
    assert censuses.due() == [gmail.account_id]
    set_active(app, user_id_of(app, PEOPLE[1]), False)
    assert censuses.due() == []
    set_active(app, user_id_of(app, PEOPLE[1]), True)
    assert censuses.due() == [gmail.account_id]
