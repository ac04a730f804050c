"""How long mail took from its provider to us, by the times that were stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlmodel import col

from autocapture.model.activities import Activity
from autocapture.store.engine import reading


def delays(engine: Engine, *, since: datetime) -> list[float]:
    """Seconds from when a mail of `since` or later was received to the page that stored it, ascending."""
    mails = select(col(Activity.occurred_at), col(Activity.known_at)).where(
        col(Activity.kind) == "email", col(Activity.occurred_at) >= since
    )
    with reading(engine) as session:
        return sorted((known - occurred).total_seconds() for occurred, known in session.execute(mails))


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else 0.0
