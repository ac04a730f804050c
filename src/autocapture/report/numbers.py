"""A number of a summary and the slice it was counted over, in a form that fits a link and a table row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256

from autocapture.errors import InputError
from autocapture.measure.catalog import CATALOG
from autocapture.measure.declare import Duration
from autocapture.measure.query import TracedRow

COUNT, MONEY, RATE, SECONDS = "count", "money", "rate", "seconds"
WORKING_SECONDS = "working seconds"
"""How seconds of working hours are told: never in days, which would not be of 24 hours."""


@dataclass(frozen=True, slots=True)
class Number:
    """One published number. `value` is None where there is none (never 0 instead): money in major units, rates 0 to 1,
    durations in seconds. `n` counts the rows behind it; `complete` is False where capture began after the slice did. `why` says
    what a missing value is missing for, where that is known."""

    metric: str
    cell: str
    unit: str
    value: Decimal | None
    n: int
    currency: str | None = None
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    complete: bool = True
    why: str = ""

    @property
    def told_in(self) -> str:
        """The unit as a reader is told the number in."""
        declared = CATALOG.get(self.metric)
        working = isinstance(declared, Duration) and declared.clock == "business"
        return WORKING_SECONDS if working else self.unit


@dataclass(frozen=True, slots=True)
class Cell:
    """A slice: dates (inclusive), one team, one user or a user's days in a team, one currency. Written
    ``2026-11-09..2026-11-15;team=1;currency=EUR``; people are named by their id, so that no address stands in a link or a log."""

    start: date
    end: date
    team: int | None = None
    user: int | None = None
    currency: str | None = None

    def __str__(self) -> str:
        parts = [f"{self.start.isoformat()}..{self.end.isoformat()}"]
        parts += [f"team={self.team}"] if self.team is not None else []
        parts += [f"user={self.user}"] if self.user is not None else []
        parts += [f"currency={self.currency}"] if self.currency is not None else []
        return ";".join(parts)

    @classmethod
    def parse(cls, text: str) -> Cell:
        """The inverse of `str`. Raises InputError."""
        found = _CELL.fullmatch(text)
        if found is None:
            raise InputError("this is not a slice of a summary")
        team, user = found["team"], found["user"]
        try:
            start, end = date.fromisoformat(found["start"]), date.fromisoformat(found["end"])
        except ValueError:
            raise InputError("this is not a slice of a summary") from None
        return cls(start, end, int(team) if team else None, int(user) if user else None, found["currency"])


_DAY = r"\d{4}-\d\d-\d\d"
_CELL = re.compile(
    rf"(?P<start>{_DAY})\.\.(?P<end>{_DAY})(;team=(?P<team>\d{{1,18}}))?(;user=(?P<user>\d{{1,18}}))?"
    r"(;currency=(?P<currency>[A-Z]{3}))?",
    re.ASCII,
)


def row_hash(rows: Iterable[TracedRow]) -> str:
    """Tells whether a number still rests on the same rows with the same contributions, whatever their order."""
    lines = sorted(f"{row.kind} {row.id} {','.join(row.users)} {row.contribution}" for row in rows)
    return sha256("\n".join(lines).encode()).hexdigest()
