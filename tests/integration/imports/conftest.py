"""An empty database with three users, and a folder to write exports into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

import autocapture.model  # noqa: F401  registers every table
from autocapture.clock import FixedClock
from autocapture.model.organization import User
from autocapture.store.engine import open_engine, writing
from autocapture.workflows.import_crm import import_crm
from autocapture.workflows.import_report import ImportReport

Importer = Callable[..., ImportReport]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 16, 9, 0, tzinfo=UTC))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'test.db'}")
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def users(engine: Engine) -> None:
    add_users(engine)


def add_users(engine: Engine) -> None:
    with writing(engine) as session:
        session.add(User(email="anna@ours.example", name="Anna Bakker", time_zone="Europe/Amsterdam"))
        session.add(User(email="bob@ours.example", name="Bob Stone", time_zone="America/New_York"))
        session.add(User(email="mia@ours.example", name="Mia Chen", role="manager"))


@pytest.fixture
def run(engine: Engine, clock: FixedClock, users: None, tmp_path: Path) -> Importer:
    """Writes files into one folder and imports by the mapping `crm.toml` among them."""

    def importing(dry_run: bool = False, **files: str | bytes) -> ImportReport:
        folder = tmp_path / "export"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            path = folder / (name + (".toml" if name == "crm" else ".csv"))
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_crm(engine, clock, mapping=folder / "crm.toml", dry_run=dry_run)

    return importing
