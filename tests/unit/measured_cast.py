"""The people and companies of the metrics' examples, in a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session, SQLModel

from autocapture.measure.examples import cast, insert_rows
from autocapture.store.engine import open_engine, writing


@contextmanager
def measured_cast() -> Iterator[Session]:
    engine = open_engine("sqlite://")
    SQLModel.metadata.create_all(engine)
    with writing(engine) as session:
        insert_rows(session, cast())
        yield session
    engine.dispose()
