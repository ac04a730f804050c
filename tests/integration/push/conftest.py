"""A deployment that providers' notices reach: the pages behind a real server, Graph and Google as fakes, one account at each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import select
from tests.integration.capture.deployment import PEOPLE, application, capture, deploy
from tests.integration.summary.serving import serving
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.clock import FixedClock
from autocapture.connect.credentials import StoredGrant
from autocapture.connect.token_endpoint import Tokens
from autocapture.model.accounts import Channel
from autocapture.model.watching import Subscription
from autocapture.sections import PushSettings
from autocapture.store.engine import reading
from autocapture.testing.fakes.authorization_server import AuthorizationServer, authorization_server
from autocapture.testing.fakes.google import FakeGoogle, User
from autocapture.testing.fakes.microsoft import FakeGraph, FakeMailbox
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.grants import Granted
from autocapture_microsoft import connector

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
PUBLIC = "https://capture.ours.example"
SENDER = "pubsub-push@our-project.iam.gserviceaccount.com"
TOPIC = "projects/our-project/topics/gmail"
AUTH = "https://www.googleapis.com/auth/"
GOOGLE_SCOPES = frozenset(
    {f"{AUTH}gmail.metadata", f"{AUTH}calendar.events.readonly", f"{AUTH}calendar.calendarlist.readonly"}
)
GRAPH_SCOPES = frozenset(connector.auth.scopes["full"])
"""What is asked for at that level: with less, Graph sends no notices of calendars."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def issuer(clock: FixedClock) -> Iterator[AuthorizationServer]:
    with authorization_server(clock) as server:
        yield server


@pytest.fixture
def graph(clock: FixedClock) -> Iterator[FakeGraph]:
    with FakeGraph(clock) as graph:
        yield graph


@pytest.fixture
def google(clock: FixedClock) -> Iterator[FakeGoogle]:
    with FakeGoogle(clock) as google:
        yield google


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("push") / "home"
    app = deploy(home, clock=FixedClock(START))
    with app.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    app.engine.dispose()
    return home


@pytest.fixture(params=["sqlite"])
def app(
    request: pytest.FixtureRequest,
    template: Path,
    tmp_path: Path,
    clock: FixedClock,
    graph: FakeGraph,
    google: FakeGoogle,
    issuer: AuthorizationServer,
) -> Iterator[Application]:
    if request.param == "postgresql":
        deployed = deploy(tmp_path / "home", url=request.getfixturevalue("postgres_url"), clock=clock)
    else:
        shutil.copytree(template, tmp_path / "home")
        deployed = application(tmp_path / "home", clock=clock)
    deployed.engine.dispose()
    settings = deployed.settings
    changed = build(
        settings.model_copy(
            update={
                "web": settings.web.model_copy(update={"public_url": PUBLIC}),
                "push": PushSettings(gmail_topic=TOPIC, gmail_sender=SENDER),
                "microsoft": settings.microsoft.model_copy(update={"graph_url": graph.url}),
                "google": settings.google.model_copy(
                    update={
                        "gmail_url": google.url,
                        "calendar_url": f"{google.url}calendar/v3",
                        "issuer": issuer.url,
                        "keys_url": f"{issuer.url}/keys",
                    }
                ),
            }
        ),
        clock,
    )
    yield changed
    changed.engine.dispose()


both_databases = pytest.mark.parametrize(
    "app", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def web(app: Application, graph: FakeGraph) -> Iterator[httpx.Client]:
    """The addresses for notices; what is sent to the public ones arrives there."""
    with serving(app) as address, httpx.Client(base_url=address, timeout=10) as client:
        graph.subscriptions.reach = lambda url: url.replace(PUBLIC, address)
        yield client


@dataclass
class Outlook:
    account_id: int
    mailbox: FakeMailbox


@pytest.fixture
def outlook(app: Application, graph: FakeGraph) -> Outlook:
    """An account at Microsoft 365, captured once."""
    address = PEOPLE[0]
    mailbox = graph.add_mailbox(address)
    token = graph.sign_in(address, set(GRAPH_SCOPES))
    account_id = _connected(app, "microsoft", address, GRAPH_SCOPES, token)
    return Outlook(account_id, mailbox)


@dataclass
class Gmail:
    account_id: int
    user: User


@pytest.fixture
def gmail(app: Application, google: FakeGoogle) -> Gmail:
    """An account at Google, captured once."""
    address = PEOPLE[1]
    user = google.add_user(address)
    token = google.grant(address, GOOGLE_SCOPES).access_token(False)
    return Gmail(_connected(app, "google", address, GOOGLE_SCOPES, token), user)


def _connected(app: Application, connector: str, address: str, scopes: frozenset[str], token: str) -> int:
    stored = StoredGrant(connector, f"id-of-{address}", address, scopes, "today", refresh_token="none")
    tokens = Tokens(token, START + timedelta(days=365), scopes)
    login = Login(address, connector, {}, granted=Granted(stored, tokens))
    account_id = connect_account(app, login).account_id
    capture(app, account_id)
    return account_id


def subscriptions(app: Application) -> dict[str, Subscription]:
    """The rows, by the channel's name."""
    with reading(app.engine) as session:
        found = session.exec(select(Channel.name, Subscription).where(Channel.id == Subscription.channel_id))
        rows = dict(found.all())
        session.expunge_all()
        return rows


def channel(app: Application, name: str) -> Channel:
    with reading(app.engine) as session:
        found = session.exec(select(Channel).where(Channel.name == name)).one()
        session.expunge(found)
        return found
