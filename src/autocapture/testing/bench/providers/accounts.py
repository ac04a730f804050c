"""A deployment with people and accounts that have signed in at Google or Microsoft, on a clock of the bench's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from autocapture.application import Application
from autocapture.bootstrap import build
from autocapture.connect.credentials import StoredGrant
from autocapture.connect.registry import Registry
from autocapture.connect.token_endpoint import Tokens
from autocapture.connect.vault import create_key
from autocapture.connector import Connection, Connector, Credential, Tools
from autocapture.model.organization import User
from autocapture.settings import load_settings
from autocapture.store import schema
from autocapture.store.bulk import insert
from autocapture.store.engine import writing
from autocapture.testing.bench.database import fill, user_row
from autocapture.testing.bench.providers.service import SimulatedClock
from autocapture.testing.scratch import MEMORY
from autocapture.workflows.connect_account import Login, connect_account
from autocapture.workflows.grants import Granted

GOOGLE_SCOPES = frozenset(
    f"https://www.googleapis.com/auth/{name}"
    for name in ("gmail.metadata", "calendar.events.readonly", "calendar.calendarlist.readonly")
)
MICROSOFT_SCOPES = frozenset({"Mail.ReadBasic", "Calendars.ReadBasic"})

_LONG = timedelta(days=365)


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A home folder that will be gone, in memory where there is such a place: what is measured is no disk."""
    with TemporaryDirectory(prefix="bench-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        yield Path(name) / "home"


class TimedConnector:
    """A connector each of whose requests lets `takes` pass. `requests` counts them."""

    def __init__(self, inner: Connector[Any], clock: SimulatedClock, takes: timedelta) -> None:
        self.name, self.kinds, self.auth, self.options = inner.name, inner.kinds, inner.auth, inner.options
        self.requests = 0
        self._inner = inner
        self._clock = clock
        self._takes = takes

    @contextmanager
    def open(self, options: Any, credential: Credential, tools: Tools) -> Iterator[Connection]:
        def http() -> requests.Session:
            session = tools.http()
            session.hooks["response"].append(self._answered)
            return session

        with self._inner.open(options, credential, replace(tools, http=http)) as connection:
            yield connection

    def _answered(self, response: requests.Response, **_: Any) -> requests.Response:
        self.requests += 1
        self._clock.advance(self._takes)
        return response


class TimedRegistry(Registry):
    """Each connector as it is installed, its requests timed."""

    def __init__(self, clock: SimulatedClock, takes: timedelta) -> None:
        super().__init__()
        self._clock = clock
        self._takes = takes
        self._timed: dict[str, TimedConnector] = {}

    def get(self, name: str) -> Any:
        if name not in self._timed:
            self._timed[name] = TimedConnector(super().get(name), self._clock, self._takes)
        return self._timed[name]

    @property
    def requests(self) -> int:
        return sum(each.requests for each in self._timed.values())


def timed(app: Application) -> TimedRegistry:
    """The registry of an application that `deploy` made."""
    if not isinstance(app.registry, TimedRegistry):
        raise TypeError("the bench has a registry of its own")
    return app.registry


def deploy(
    home: Path,
    clock: SimulatedClock,
    people: Iterable[str],
    *,
    takes: timedelta = timedelta(0),
    contacts: int = 1_000,
    google: str = "",
    microsoft: str = "",
) -> Application:
    """A home folder as `init` and `import` leave it, its providers at these addresses of this machine; no account yet."""
    home.mkdir(parents=True)
    create_key(home / "keys" / "master.key")
    environ = {"AUTOCAPTURE_HOME": str(home), "AUTOCAPTURE_NETWORK_ALLOW_NETWORKS": "127.0.0.0/8"}
    if google:
        environ |= {
            "AUTOCAPTURE_GOOGLE_GMAIL_URL": google,
            "AUTOCAPTURE_GOOGLE_CALENDAR_URL": f"{google}calendar/v3",
        }
    if microsoft:
        environ["AUTOCAPTURE_MICROSOFT_GRAPH_URL"] = microsoft
    built = build(load_settings(environ))
    app = replace(built, clock=clock, registry=TimedRegistry(clock, takes), start_reader=None)
    schema.upgrade(app.engine)
    with writing(app.engine) as session:
        insert(session, User, [user_row(address) for address in people])
        fill(session, range(contacts))
    return app


def connect(app: Application, provider: str, address: str, token: str, scopes: frozenset[str]) -> int:
    """An account whose owner has granted `scopes`, with an access token that lasts; the account's id."""
    now = app.clock.now()
    stored = StoredGrant(provider, f"subject of {address}", address, scopes, now.isoformat())
    granted = Granted(stored, Tokens(token, now + _LONG, scopes))
    return connect_account(app, Login(address, provider, {}, granted=granted)).account_id
