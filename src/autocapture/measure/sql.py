"""What SQLite and PostgreSQL say differently, and the parameters that every declaration may use.

Declarations are written once, without values: the instants and dates of a query reach them as bound parameters. So the text
of a metric's SQL is fixed, and its hash identifies the definition.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, Date, Integer, Table, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Session, SQLModel

import autocapture.model  # noqa: F401  registers the tables
from autocapture.measure.period import Period
from autocapture.model.columns import UtcDateTime

AS_OF = bindparam("as_of", type_=UtcDateTime())
KNOWN_AT = bindparam("known_at", type_=UtcDateTime())
PERIOD_START = bindparam("period_start", type_=Date())
PERIOD_END = bindparam("period_end", type_=Date())
WIDE_START = bindparam("wide_start", type_=Date())
WIDE_END = bindparam("wide_end", type_=Date())
WIDE_FROM = bindparam("wide_from", type_=UtcDateTime())
WIDE_UNTIL = bindparam("wide_until", type_=UtcDateTime())
STATE_ON = bindparam("state_on", type_=Date())
FIRST_USER = bindparam("first_user", type_=Integer())
LAST_USER = bindparam("last_user", type_=Integer())
ONLY_SHARED = bindparam("only_shared", type_=Boolean())

NOW_KNOWN = datetime(9999, 1, 1, tzinfo=UTC)
"""`known_at` of a query that asks for what is known today: no knowledge is younger."""

_LAST_ID = 2**31 - 1

MARGIN = timedelta(days=2)
"""Local dates of one instant differ by at most two days between two places on earth."""


def table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


Parameters = dict[str, date | datetime | int]


def parameters(
    period: Period,
    as_of: datetime,
    known_at: datetime | None,
    *,
    user_id: int | None = None,
    only_shared: bool = False,
) -> Parameters:
    """The values of all parameters above. The wide bounds hold everything whose local date may lie in the period.

    `user_id`: only this user's rows are asked for; `only_shared`: only those that count for several users. The condition of the
    question says so too; what looks around a row uses them to look no further than it must.
    """
    start, end = period.start - MARGIN, period.end + MARGIN
    return {
        "as_of": as_of,
        "known_at": known_at or NOW_KNOWN,
        "period_start": period.start,
        "period_end": period.end,
        "wide_start": start,
        "wide_end": end,
        "wide_from": datetime(start.year, start.month, start.day, tzinfo=UTC),
        "wide_until": datetime(end.year, end.month, end.day, tzinfo=UTC),
        "state_on": min(period.end, as_of.date()),
        "first_user": 0 if user_id is None else user_id,
        "last_user": _LAST_ID if user_id is None else user_id,
        "only_shared": only_shared,
    }


class later(FunctionElement[datetime]):
    """``later(instant, seconds)``: the instant so many seconds after; negative seconds go back."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(later, "sqlite")
def _later_sqlite(element: later, compiler: SQLCompiler, **kw: Any) -> str:
    at, seconds = element.clauses
    shift = f"({compiler.process(seconds, **kw)}) || ' seconds'"
    # six decimals, as instants are stored, so that comparing the texts compares the instants
    return f"(strftime('%Y-%m-%d %H:%M:%f', {compiler.process(at, **kw)}, {shift}) || '000')"


@compiles(later)
def _later(element: later, compiler: SQLCompiler, **kw: Any) -> str:
    at, seconds = element.clauses
    return f"({compiler.process(at, **kw)} + make_interval(secs => {compiler.process(seconds, **kw)}))"


class local_date(FunctionElement[date]):
    """``local_date(instant, zone)``: the date that a calendar on the wall of that zone shows."""

    type = Date()
    inherit_cache = True


@compiles(local_date, "sqlite")
def _local_date_sqlite(element: local_date, compiler: SQLCompiler, **kw: Any) -> str:
    return f"local_date({compiler.process(element.clauses, **kw)})"


@compiles(local_date)
def _local_date(element: local_date, compiler: SQLCompiler, **kw: Any) -> str:
    at, zone = element.clauses
    return f"CAST({compiler.process(at, **kw)} AT TIME ZONE {compiler.process(zone, **kw)} AS DATE)"


def prepare(session: Session) -> None:
    """Teaches an SQLite connection the functions that PostgreSQL has. Cheap; call it before each statement."""
    if session.get_bind().dialect.name != "sqlite":
        return
    raw = session.connection().connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101  the dialect says so
    raw.create_function("local_date", 2, _date_there, deterministic=True)


@lru_cache(maxsize=65_536)
def _date_there(at: str | None, zone: str) -> str | None:
    if at is None:
        return None
    return datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date().isoformat()
