"""From when on an account is captured."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from autocapture.connector import Tools


def start_of(tools: Tools) -> datetime | None:
    """When the first day in scope begins where the rep lives; None where everything is in scope."""
    if tools.since is None:
        return None
    return datetime.combine(tools.since, time(), ZoneInfo(tools.time_zone)).astimezone(UTC)
