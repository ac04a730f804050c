"""A deployment of its own for every test, on SQLite, and where a test asks for it on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy
from tests.peers.fixtures import dovecot_server, mail_devel_server  # noqa: F401
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    app = deploy(tmp_path / "home")
    yield app
    app.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    """The same on each of the two databases."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    app = deploy(tmp_path / "home", url=url)
    yield app
    app.engine.dispose()
