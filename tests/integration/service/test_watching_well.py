"""Watchers keep out of the way of captures, and outlive whatever a connector does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import update
from tests.integration.capture.deployment import PEOPLE, deploy

from autocapture.application import Application
from autocapture.connect.registry import Registry
from autocapture.connector import Auth, Channel, Credential, Page, Tools
from autocapture.model.accounts import Account
from autocapture.service.watchers import Watchers
from autocapture.store.engine import writing
from autocapture.testing.fakes.source import NoOptions
from autocapture.workflows.capture import capture_account
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.people_access import set_active


class Waiting:
    """A connector that waits for news, as it is told."""

    name = "waiting"
    kinds = frozenset({"email"})
    auth = Auth("none")
    options = NoOptions

    def __init__(self) -> None:
        self.waits: Callable[[], bool] = lambda: False
        self.opened = 0

    @contextmanager
    def open(self, options: NoOptions, credential: Credential, tools: Tools) -> Iterator[Waiting]:
        self.opened += 1
        yield self

    def channels(self) -> list[Channel]:
        return [Channel("INBOX", "email", "INBOX")]

    def pull(self, channel: Channel, cursor: str | None, *, limit: int) -> Page:
        return Page([], "0", complete=cursor is None)

    def get(self, channel: Channel, ids: Any) -> list[Any]:
        return []

    def wait(self, channel: Channel, timeout: timedelta) -> bool:
        return self.waits()


class OneOf(Registry):
    def __init__(self, connector: Any) -> None:
        self.connector = connector

    def get(self, name: str) -> Any:
        return self.connector


@pytest.fixture
def connector() -> Waiting:
    return Waiting()


@pytest.fixture
def app(tmp_path: Path, connector: Waiting) -> Iterator[Application]:
    app = deploy(tmp_path / "home")
    object.__setattr__(app, "registry", OneOf(connector))
    connect_account(app, Login(PEOPLE[0], "waiting", {}))
    capture_account(app, 1)
    connector.opened = 0
    yield app
    app.engine.dispose()


def _until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_an_account_that_is_being_captured_is_left_alone(app: Application, connector: Waiting) -> None:
    with writing(app.engine) as session:
        until = app.clock.now() + timedelta(minutes=4)
        session.execute(update(Account).values(lease_owner="another host:1", lease_until=until))
    watchers = Watchers(app)
    watchers.keep()
    time.sleep(0.2)
    assert connector.opened == 0
    watchers.stop()


def test_connections_that_wait_are_counted(app: Application, connector: Waiting) -> None:
    over = threading.Event()

    def wait() -> bool:
        over.wait(20)
        return False

    connector.waits = wait
    watchers = Watchers(app)
    assert watchers.open_connections == 0
    watchers.keep()
    _until(lambda: watchers.open_connections == 1)
    watchers.keep()
    assert connector.opened == 1
    watchers.stop()
    over.set()
    _until(lambda: watchers.open_connections == 0)


def test_whatever_a_connector_raises_the_account_is_watched_again(
    app: Application, connector: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autocapture.service.watchers._FIRST_REST", timedelta(milliseconds=10))
    raised: list[str] = []

    def fail() -> bool:
        raised.append("again")
        raise ZeroDivisionError("a defect")

    connector.waits = fail
    watchers = Watchers(app)

    def tried_thrice() -> bool:
        watchers.keep()
        return len(raised) >= 3

    _until(tried_thrice)
    watchers.stop()
    _until(lambda: watchers.open_connections == 0)


def test_the_inbox_of_who_is_disabled_is_watched_no_more(app: Application, connector: Waiting) -> None:
    disabled = threading.Event()
    connector.waits = lambda: disabled.wait(10) and False
    watchers = Watchers(app)
    watchers.keep()
    _until(lambda: watchers.open_connections == 1)
    set_active(app, 1, False)
    disabled.set()
    _until(lambda: watchers.open_connections == 0)
    watchers.keep()
    assert connector.opened == 1
    watchers.stop()
