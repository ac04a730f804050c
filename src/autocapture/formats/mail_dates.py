"""The Date header (RFC 5322, 3.3 and 4.3) to an instant."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime, timedelta

_MODERN = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d\d) ([A-Z][a-z][a-z]) (\d{4}) ((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d) ([+-]\d{4})(?![A-Za-z0-9])",
    re.ASCII,
)  # what nearly every program writes, read by the C code behind `fromisoformat`
_USUAL = re.compile(
    r"(?:[A-Za-z]{3},?[ ]++)?(\d{1,2})[ ]++([A-Za-z]{3})[ ]++(\d{4})[ ]++(\d{1,2}):(\d{2})(?::(\d{2}))?[ ]++"
    r"(?:([+-])(\d{2})(\d{2})|GMT|UTC|UT|Z)(?![A-Za-z0-9])"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_ISO_MONTHS = {name.title(): f"{number:02}" for name, number in _MONTHS.items()}
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


def parse_date(value: str) -> datetime | None:
    """The instant in UTC; None when missing, unreadable or absurd (before 1970 or after 2100). Never raises.

    A time without a zone is read as UTC (RFC 5322 gives `-0000` the same reading).
    """
    instant = _from_modern(value)
    if instant is None:
        usual = _USUAL.match(value)
        instant = _from_usual(usual) if usual is not None else _from_odd(value[:200])
    if instant is None or not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        return None
    return instant


def _from_modern(value: str) -> datetime | None:
    found = _MODERN.match(value)
    if found is None:
        return None
    day, month, year, clock, zone = found.groups()
    try:
        return datetime.fromisoformat(f"{year}-{_ISO_MONTHS[month]}-{day}T{clock}{zone}").astimezone(UTC)
    except (KeyError, ValueError, OverflowError):  # no such day, or a zone more than a day away
        return None


def _from_usual(match: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    try:
        local = datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second or 0), 59),
            tzinfo=UTC,
        )
        if sign is None:
            return local
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        return local - offset if sign == "+" else local + offset
    except (KeyError, ValueError, OverflowError):
        return None


def _from_odd(value: str) -> datetime | None:
    """Obsolete zones, two-digit years, comments, other orders: as the stdlib reads them."""
    try:
        found = email.utils.parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
