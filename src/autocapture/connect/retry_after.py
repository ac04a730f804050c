"""How long a provider asks us to wait: the header ``Retry-After`` in all its forms (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(hours=1)
"""What is asked beyond this is asked again after it: a wrong figure must not silence an account for a day, and a request an hour
of an account that is really shut out for so long costs nobody anything."""

_SECONDS = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,9})?", re.ASCII)


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait named by the header's `value`: seconds or a date. Between a second and an hour; None where it names none.

    A negative number and a date in the past are the shortest wait; what is neither number nor date counts as missing.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(max(float(text), SHORTEST.total_seconds()), LONGEST.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
        return bounded((until if until.tzinfo else until.replace(tzinfo=UTC)) - now)
    except (ValueError, OverflowError, IndexError):
        return None


def bounded(wait: timedelta) -> timedelta:
    """`wait`, between a second and an hour."""
    return min(max(wait, SHORTEST), LONGEST)
