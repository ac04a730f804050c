"""An account's page proves that it is whole and fresh, or says what is wrong with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session
from tests.integration.summary.organization import MONDAY
from tests.integration.web.tabs import Tab

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.organization import User
from autocapture.model.watching import Census, Freshness, Stall
from autocapture.store.engine import writing
from autocapture.workflows.freshness import bucket_of


@pytest.mark.parametrize("path", ["/accounts", "/accounts/7"])
def test_a_rep_sees_how_whole_and_how_fresh_their_account_is(
    closed: Application, tab: Tab, path: str
) -> None:
    with writing(closed.engine) as session:
        _connected(session)
        session.add(Census(account_id=7, due_at=MONDAY, counted_at=MONDAY, listed=20_000, missing=1))
        counts = {
            str(bucket_of(timedelta(seconds=delay))): number
            for delay, number in ((30, 90), (100, 8), (400, 2))
        }
        session.add(Freshness(account_id=7, day=MONDAY.date(), counts=counts))
        session.get_one(User, 2).time_zone = "America/New_York"
        session.add(Stall(account_id=7, sign="newest", checked_at=MONDAY, since=MONDAY, why="INBOX: newer"))
    tab.sign_in("rep@ours.example")
    tab.get(path)
    assert "99.99 % of 20,000 items at the source are here" in tab.words
    assert "visible within 32 s (half), 108 s (95 %), 7 min (99 %)" in tab.words
    assert "stands still since Nov 16, 2026, 2:00:00\u202fAM EST: INBOX: newer" in tab.words


@pytest.mark.parametrize("path", ["/accounts", "/accounts/7"])
def test_nothing_is_claimed_before_it_was_counted(closed: Application, tab: Tab, path: str) -> None:
    with writing(closed.engine) as session:
        _connected(session)
    tab.sign_in("rep@ours.example")
    tab.get(path)
    assert "%" not in tab.words
    assert "visible within" not in tab.words


def _connected(session: Session) -> None:
    session.add(
        Account(id=7, user_id=2, connector="imap", subject="rep@ours.example", options={}, created_at=MONDAY)
    )
    session.flush()
    session.add(Channel(id=70, account_id=7, source_id="INBOX", kind="email", name="INBOX", backfilled=True))
