"""A deployment to begin with, and the certificates, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.capture.deployment import deploy
from tests.integration.faults.story import BEGINS
from tests.integration.faults.tls import Tls, make_tls

from autocapture.clock import FixedClock
from autocapture.workflows import pulling


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of people who have connected nothing yet."""
    home = tmp_path_factory.mktemp("faults") / "home"
    app = deploy(home, clock=FixedClock(BEGINS))
    with app.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    app.engine.dispose()
    return home


@pytest.fixture(autouse=True, scope="module")
def small_pages() -> Iterator[None]:
    """More pages, and more to get wrong between two."""
    patch = pytest.MonkeyPatch()
    patch.setattr(pulling, "PAGE_LIMIT", 4)
    yield
    patch.undo()
