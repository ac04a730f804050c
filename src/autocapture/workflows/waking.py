"""Channels that are looked at by the next capture, whatever their own time."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import Session, col

from autocapture.model.accounts import LONG_AGO, Channel


def wake_channels(session: Session, account_id: int, *, anew: bool) -> None:
    """`anew`: what items are judged by has changed, so every channel is enumerated, read and judged again."""
    values = {"wake_at": LONG_AGO, **({"cursor": None, "mid_run": False, "reread": True} if anew else {})}
    session.execute(update(Channel).where(col(Channel.account_id) == account_id).values(values))
