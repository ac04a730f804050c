"""A deployment of its own for every test, on both databases where a test asks for it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.integration.capture.conftest import app  # noqa: F401
from tests.integration.capture.conftest import either_app as either_deployed  # noqa: F401
from tests.peers.postgres import postgres_server, postgres_url  # noqa: F401

from autocapture.application import Application
from autocapture.store.engine import writing


@pytest.fixture
def either_app(either_deployed: Application) -> Application:  # noqa: F811
    """The deployment's customer has number 1; PostgreSQL is told that it is taken."""
    if either_deployed.engine.dialect.name == "postgresql":
        with writing(either_deployed.engine) as session:
            for table in ("company", "contact"):
                session.execute(text(f"SELECT setval('{table}_id_seq', 1)"))
    return either_deployed
