"""A form that is sent several times at once connects one account."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.integration.capture.deployment import PEOPLE, deploy
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.model.accounts import Account
from autocapture.store.engine import reading
from autocapture.workflows.connect_account import Login, connect_account

SENT = 6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    deployed = deploy(tmp_path / "home", url=url)
    yield deployed
    deployed.engine.dispose()


def test_an_account_connected_several_times_at_once_is_one(app: Application, tmp_path: Path) -> None:
    maildir = tmp_path / "mail"
    for folder in ("cur", "new", "tmp"):
        (maildir / folder).mkdir(parents=True)
    login = Login(PEOPLE[0], "files", {"maildir": str(maildir)})
    with ThreadPoolExecutor(SENT) as senders:
        connected = list(senders.map(lambda _: connect_account(app, login), range(SENT)))
    with reading(app.engine) as session:
        stored = session.scalars(select(Account.id)).all()
    assert {one.account_id for one in connected} == set(stored)
    assert sum(one.is_new for one in connected) == len(stored) == 1
