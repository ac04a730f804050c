"""Many rows in one statement, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    JSON,
    BindParameter,
    Boolean,
    Column,
    ColumnDefault,
    ColumnElement,
    CompoundSelect,
    Date,
    Dialect,
    Select,
    String,
    Table,
    any_,
    bindparam,
    column,
    delete,
    func,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel

from autocapture.store import recordset
from autocapture.store.engine import insert_for

T = TypeVar("T")

CHUNK = 500  # bound parameters in one IN list: below every limit that SQLite was ever built with
_DAYS = 4_096


def in_chunks(values: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def table_of(model: type[SQLModel]) -> Table:
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def among(session: Session, key: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """The condition that the column `key` (numbers, or texts without NUL) is one of `values`, however many.

    They are one parameter: a parameter each takes longer than the look-up, since the statement differs with their number and is
    written anew each time.
    """
    return is_listed(key, bindparam(None, json.dumps(list(values)), String), session.get_bind().dialect.name)


def is_listed(key: Any, listed: BindParameter[str], database: str) -> ColumnElement[bool]:
    """The condition that the column `key` is in the list that a parameter holds as JSON.

    Also on PostgreSQL: an array costs the driver ten times as much, and by its length, which is known then, the planner takes a
    look-up of three thousand rows of a million for a reason to read all of them.
    """
    if database == "sqlite":
        each = func.json_each(listed).table_valued(column("value", key.type))
        return key.in_(select(each.c.value))  # type: ignore[no-any-return]
    element = sql_cast(func.json_array_elements_text(sql_cast(listed, JSON)), key.type)
    values = func.array(select(element).scalar_subquery(), type_=ARRAY(key.type))
    return key == any_(values)  # type: ignore[no-any-return]


def rows_of(
    session: Session, statement: Select[Any] | CompoundSelect[Any], values: Mapping[str, Any] | None = None
) -> Sequence[Any]:
    """The rows of a select of columns, as tuples: past the ORM, which looks at every row for objects. `values` are those of the
    parameters, where the statement was made once for all."""
    return session.connection().execute(statement, values).all()


def insert(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Plain inserts; a row that exists already is an error. All rows name the same columns, here and below."""
    if rows:
        insert_tuples(session, model, tuple(rows[0]), _tuples(rows))


def insert_tuples(
    session: Session, model: type[SQLModel], names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Plain inserts of rows without their names: `names` holds them for all."""
    execute_many(session, _plain, table_of(model), names, rows)


def insert_missing(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose key is not there yet and leaves the others alone."""
    if rows:
        insert_missing_tuples(session, model, tuple(rows[0]), _tuples(rows))


def insert_missing_tuples(
    session: Session, model: type[SQLModel], names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """`insert_missing` of rows without their names: `names` holds them for all."""
    execute_many(session, _missing, table_of(model), names, rows)


def upsert(
    session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], *, keep: Collection[str] = ()
) -> None:
    """Inserts the rows; where the primary key exists already, sets every other column but those in `keep`."""
    if rows:
        upsert_tuples(session, model, tuple(rows[0]), _tuples(rows), keep=keep)


def upsert_tuples(
    session: Session,
    model: type[SQLModel],
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    *,
    keep: Collection[str] = (),
) -> None:
    """`upsert` of rows without their names: `names` holds them for all."""
    execute_many(session, _replacing(tuple(keep)), table_of(model), names, rows)


Make = Callable[[Any, Table, tuple[str, ...]], Any]
"""Makes an INSERT of the dialect's `insert`, a table, and the names of the columns that rows have."""


def _plain(insert_of: Any, table: Table, _names: tuple[str, ...]) -> Any:
    return insert_of(table)


def _missing(insert_of: Any, table: Table, _names: tuple[str, ...]) -> Any:
    return insert_of(table).on_conflict_do_nothing()


@cache
def _replacing(keep: tuple[str, ...]) -> Make:
    def make(insert_of: Any, table: Table, names: tuple[str, ...]) -> Any:
        statement = insert_of(table)
        keys = [column.name for column in table.primary_key]
        settable = [name for name in names if name not in keys and name not in keep]
        return statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in settable}
        )

    return make


