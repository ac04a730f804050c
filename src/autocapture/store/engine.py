"""The engine and its transactions, on SQLite and PostgreSQL alike.

A writing transaction on SQLite begins IMMEDIATE, so two writers queue instead of failing half-way. A database that is locked,
full, read-only or away raises `StoreBusy`: nothing of the transaction was kept, and the same work may be tried again. A file that
is no database, or a damaged one, is a `SetupError`, and so is what PostgreSQL does not permit.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlmodel import Session

from autocapture.errors import SetupError, StoreBusy

BUSY_TIMEOUT_MS = 5_000
PAGE_BYTES = 8_192  # of a new database; keys are spread evenly, and in larger pages fewer are split: writing takes a tenth less
CACHE_KIB = 65_536  # of pages a connection keeps: keys are spread evenly, so a page of items touches the whole of an index

_WRITES = "autocapture_writes"
_TURN = 0x6175746F  # any constant: the name of the advisory lock

_NO_TRANSACTION = "25"  # the class of SQLSTATE that says: read-only now, or timed out
_NOT_ALLOWED = "42501"


def open_engine(url: str) -> Engine:
    """An engine for `url` (``sqlite:///path`` or ``postgresql+psycopg://…``). Connects lazily. What it raises tells nothing of
    the values it was given: they are what mail says."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        raise SetupError(
            "AUTOCAPTURE_DATABASE_URL is no database URL; an example: sqlite:////srv/autocapture.db"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        engine = create_engine(parsed, hide_parameters=True, connect_args={"check_same_thread": False})
        event.listen(engine, "do_connect", lambda *_: _make_private(database_file(engine)))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        try:
            return create_engine(
                parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True
            )
        except ModuleNotFoundError as missing:
            raise SetupError("PostgreSQL needs its driver: install autocapture[postgres]") from missing
    raise SetupError(f"AUTOCAPTURE_DATABASE_URL names {backend!r}; only sqlite and postgresql are supported")


def database_file(engine: Engine) -> Path | None:
    """The file of an SQLite database; None for one in memory, one named by a URI of SQLite's own, and for PostgreSQL."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def make_database_folder(engine: Engine) -> None:
    """Makes the folder of an SQLite database, for its owner alone. Nothing else makes it: a wrong path leaves no trace."""
    file = database_file(engine)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as problem:
        raise SetupError(f"the folder {file.parent} cannot be made: {problem.strerror}") from problem


def _make_private(file: Path | None) -> None:
    """A new database is made readable by its owner alone, before SQLite, which would let others read it, makes it."""
    if file is None:
        return
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError:
        raise SetupError(
            f"there is no folder {file.parent}; run `autocapture init`, or set AUTOCAPTURE_HOME to where it is"
        ) from None
    except OSError as problem:
        raise SetupError(f"the database {file} cannot be made: {problem.strerror}") from problem


def _prepare_sqlite(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None  # we write BEGIN ourselves, see _begin_sqlite
    raw.execute(
        f"PRAGMA page_size = {PAGE_BYTES}"
    )  # before anything is written; an older database keeps its own
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = FULL")
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    raw.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session in one writing transaction: committed at the end, rolled back by any exception."""
    with (
        _translated(),
        engine.connect() as connection,
        Session(connection.execution_options(**{_WRITES: True}), expire_on_commit=False) as session,
    ):
        yield session
        try:
            session.commit()
        except BaseException:
            connection.invalidate()  # SQLAlchemy takes it for ended; SQLite keeps it open, and with it the right to write
            raise


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session on one consistent snapshot; nothing it does is kept."""
    with _translated(), engine.connect() as connection, Session(connection) as session:
        yield session


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as problem:
        if _is_about_the_data(problem):
            raise
        raise StoreBusy(f"the database cannot take this now: {_first_line(problem)}") from problem
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise StoreBusy(f"the database connection was lost: {_first_line(problem)}") from problem
        if _state(problem).startswith(_NO_TRANSACTION):
            raise StoreBusy(f"the database cannot take this now: {_first_line(problem)}") from problem
        # None of its kinds: what SQLite says of a file that is not a database, or a malformed one.
        if type(problem) is DatabaseError or _state(problem) == _NOT_ALLOWED:
            raise SetupError(f"the database cannot be used: {_first_line(problem)}") from problem
        raise


def _is_about_the_data(problem: DBAPIError) -> bool:
    """Whether PostgreSQL refuses what it was given, however often it is tried: class 54, a value beyond a limit of its own."""
    return _state(problem).startswith("54")


def _state(problem: DBAPIError) -> str:
    """The SQLSTATE that PostgreSQL gives; SQLite gives none."""
    return str(getattr(problem.orig, "sqlstate", None) or "")


def _first_line(problem: DBAPIError) -> str:
    return str(problem.orig).splitlines()[0] if problem.orig else type(problem).__name__


def insert_for(session: Session) -> Any:
    """The dialect's `insert`, which knows ON CONFLICT; SQLite and PostgreSQL share its methods."""
    return sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert


def take_turn(session: Session) -> None:
    """Waits until no other transaction that took its turn is open, so that pages of several workers merge one by one.

    SQLite has one writer anyway; PostgreSQL takes an advisory lock that ends with the transaction.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_TURN)))
