"""The plain values of an import: rows read, rows refused, what the mirror holds, and what must change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

Value = str | int | bool | date | datetime | tuple[str, ...] | None
Values = Mapping[str, Value]
"""A row by column, in natural keys: a company by its source id, an owner by e-mail address."""

Key = tuple[str, ...]
"""(source id,) for most tables; the natural keys together where a table has no id of its own."""


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class Remark:
    """What was not taken as it stands: a whole row (refused), or one cell of a row that was imported (note)."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of a file: mapped fields only, parsed, references still in the file's words. `key` is the row's own."""

    section: str
    key: str
    values: Values
    place: Place
    their_stage: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as the mirror should hold it. `values` holds the columns that the mapping fills."""

    table: str
    key: Key
    values: Values


@dataclass(frozen=True, slots=True)
class KnownUser:
    email: str
    name: str
    zone: ZoneInfo
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """How a deal stood in [valid_from, valid_to), as far as is known now."""

    valid_from: datetime
    valid_to: datetime | None
    stage: str | None
    outcome: str
    owner: str | None
    amount_minor: int | None
    currency: str | None
    expected_close_on: date | None
    pipeline: str


@dataclass(frozen=True, slots=True)
class Mirror:
    """What the database holds before an import. `states` are those known now, by deal, oldest first."""

    tables: Mapping[str, Mapping[Key, Values]] = field(default_factory=dict)
    users: Mapping[str, KnownUser] = field(default_factory=dict)
    states: Mapping[str, tuple[State, ...]] = field(default_factory=dict)

    def rows(self, table: str) -> Mapping[Key, Values]:
        return self.tables.get(table, {})


@dataclass(frozen=True, slots=True)
class Change:
    """One row to write. `before` is None for a new one; else both hold only the columns that differ."""

    table: str
    key: Key
    before: Values | None
    after: Values
