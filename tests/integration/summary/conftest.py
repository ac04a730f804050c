"""One team's quarter, written and told once, and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.summary.beginning import begin
from tests.integration.summary.organization import WEEK, application, reopened

from autocapture.application import Application
from autocapture.workflows.summarize import publish


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("organization")
    application(home).engine.dispose()
    return home


@pytest.fixture(scope="session")
def told(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the week and the one before it published."""
    home = tmp_path_factory.mktemp("told") / "home"
    shutil.copytree(written, home)
    app = reopened(home)
    for week in ("2026-W45", WEEK):
        publish(app, team_id=1, week=week)
    app.engine.dispose()
    return home


@pytest.fixture
def copy(told: Path, tmp_path: Path) -> Callable[..., Application]:
    """Makes an application over a fresh copy of the told database; keywords as `reopened` takes them."""

    def made(source: Path = told, **keywords: int) -> Application:
        home = tmp_path / "home"
        shutil.copytree(source, home, dirs_exist_ok=True)
        return reopened(home, **keywords)

    return made


@pytest.fixture
def app(copy: Callable[..., Application]) -> Application:
    return copy()


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("begun")
    begin(home)
    return home


@pytest.fixture
def people(begun: Path, tmp_path: Path) -> Application:
    """A team with its manager and one rep, before anything is connected or imported."""
    shutil.copytree(begun, tmp_path / "home")
    return reopened(tmp_path / "home")
