"""A server of its own for each test, and connections that end with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from tests.connectors.caldav.support import Opener, tools

from autocapture.connector import Connection, Credential, PasswordCredential, Tools
from autocapture.testing.fakes.caldav.server import CaldavServer, caldav_server
from autocapture.testing.fakes.caldav.store import PASSWORD, USER, Store
from autocapture_caldav import CaldavOptions, connector


@pytest.fixture
def server() -> Iterator[CaldavServer]:
    with caldav_server(Store()) as running:
        yield running
        assert not running.wrote, "something was written"


@pytest.fixture
def opened(server: CaldavServer) -> Iterator[Opener]:
    """Opens a connection to the server; at another address of it, with another password or other tools where asked."""
    with ExitStack() as stack:

        def open_(
            at: str = "", *, password: str = PASSWORD, user: str = USER, with_: Tools | None = None
        ) -> Connection:
            url = at if "://" in at else server.url.rstrip("/") + (at or "/")
            credential: Credential = PasswordCredential(user, password)
            opening: Callable[..., AbstractContextManager[Connection]] = connector.open
            return stack.enter_context(opening(CaldavOptions(url=url), credential, with_ or tools()))

        yield open_
