"""How much there is: counted beside the pages, on the provider's budget, and not for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from tests.integration.summary.serving import serving
from tests.integration.web.granting import REP, GoogleWorld, google_world, with_google
from tests.integration.web.people import let_in
from tests.integration.web.tabs import Tab
from tests.integration.web.test_connect import account_of, connect, counted

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connector import Auth, Channel, Count, Credential, Tools
from autocapture.errors import Unreachable
from autocapture.model.accounts import Account
from autocapture.model.budgets import RateBucket
from autocapture.store.engine import reading, writing
from autocapture.testing.fakes.source import NoOptions
from autocapture.workflows.preview import COUNT_WITHIN, stored_preview, take_preview


class Slow:
    """A connector, its connection and its registry: counts a channel when it is let, and says each time that it was asked."""

    name, kinds, auth, options = "slow", frozenset({"email"}), Auth("none"), NoOptions

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked = 0
        self.takes: Any = lambda: None

    def get(self, _name: str) -> Slow:
        return self

    def names(self) -> Sequence[str]:
        return (self.name,)

    @contextmanager
    def open(self, _options: Any, _credential: Credential, _tools: Tools) -> Iterator[Slow]:
        self.asked += 1
        yield self

    def channels(self) -> Sequence[Channel]:
        return [Channel(name, "email", name) for name in ("in", "sent", "old")]

    def count(self, channel: Channel) -> Count:
        self.takes()
        if not self.let.wait(30):
            raise Unreachable("the test is over")
        return Count(channel, 7, {2026: 7})

    def pull(self, *_given: object) -> Any:
        raise NotImplementedError

    def texts(self, *_given: object) -> Any:
        raise NotImplementedError


@pytest.fixture
def slow() -> Iterator[Slow]:
    connector = Slow()
    yield connector
    connector.let.set()


@pytest.fixture
def ready(app: Application, slow: Slow) -> Application:
    """A rep whose one account is at the slow provider and waits for its owner's choice."""
    let_in(app, 1, 2)
    with writing(app.engine) as session:
        account = Account(
            id=1,
            user_id=2,
            connector="slow",
            subject="s",
            options={},
            state="pending",
            created_at=app.clock.now(),
        )
        session.add(account)
    return replace(app, registry=slow)  # type: ignore[arg-type]


@pytest.fixture
def rep(ready: Application) -> Iterator[Tab]:
    with serving(ready) as address, Tab(address) as tab:
        tab.sign_in(REP)
        yield tab


def test_no_page_waits_for_a_count_and_each_says_that_it_goes_on(rep: Tab, slow: Slow) -> None:
    for _ in range(3):
        assert rep.get("/accounts/1").status_code == 200
        assert "Still counting" in rep.words
        assert 'http-equiv="refresh"' in rep.shown.text
        assert 'action="/accounts/1/scope"' not in rep.shown.text  # what is typed in would be lost
    rep.get("/accounts/1?wait=no")
    assert 'http-equiv="refresh"' not in rep.shown.text
    assert rep.send("/accounts/1/count").headers["location"] == "/accounts/1"
    assert slow.asked == 1
    slow.let.set()
    assert "21" in counted(rep, "/accounts/1").words
    assert 'action="/accounts/1/scope"' in rep.shown.text
    assert slow.asked == 1


def test_one_may_begin_without_the_numbers(ready: Application, rep: Tab) -> None:
    rep.get("/accounts/1?wait=no")
    assert rep.send("/accounts/1/scope", level="metadata", since="2026-11-01").is_redirect
    assert account_of(ready).state == "active"


def test_a_count_that_fails_is_told_once_and_can_be_asked_for_again(rep: Tab, slow: Slow) -> None:
    def fail() -> None:
        raise RuntimeError("canary")

    slow.channels = fail  # type: ignore[assignment, method-assign]
    counted(rep, "/accounts/1")
    assert "How much there is cannot be told now: an internal error." in rep.words
    assert "canary" not in rep.words
    del slow.channels  # type: ignore[attr-defined]
    slow.let.set()
    rep.send("/accounts/1/count")
    assert "21" in counted(rep, "/accounts/1").words


def test_counting_ends_although_there_is_more_to_count(
    ready: Application, slow: Slow, clock: FixedClock
) -> None:
    slow.let.set()
    slow.takes = lambda: clock.advance(COUNT_WITHIN / 2 + timedelta(seconds=1))
    take_preview(ready, 1)
    found = stored_preview(account_of(ready))
    assert found is not None
    assert [each.total for each in found.channels] == [7, 7, None]


@pytest.fixture
def google(app: Application) -> Iterator[GoogleWorld]:
    with google_world(app) as world:
        yield world


def spent(app: Application) -> dict[str, int]:
    with reading(app.engine) as session:
        rows = session.exec(select(RateBucket)).all()
        return {row.name: sum(units for _at, units in row.spent) for row in rows}


def test_connecting_and_counting_take_from_the_budgets(
    app: Application, google: GoogleWorld, tmp_path: Path
) -> None:
    let_in(app, 2)
    app = with_google(app, google, tmp_path)
    with serving(app) as address, Tab(address) as tab:
        google.server.redirect_uris = {f"{address}/connect/google/callback"}
        tab.sign_in(REP)
        page = connect(tab, google)
        connected = spent(app)
        assert connected["calendar/project"] > 0
        counted(tab, page)
        assert spent(app)["gmail/project"] > 0
        assert spent(app)["gmail/account/1"] > 0
        again = spent(app)["calendar/account/1"]
        connect(tab, google)
        assert spent(app)["calendar/account/1"] > again


def test_where_not_everything_was_counted_no_time_is_promised_and_what_is_nobodys_has_no_login(
    ready: Application, rep: Tab, slow: Slow, clock: FixedClock
) -> None:
    slow.let.set()
    slow.takes = lambda: clock.advance(COUNT_WITHIN)
    with writing(ready.engine) as session:
        session.get_one(Account, 1).subject = "application:"
    assert "How long importing takes cannot be told" in counted(rep, "/accounts/1").words
    for page in ("/accounts/1", "/accounts"):
        assert "application:" not in rep.get(page).text