def _tuples(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    names = tuple(rows[0])
    return list(map(itemgetter(*names), rows)) if len(names) > 1 else [(row[names[0]],) for row in rows]


def execute_many(
    session: Session, make: Make, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Runs an INSERT of each row; `names` are the columns of a row.

    On SQLite the rows go to the driver as tuples, converted a column at a time: SQLAlchemy's own way, a dictionary a row,
    takes longer than SQLite itself. So does compiling the statement, where the rows are few. On PostgreSQL they are one
    parameter (`recordset`), but where one of them may be a conflict with another, or holds bytes.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        if _are_apart(table, names, rows) and recordset.can_hold(table, names):
            statement = _made_of_rows(make, insert_for(session), table, names)
            connection.execute(statement, {recordset.ROWS: recordset.as_json(names, rows)})
        else:
            statement = _made(make, insert_for(session), table, names)
            connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
        return
    given = dict(zip(names, zip(*rows, strict=True), strict=True))
    text, order, defaults = _compiled(make, connection.dialect, table, names)
    given |= {name: (default,) * len(rows) for name, default in defaults}
    processors = _processors(table, connection.dialect)
    columns = [_converted(given[name], processors.get(name)) for name in order]
    connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


def _are_apart(table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> bool:
    """Whether no two rows have the same key: one statement may not change a row twice."""
    keys = [each.name for each in table.primary_key if each.name in names]
    if len(rows) < 2 or not keys:
        return True
    key = itemgetter(*[names.index(each) for each in keys])
    return len(set(map(key, rows))) == len(rows)


@lru_cache(maxsize=256)
def _made(make: Make, insert_of: Any, table: Table, names: tuple[str, ...]) -> Any:
    return make(insert_of, table, names)


@lru_cache(maxsize=256)
def _made_of_rows(make: Make, insert_of: Any, table: Table, names: tuple[str, ...]) -> Any:
    return recordset.with_rows(make(insert_of, table, names), table, names)


def update_rows(
    session: Session,
    model: type[SQLModel],
    keys: tuple[str, ...],
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Sets the columns `names` of stored rows; each given row has the values of the columns `keys`, by which it is found, then
    those of `names`."""
    if not rows:
        return
    connection, table = session.connection(), table_of(model)
    if connection.dialect.name != "sqlite":
        connection.execute(
            _update_by(table, keys, names), {recordset.ROWS: recordset.as_json((*keys, *names), rows)}
        )
        return
    given = dict(zip((*keys, *names), zip(*rows, strict=True), strict=True))
    processors = _processors(table, connection.dialect)
    text, order = _compiled_update(table, keys, names, connection.dialect)
    columns = [_converted(given[name], processors.get(name)) for name in order]
    connection.exec_driver_sql(text, list(zip(*columns, strict=True)))


@lru_cache(maxsize=64)
def _update_by(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> Any:
    return recordset.update_by(table, keys, names)


@lru_cache(maxsize=64)
def _compiled_update(
    table: Table, keys: tuple[str, ...], names: tuple[str, ...], dialect: Dialect
) -> tuple[str, tuple[str, ...]]:
    """The text, and the columns whose values its parameters are, in their order."""
    given = {f"given_{name}": name for name in (*keys, *names)}  # SQLAlchemy keeps the bare names for itself
    found = [table.c[key] == bindparam(f"given_{key}") for key in keys]
    statement = table.update().where(*found).values({name: bindparam(f"given_{name}") for name in names})
    compiled: Any = statement.compile(dialect=dialect)
    return compiled.string, tuple(given[each] for each in compiled.positiontup)


@lru_cache(maxsize=256)
def _compiled(
    make: Make, dialect: Dialect, table: Table, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """The text, the order of its parameters, and the values of columns that rows of these names leave out."""
    left_out = ((each.name, _default(each)) for each in table.c if each.name not in names)
    defaults = tuple((name, default) for name, default in left_out if default is not None)
    keys = (*names, *(name for name, _ in defaults))
    statement = make(sqlite.insert, table, names)
    compiled = statement.inline().compile(dialect=dialect, column_keys=keys)
    return compiled.string, tuple(compiled.positiontup), defaults


def _converted(values: Sequence[Any], processor: Callable[[Any], Any] | None) -> Iterable[Any]:
    """Each value once: the present moment stands in every row, and what a thread was matched by in several."""
    if processor is None:
        return values
    keys = list(map(id, values))
    distinct = dict(zip(keys, values, strict=True))
    if len(distinct) == len(values):
        return map(processor, values)
    converted = {key: processor(value) for key, value in distinct.items()}
    return map(converted.__getitem__, keys)


def _default(column: Column[Any]) -> Any:
    """The value of a column that the rows do not name; no table here has defaults of another kind."""
    default = column.default
    return default.arg if isinstance(default, ColumnDefault) and default.is_scalar else None


@lru_cache(maxsize=64)
def _processors(table: Table, dialect: Dialect) -> dict[str, Callable[[Any], Any]]:
    """How the values of each column become the driver's; columns whose values pass as they are stay out.

    Days and flags repeat from row to row, and are converted once each.
    """
    found: dict[str, Callable[[Any], Any]] = {}
    for each in table.c:
        if (processor := each.type.dialect_impl(dialect).bind_processor(dialect)) is not None:
            repeats = isinstance(each.type, (Date, Boolean))
            found[each.name] = lru_cache(maxsize=_DAYS)(processor) if repeats else processor
    return found


def delete_where_in(session: Session, model: type[SQLModel], column: str, values: Sequence[Any]) -> None:
    if values:
        key = table_of(model).c[column]
        session.connection().execute(delete(table_of(model)).where(among(session, key, values)))
