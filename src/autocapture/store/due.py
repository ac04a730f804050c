"""When something that waits for a time is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, bindparam, or_
from sqlalchemy.orm import Mapped


def has_come(column: Mapped[Any], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Whether the time in `column` has come. One further ahead than `longest`, the longest wait that is ever written there,
    was written by a clock that was wrong and has been set back since: what waits for it would wait for years."""
    return or_(column <= now, column > far_ahead(now, longest))


def comes(column: Column[Any], ahead: str) -> ColumnElement[bool]:
    """`has_come` in a statement that is made once: its parameters are `now`, and under the name `ahead` what is `far_ahead`."""
    return or_(column <= bindparam("now"), column > bindparam(ahead))


def far_ahead(now: datetime, longest: timedelta) -> datetime:
    """Where no wait that began by now can end."""
    return now + longest
