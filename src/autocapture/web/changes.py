"""Which of the rows behind a number are known to have changed since it was published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from autocapture.measure.query import TracedRow
from autocapture.model.activities import Activity
from autocapture.model.crm import DealState
from autocapture.store.bulk import in_chunks


def changed_since(session: Session, rows: Sequence[TracedRow], at: datetime) -> set[tuple[str, int]]:
    """Kind and id of those that were changed after `at`, as far as it is kept: of activities, and of the history of deals.

    A row that is gone is not among them, nor is a change that left no time behind.
    """
    changed: set[tuple[str, int]] = set()
    deals = sorted({row.id for row in rows if row.kind == "deal"})
    for ids in in_chunks(deals):
        later = select(DealState.deal_id).where(
            col(DealState.deal_id).in_(ids), col(DealState.known_from) > at
        )
        changed |= {("deal", deal_id) for deal_id in session.exec(later)}
    activities = sorted({row.id for row in rows if row.kind not in ("deal", "lead")})
    for ids in in_chunks(activities):
        later_ones = select(Activity.kind, Activity.id).where(
            col(Activity.id).in_(ids), col(Activity.changed_at) > at
        )
        changed |= set(session.exec(later_ones))
    return changed
