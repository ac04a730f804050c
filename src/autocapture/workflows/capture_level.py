"""A capture level that is lowered takes what is stored along: less is kept from now on, and of what was captured."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import exists, select, update
from sqlmodel import Session, col

from autocapture.connector import CaptureLevel
from autocapture.model.accounts import Account, Channel
from autocapture.model.activities import Activity, ActivityText, CalendarItem
from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import delete_where_in, in_chunks
from autocapture.store.details import forget_told_by

LEVELS: tuple[str, ...] = get_args(CaptureLevel)


def is_lower(level: str, than: str) -> bool:
    return _rank(level) < _rank(than)


def lower_level(session: Session, account_id: int, level: str) -> None:
    """Removes what `level` does not keep from activities that this account has seen: texts below *full*, subjects and
    the titles of calendar copies at *metadata*. What another account has seen too is kept where that account's level keeps it."""
    channels = select(col(Channel.id)).where(col(Channel.account_id) == account_id)
    if _rank(level) < _rank("full"):
        ids = sorted(_kept_by_nobody_else(session, account_id, "full"))
        delete_where_in(session, ActivityText, "activity_id", ids)
        forget_told_by(session, ids)
    if level != "metadata":
        return
    for chunk in in_chunks(sorted(_kept_by_nobody_else(session, account_id, "subject"))):
        session.execute(update(Activity).where(col(Activity.id).in_(chunk)).values(subject=None, remark=None))
    for item in session.scalars(select(CalendarItem).where(col(CalendarItem.channel_id).in_(channels))):
        item.data = _untitled(item.data)
        session.add(item)


def keeps_more_than(session: Session, account_id: int, level: str) -> bool:
    """Whether `lower_level` would remove a text or a subject."""
    text, titled = col(ActivityText.activity_id), col(Activity.subject).is_not(None)
    more = []
    if _rank(level) < _rank("full") and session.scalar(select(text).limit(1)) is not None:
        more.append((select(text), text, "full"))
    if level == "metadata":
        more.append((select(col(Activity.id)).where(titled), col(Activity.id), "subject"))
    return any(
        session.scalar(kept.where(key.in_(chunk)).limit(1)) is not None
        for kept, key, least in more
        for chunk in in_chunks(sorted(_kept_by_nobody_else(session, account_id, least)))
    )


def _kept_by_nobody_else(session: Session, account_id: int, least: str) -> set[int]:
    """The activities that the account has seen, and no other one whose level is `least` or more."""
    here = select(col(Channel.id)).where(col(Channel.account_id) == account_id)
    keeping = (
        select(col(Channel.id))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(col(Account.id) != account_id, col(Account.capture_level).in_(LEVELS[_rank(least) :]))
    )
    elsewhere = LedgerEntry.__table__.alias("elsewhere")  # type: ignore[attr-defined]
    by_activity = select(col(LedgerEntry.activity_id)).where(
        col(LedgerEntry.channel_id).in_(here),
        col(LedgerEntry.activity_id).is_not(None),
        ~exists().where(
            elsewhere.c.activity_id == LedgerEntry.activity_id, elsewhere.c.channel_id.in_(keeping)
        ),
    )
    by_series = (
        select(col(Activity.id))
        .join(LedgerEntry, col(LedgerEntry.series_id) == col(Activity.series_id))
        .where(
            col(Activity.kind) == "meeting",
            col(LedgerEntry.channel_id).in_(here),
            ~exists().where(
                elsewhere.c.series_id == LedgerEntry.series_id, elsewhere.c.channel_id.in_(keeping)
            ),
        )
    )
    return {found for statement in (by_activity, by_series) for found in session.scalars(statement) if found}


def _rank(level: str) -> int:
    return LEVELS.index(level)


def _untitled(data: dict[str, object]) -> dict[str, object]:
    overrides = data.get("overrides")
    if isinstance(overrides, list):
        data = {**data, "overrides": [_untitled(override) for override in overrides]}
    return {**data, "title": ""}
