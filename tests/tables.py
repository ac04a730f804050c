"""Databases at the newest revision, as copies of one that was migrated once: migrating takes longer than many a test."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from autocapture.store import schema
from autocapture.store.engine import open_engine

PATTERN = "newest_tables"


def make_tables(engine: Engine) -> None:
    """What `schema.upgrade` makes of an empty database that nobody is connected to."""
    name = str(engine.url.database)
    if engine.dialect.name == "sqlite":
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_sqlite(), name)
    else:
        server = engine.url.set(database="postgres")
        _migrated_once(server)
        _ask(server, f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {PATTERN}")


@cache
def _sqlite() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder / PATTERN}")
    return folder / PATTERN


@cache
def _migrated_once(server: URL) -> None:
    _ask(server, f"CREATE DATABASE {PATTERN}")
    _migrate(server.set(database=PATTERN).render_as_string(hide_password=False))


def _migrate(url: str) -> None:
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()


def _ask(server: URL, *statements: str) -> None:
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.dispose()
