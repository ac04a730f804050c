"""Teams calls: only of people who are active here and connected, asked before anything is stored, at every pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select, update
from tests.integration.capture.deployment import PEOPLE
from tests.integration.connect.organization import Organization, has_an_account, organization
from tests.integration.web.granting import at

from autocapture.clock import FixedClock
from autocapture.errors import InputError
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity
from autocapture.model.ledger import LedgerEntry
from autocapture.model.organization import User
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.microsoft.worlds import call_record
from autocapture.workflows.capture import capture_account
from autocapture.workflows.census import take_census
from autocapture.workflows.granting import Wanted, connect_delegated

ADMIN, REP, OTHER = PEOPLE
IDS = {REP: "821809f5-0000-0000-0000-3b5136c0e777", OTHER: "f69e2c00-0000-0000-0000-185e5f5f5d8a"}


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Organization]:
    with organization(tmp_path, FixedClock(at("2026-11-16T09:00"))) as made:
        for number, rep in enumerate((REP, OTHER)):
            talk(made, number, rep)
        yield made


def talk(ours: Organization, number: int, rep: str) -> None:
    began = ours.clock.now() - timedelta(hours=1)
    ours.graph.calls[f"call-{number}"] = call_record(number, IDS[rep], began, timedelta(seconds=90))


def connect(ours: Organization, *reps: str) -> int:
    named = [f"{IDS.get(rep, 'aaaa-1111')}={rep}" for rep in reps]
    return connect_delegated(
        ours.app, Wanted(ADMIN, "microsoft-calls", options={"reps": named}), ""
    ).connected.account_id


def set_user(ours: Organization, email: str, *, active: bool) -> None:
    with writing(ours.app.engine) as session:
        session.execute(update(User).where(col(User.email) == email).values(active=active))


def captured(ours: Organization) -> int:
    with reading(ours.app.engine) as session:
        return session.exec(select(func.count()).select_from(Activity)).one()


def asked_about(ours: Organization, rep: str) -> int:
    return sum(IDS[rep] in request.query.get("$filter", "") for request in ours.graph.asked)


def test_a_rep_who_is_nobody_here_disabled_or_not_connected_is_refused_at_connect(ours: Organization) -> None:
    has_an_account(ours.app, REP)
    with pytest.raises(InputError, match=r"stranger@elsewhere\.example is no address of a user here"):
        connect(ours, REP, "stranger@elsewhere.example")
    with pytest.raises(InputError, match=f"{OTHER} has connected no account of their own"):
        connect(ours, REP, OTHER)
    has_an_account(ours.app, OTHER, "disconnected")
    with pytest.raises(InputError, match=f"{OTHER} has connected no account of their own"):
        connect(ours, OTHER)
    set_user(ours, REP, active=False)
    with pytest.raises(InputError, match=f"{REP} is disabled here"):
        connect(ours, REP)
    assert not any("callRecords" in request.target for request in ours.graph.asked)
    with reading(ours.app.engine) as session:
        connectors = set(session.exec(select(Account.connector)))
    assert connectors == {"files"}


def test_an_account_of_calls_makes_nobody_connected(ours: Organization) -> None:
    has_an_account(ours.app, REP)
    connect(ours, REP)
    with pytest.raises(InputError, match=f"{ADMIN} has connected no account of their own"):
        connect(ours, ADMIN)


def test_calls_of_who_left_are_neither_asked_for_nor_stored_and_go_on_when_they_are_back(
    ours: Organization,
) -> None:
    for rep in (REP, OTHER):
        has_an_account(ours.app, rep)
    account = connect(ours, REP, OTHER)
    assert capture_account(ours.app, account).captured == 2
    set_user(ours, OTHER, active=False)
    talk(ours, 7, OTHER)
    talk(ours, 8, REP)
    asked = asked_about(ours, OTHER)
    ours.clock.advance(timedelta(minutes=5))
    assert capture_account(ours.app, account).captured == 1
    assert asked_about(ours, OTHER) == asked
    assert captured(ours) == 3, "what was captured stays"
    with reading(ours.app.engine) as session:
        off = session.exec(select(Channel).where(Channel.name == OTHER)).one()
        assert (off.enabled, off.last_error) == (False, f"{OTHER} is disabled here")
        held = session.exec(select(func.count()).where(LedgerEntry.source_id == "call-7")).one()
    assert held == 0
    assert [one.channel for one in take_census(ours.app, account)] == [REP]
    assert asked_about(ours, OTHER) == asked
    set_user(ours, OTHER, active=True)
    capture_account(ours.app, account)
    assert captured(ours) == 4


def test_with_nobody_connected_any_more_nothing_is_asked_for(ours: Organization) -> None:
    has_an_account(ours.app, REP)
    account = connect(ours, REP)
    assert capture_account(ours.app, account).captured == 1
    with writing(ours.app.engine) as session:
        session.execute(update(Account).where(col(Account.connector) == "files").values(state="disconnected"))
    talk(ours, 7, REP)
    requests = ours.graph.requests
    assert capture_account(ours.app, account).captured == 0
    assert (ours.graph.requests, captured(ours)) == (requests, 1)
