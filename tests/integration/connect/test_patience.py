"""Whoever connects is told within a minute, however slow the server is in all that it is asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from tests.integration.capture.deployment import PEOPLE, deploy

from autocapture.application import Application
from autocapture.clock import FixedClock, SystemClock
from autocapture.connector import PasswordCredential
from autocapture.errors import CredentialRejected, Unreachable
from autocapture.model.accounts import Account
from autocapture.store.engine import reading
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.patience import Patience


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    deployed = deploy(tmp_path / "home")
    yield deployed
    deployed.engine.dispose()


def test_connecting_to_a_server_that_takes_its_time_is_given_up_and_nothing_is_stored(
    app: Application,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as slow:  # takes the connection, and never says a word
        options = {"host": "127.0.0.1", "port": slow.getsockname()[1], "security": "none"}
        login = Login(PEOPLE[0], "imap", options, PasswordCredential("ruth", "secret"))
        with pytest.raises(Unreachable, match=r"longer than 0\.2 seconds in all, and was given up"):
            connect_account(app, login, Patience(SystemClock(), timedelta(seconds=0.2)))
    with reading(app.engine) as session:
        assert session.exec(select(Account)).all() == []


def test_one_patience_is_for_all_that_is_asked_and_what_is_wrong_is_told_as_it_is() -> None:
    clock = FixedClock(SystemClock().now())
    patience = Patience(clock, timedelta(seconds=30))
    assert patience.wait_for(lambda: "an answer") == "an answer"

    def refuse() -> None:
        raise CredentialRejected("no")

    with pytest.raises(CredentialRejected):
        patience.wait_for(refuse)
    clock.advance(timedelta(seconds=31))
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unreachable):
        patience.wait_for(silent.accept)
