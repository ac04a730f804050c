"""Column types and identities shared by the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import DateTime, Dialect, String
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC: `timestamptz` on PostgreSQL, ISO text on SQLite. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """On SQLite in one step: a page of mail binds ten thousand instants."""
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime must not reach the database")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    """The form of SQLAlchemy's own DATETIME on SQLite: microseconds always, no zone."""
    if value is None:
        return None
    instant = value if value.tzinfo is UTC else _in_utc(value)
    return instant.isoformat(" ", "microseconds")[:26]


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class DecimalText(TypeDecorator[Decimal]):
    """An exact decimal number kept as text: SQLite has no decimals, and a quota must not become a float."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


@lru_cache(maxsize=16_384)
def stable_id(key: str) -> int:
    """A 63-bit identity derived from `key`.

    Known before anything is written and the same on every database, so an upsert needs no look-up and a repeated capture
    makes the same rows. Among ten million keys two collide with a probability of about 5e-6. Kept for the length of a few
    pages: a Message-ID is asked for at every step of its mail, and again by the answers.
    """
    return int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1
