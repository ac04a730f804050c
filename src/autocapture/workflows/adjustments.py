"""Published numbers that what was learned since makes others: which summaries are to be looked at again, and looking.

Every change of an activity or deal marks cells of metrics dirty, in its own transaction; before these are computed anew, the
summaries that told of their days are marked as due. Marks are rows: whoever dies before looking leaves them to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session, col, delete, func, or_, select

from autocapture.application import Application
from autocapture.measure.period import iso_week
from autocapture.model.crm import DealState
from autocapture.model.measures import DirtyCell, DuePublication, Publication, Quota
from autocapture.report.adjust import adjust
from autocapture.store.bulk import insert_missing
from autocapture.store.engine import reading, writing

log = structlog.get_logger()

LOOKED_BACK = 53
"""Weeks of which summaries are looked at again."""
_WEEK = timedelta(days=7)


def mark_due(session: Session, now: datetime) -> None:
    """Marks the summaries that told of days of which something changed: those of the same week, and those of weeks in which a
    quota ended that holds one of the days, since it is told to the end there."""
    days = list(session.exec(select(col(DirtyCell.local_date)).distinct()))
    if not days:
        return
    first, last = min(days), max(days)
    ended = select(col(Quota.period_end)).where(
        col(Quota.period_start) <= last, col(Quota.period_end) >= first, col(Quota.period_end) <= now.date()
    )
    weeks = {iso_week(day) for day in (*days, *session.exec(ended.distinct()))}
    _mark(session, weeks.__contains__, iso_week(first), now)


def mark_due_of_deals(session: Session, now: datetime) -> None:
    """Marks the summaries that told of how deals stood, where the import of this moment told otherwise of it."""
    first = session.exec(
        select(func.min(DealState.valid_from)).where(
            or_(DealState.known_from == now, col(DealState.known_to) == now)
        )
    ).one()
    if first is not None:
        _mark(session, lambda _week: True, iso_week(first.date()), now)


def settle_adjustments(app: Application) -> int:
    """Looks at the summaries that are due, each in a transaction of its own; the number of numbers that changed."""
    with reading(app.engine) as session:
        due = list(
            session.exec(
                select(DuePublication.publication_id).order_by(col(DuePublication.publication_id).desc())
            )
        )
    found = 0
    for publication_id in due:
        with writing(app.engine) as session:
            held = session.exec(
                delete(DuePublication).where(col(DuePublication.publication_id) == publication_id)
            )
            if held.rowcount:
                publication = session.get_one(Publication, publication_id)
                found += adjust(session, publication, app.clock.now())
    if found:
        log.info("numbers adjusted", count=found)
    return found


def _mark(session: Session, is_meant: Callable[[str], bool], first: str, now: datetime) -> None:
    earliest = max(first, iso_week(now.date() - LOOKED_BACK * _WEEK))
    rows = session.exec(select(Publication.id, Publication.week).where(Publication.week >= earliest))
    ids = [number for number, week in rows if number is not None and is_meant(week)]
    insert_missing(session, DuePublication, [{"publication_id": each, "since": now} for each in ids])
