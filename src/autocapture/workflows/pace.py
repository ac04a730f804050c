"""How often a channel is asked for news: every interval, and less often while its provider has promised to tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlmodel import Session

from autocapture.model.watching import Subscription
from autocapture.settings import Settings
from autocapture.store.bulk import in_chunks, rows_of, table_of

APART = timedelta(seconds=5)
"""A mailbox is pulled for notices no more often than this."""

_SUBSCRIPTION = table_of(Subscription).c
_PROMISED = select(_SUBSCRIPTION.channel_id).where(
    _SUBSCRIPTION.channel_id.in_(bindparam("ids", expanding=True)),
    _SUBSCRIPTION.state == "active",
    _SUBSCRIPTION.expires_at > bindparam("present"),
    _SUBSCRIPTION.fails == 0,
)


def longest_interval(settings: Settings) -> timedelta:
    """The longest that a channel rests between two pulls that went well."""
    return timedelta(seconds=max(settings.capture.interval_seconds, settings.push.interval_seconds))


def intervals(
    session: Session, settings: Settings, channel_ids: Sequence[int], now: datetime
) -> dict[int, timedelta]:
    """How long each channel may rest now. A promise that lapsed, or that cannot be prolonged, counts for nothing."""
    told: set[int] = set()
    for ids in in_chunks(channel_ids):
        told.update(each for (each,) in rows_of(session, _PROMISED, {"ids": list(ids), "present": now}))
    usual = timedelta(seconds=settings.capture.interval_seconds)
    return {
        channel_id: longest_interval(settings) if channel_id in told else usual for channel_id in channel_ids
    }
