"""Many rows as one parameter of one statement, for PostgreSQL: JSON that it reads as a table.

A statement a row, though prepared and sent ahead, takes the driver and the server twenty times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, LargeBinary, String, Table, Update, bindparam, cast, column, func, select

ROWS = "given_rows"
"""The name of the parameter."""


def can_hold(table: Table, names: Iterable[str]) -> bool:
    """Whether rows of these columns can be written as JSON."""
    return not any(isinstance(table.c[name].type, LargeBinary) for name in names)


def as_json(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The value of the parameter."""
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_text)


def with_rows(insert: Any, table: Table, names: Sequence[str]) -> Any:
    """An INSERT, with what it does about conflicts, of the given rows."""
    given = _given(table, names)
    return insert.from_select(names, select(*[given.c[name] for name in names]))


def update_by(table: Table, keys: Sequence[str], names: Sequence[str]) -> Update:
    """An UPDATE that sets the columns `names` of the rows with the given keys."""
    given = _given(table, (*keys, *names))
    same = [table.c[key] == given.c[key] for key in keys]
    return table.update().where(*same).values({name: given.c[name] for name in names})


def _given(table: Table, names: Sequence[str]) -> Any:
    rows = func.json_to_recordset(cast(bindparam(ROWS, type_=String), JSON))
    columns = [column(name, table.c[name].type) for name in names]
    return rows.table_valued(*columns).render_derived(name="given", with_types=True)


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("a naive datetime must not reach the database")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is no value of a column")
