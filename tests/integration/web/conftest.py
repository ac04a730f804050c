"""People who may sign in, and the pages they sign in to."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import Session
from tests.integration.summary.organization import WEEK, reopened
from tests.integration.summary.serving import serving
from tests.integration.web import people
from tests.integration.web.tabs import Tab
from tests.tables import make_tables

from autocapture.application import Application
from autocapture.clock import FixedClock
from autocapture.connect.vault import create_key
from autocapture.model.organization import User
from autocapture.store.engine import writing
from autocapture.workflows.summarize import publish

Open = Callable[..., Tab]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two teams, of which North's week is published."""
    home = tmp_path_factory.mktemp("two teams")
    app = people.write(home)
    publish(app, team_id=1, week=WEEK)
    app.engine.dispose()
    return home


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An admin and a rep, and nothing else."""
    home = tmp_path_factory.mktemp("few")
    app = reopened(home)
    create_key(app.settings.key_file)
    make_tables(app.engine)
    with writing(app.engine) as session:
        write_few(session)
    with app.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    app.engine.dispose()
    return home


def write_few(session: Session) -> None:
    session.add(User(id=1, email="admin@ours.example", name="Ada Min", role="admin"))
    session.add(User(id=2, email="rep@ours.example", name="Rita Ep"))


@pytest.fixture
def app(few: Path, tmp_path: Path) -> Application:
    """The few, none of whom can sign in yet. Its clock stands still until a test moves it."""
    shutil.copytree(few, tmp_path / "home")
    return reopened(tmp_path / "home")


@pytest.fixture
def clock(app: Application) -> FixedClock:
    assert isinstance(app.clock, FixedClock)
    return app.clock


@pytest.fixture
def closed(app: Application) -> Application:
    """Admin and rep can sign in."""
    people.let_in(app, 1, 2)
    return app


@pytest.fixture
def address(app: Application) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def tab(address: str) -> Iterator[Tab]:
    with Tab(address) as tab:
        yield tab


@pytest.fixture
def another(address: str) -> Iterator[Tab]:
    """A second browser."""
    with Tab(address) as tab:
        yield tab
