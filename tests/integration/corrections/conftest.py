"""A deployment in which matching alone cannot tell what the mail is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy
from tests.integration.corrections.matter import furnish
from tests.integration.service.conftest import home, run  # noqa: F401
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    app = deploy(tmp_path / "home")
    furnish(app)
    yield app
    app.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Application]:
    """The same on each of the two databases."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    app = deploy(tmp_path / "home", url=url)
    furnish(app)
    yield app
    app.engine.dispose()
