"""Many rows in one statement, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnDefault, Dialect, Table, delete
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
    """Plain inserts; a row that exists already is an error. All rows name the same columns, here and below."""
    if rows:
        execute_many(session, insert_for(session)(table_of(model)), table_of(model), rows)


def insert_missing(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose key is not there yet and leaves the others alone."""
    if rows:
        statement = insert_for(session)(table_of(model)).on_conflict_do_nothing()
        execute_many(session, statement, table_of(model), rows)


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
    statement = statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in settable}
    )
    execute_many(session, statement, table, rows)


def execute_many(session: Session, statement: Any, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Runs an INSERT once a row.

    On SQLite the rows go to the driver as tuples, converted a column at a time: SQLAlchemy's own way, a dictionary a row,
    takes longer than SQLite itself.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    left_out = {column.name: _default(column) for column in table.c if column.name not in rows[0]}
    if defaults := {name: value for name, value in left_out.items() if value is not None}:
        rows = [{**defaults, **row} for row in rows]
    names = tuple(rows[0])
    compiled = statement.inline().compile(dialect=connection.dialect, column_keys=names)
    order: Sequence[str] = compiled.positiontup
    columns: list[Sequence[Any]] = list(zip(*map(itemgetter(*order), rows), strict=True))
    for index, processor in _processors(table, tuple(order), connection.dialect):
        columns[index] = list(map(processor, columns[index]))
    connection.exec_driver_sql(compiled.string, list(zip(*columns, strict=True)))


def _default(column: Column[Any]) -> Any:
    """The value of a column that the rows do not name; no table here has defaults of another kind."""
    default = column.default
    return default.arg if isinstance(default, ColumnDefault) and default.is_scalar else None


@lru_cache(maxsize=256)
def _processors(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> list[tuple[int, Callable[[Any], Any]]]:
    """How the values of these columns become the driver's; columns whose values pass as they are stay out."""
    found = ((i, table.c[name].type.dialect_impl(dialect)) for i, name in enumerate(names))
    return [(i, processor) for i, impl in found if (processor := impl.bind_processor(dialect)) is not None]


def delete_where_in(session: Session, model: type[SQLModel], column: str, values: Sequence[Any]) -> None:
    for chunk in in_chunks(values):
        session.execute(delete(model).where(col(getattr(model, column)).in_(chunk)))
