"""The database's revision: to the newest, back, and whether tables and models agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, inspect
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

import autocapture.model  # noqa: F401  registers every table
from autocapture.errors import SetupError
from autocapture.store.engine import reading, writing

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the database to `revision` in one transaction; a database that is there already is left alone.

    Raises SetupError where the database is somebody else's.
    """
    with writing(engine) as session:
        _refuse_strangers(session.connection())
        _run(command.upgrade, session.connection(), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Takes the database back to `revision` in one transaction (``base``: no tables, all data gone)."""
    with writing(engine) as session:
        _run(command.downgrade, session.connection(), revision)


def require_revision(revision: str) -> None:
    """Raises SetupError where this release knows no such revision. A step (``-1``) is none and is not looked for."""
    try:
        if (
            revision != "base"
            and not revision.startswith("-")
            and not ScriptDirectory.from_config(_config()).get_revisions(revision)
        ):
            raise SetupError(f"there is no revision {revision!r}")
    except CommandError as problem:
        raise SetupError(f"there is no revision {revision!r}: {problem}") from problem


def newest() -> str:
    """The newest revision that this release knows."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise SetupError("this installation holds no migrations; install autocapture again")
    return head


def current(engine: Engine) -> str | None:
    """The revision the database is at; None for an empty one."""
    with reading(engine) as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def require_head(engine: Engine) -> None:
    """Raises SetupError, naming the remedy, unless the database is at the newest revision."""
    found = current(engine)
    if found is None:
        with reading(engine) as session:
            _refuse_strangers(session.connection())
        raise SetupError("the database is empty; run `autocapture init`")
    if found != newest():
        raise SetupError(
            f"the database is at revision {found}, this release needs {newest()}; run `autocapture database upgrade`"
        )


def differences(engine: Engine) -> list[str]:
    """In what the database's tables differ from the models: one line each, none when they agree."""
    with reading(engine) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return [_describe(change) for change in compare_metadata(context, SQLModel.metadata)]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_strangers(connection: Connection) -> None:
    """Raises SetupError where tables are there that no revision made."""
    if MigrationContext.configure(connection).get_current_revision() is not None:
        return
    others = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
    if others:
        raise SetupError(
            f"the database holds the tables of another program ({', '.join(others[:3])}); set AUTOCAPTURE_DATABASE_URL "
            "to one of its own"
        )


def _run(step: Any, connection: Connection, revision: str) -> None:
    try:
        step(_config(connection), revision)
    except CommandError as problem:
        raise SetupError(f"the database cannot go to revision {revision}: {problem}") from problem


def _describe(change: Any) -> str:
    if isinstance(change, list):
        return "; ".join(_describe(part) for part in change)
    return " ".join(str(part) for part in change if isinstance(part, str) or hasattr(part, "name"))
