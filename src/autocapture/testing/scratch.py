"""Empty databases for tests that need hundreds of them."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import SQLModel

from autocapture.store.engine import open_engine

MEMORY = Path("/dev/shm")  # noqa: S108  where there is one: these files are worth no disk
_free: list[tuple[Engine, Path]] = []
"""Used again: SQLAlchemy compiles every statement once for each engine, which would cost more than to run it."""


@contextmanager
def empty_database() -> Iterator[Engine]:
    """An engine over a database file with every table and not one row, for one user at a time."""
    engine, file = _free.pop() if _free else _new()
    for leftover in file.parent.iterdir():
        leftover.unlink()
    copyfile(_template(), file)
    try:
        yield engine
    finally:
        engine.dispose()
        _free.append((engine, file))


@cache
def _template() -> Path:
    engine, file = _new()
    SQLModel.metadata.create_all(engine)
    engine.dispose()  # the last connection to close folds the write-ahead log into the file
    return file


def _new() -> tuple[Engine, Path]:
    directory = Path(mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(rmtree, directory, ignore_errors=True)
    engine = open_engine(f"sqlite:///{directory / 'scratch.db'}")
    event.listen(engine, "connect", _without_syncing)
    return engine, directory / "scratch.db"


def _without_syncing(raw: Any, _record: object) -> None:
    """The process dies in these tests, never the machine: waiting for the disk would prove nothing."""
    raw.execute("PRAGMA synchronous = OFF")
