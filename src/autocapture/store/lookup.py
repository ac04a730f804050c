"""Selects that are made once. Making one takes longer than running it, and a page of one mail runs thirty of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, String, bindparam
from sqlmodel import Session

from autocapture.store.bulk import is_listed, rows_of

Among = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
"""The condition that a column (numbers, or texts without NUL) is one of the values, however many, of the parameter so named."""


Statement = Select[Any] | CompoundSelect[Any]


class Lookup:
    """A select of columns by parameters, of which some are lists of values.

        KNOWN = Lookup(lambda among: select(alias.c.activity_id).where(among(alias.c.key, "keys")))
        rows = KNOWN(session, keys={1, 2, 3})

    A list is one parameter: with a parameter for each value the statement would differ with their number.
    """

    def __init__(self, make: Callable[[Among], Statement]) -> None:
        self._make = make
        self._made: dict[str, tuple[Statement, frozenset[str]]] = {}

    def __call__(self, session: Session, **values: Any) -> Sequence[Any]:
        """The rows, as tuples; none, without asking, where a list is empty."""
        database = session.get_bind().dialect.name
        if database not in self._made:
            self._made[database] = self._statement(database)
        statement, lists = self._made[database]
        if not all(values[name] for name in lists):
            return ()
        for name in lists:
            values[name] = json.dumps(list(values[name]))
        return rows_of(session, statement, values)

    def _statement(self, database: str) -> tuple[Statement, frozenset[str]]:
        lists: set[str] = set()

        def among(key: ColumnElement[Any], name: str) -> ColumnElement[bool]:
            lists.add(name)
            return is_listed(key, bindparam(name, type_=String), database)

        return self._make(among), frozenset(lists)
