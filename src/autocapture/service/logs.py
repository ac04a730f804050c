"""Logs without content: JSON lines whose keys are on a list. A key that is not is dropped, and counted."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "account_id",
        "channel_id",
        "captured",
        "skipped",
        "quarantined",
        "count",
        "error",
        "error_id",
        "host",
        "job",
        "place",
        "port",
        "publication_id",
        "seconds",
        "state",
        "status",
        "team_id",
        "tick",
        "week",
    }
)
"""No subject, no text, no address of a person, no secret: only numbers, states and names of our own."""

dropped: Counter[str] = Counter()
"""How often each forbidden key was dropped, since the process began."""

Event = MutableMapping[str, Any]


def keep_allowed(_logger: object, _method: str, event: Event) -> Event:
    for key in [key for key in event if key not in ALLOWED]:
        del event[key]
        dropped[key] += 1
    if dropped:
        event["dropped_keys"] = dropped.total()
    return event


def configure_logs(file: TextIO | None = None, *, least: int = logging.INFO) -> None:
    """One JSON line for each event of level `least` or above on `file` (standard error, as it is at that moment). Other
    libraries' warnings come as their level and origin."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_allowed,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(file or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_OriginOnly()]
    root.setLevel(max(least, logging.WARNING))


class _OriginOnly(logging.Handler):
    """What libraries log may quote anything, so only where it came from is kept."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning(
            "a library logged", state=record.levelname.lower(), place=f"{record.name}:{record.lineno}"
        )
