"""Many rows in one statement, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table, delete
from sqlmodel import Session, SQLModel, col

from autocapture.store.engine import insert_for

T = TypeVar("T")

CHUNK = 500  # bound parameters in one IN list: below every limit that SQLite was ever built with


def in_chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def table_of(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def insert(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Plain inserts; a row that exists already is an error."""
    if rows:
        session.connection().execute(insert_for(session)(table_of(model)), rows)


def insert_missing(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose key is not there yet and leaves the others alone."""
    if rows:
        session.connection().execute(insert_for(session)(table_of(model)).on_conflict_do_nothing(), rows)


def upsert(
    session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()
) -> None:
    """Inserts the rows; where the primary key exists already, sets every other column but those in `keep`."""
    if not rows:
        return
    table = table_of(model)
    statement = insert_for(session)(table)
    keys = [column.name for column in table.primary_key]
    settable = [name for name in rows[0] if name not in keys and name not in keep]
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in settable}
        ),
        rows,
    )


def delete_where_in(session: Session, model: type[SQLModel], column: str, values: Sequence[Any]) -> None:
    for chunk in in_chunks(values):
        session.execute(delete(model).where(col(getattr(model, column)).in_(chunk)))
