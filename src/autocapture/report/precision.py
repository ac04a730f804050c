"""How often matching is right on live data: what people said of the links that it made by itself.

Judged are *spot checks* alone: threads that were chosen by a hash, so that right and wrong ones are asked about alike. What
people correct unasked is what they noticed; it is counted beside, and enters no share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from autocapture.model.activities import Activity, Match, Participation
from autocapture.model.corrections import UNDO, Correction
from autocapture.report.numbers import RATE, Cell, Number
from autocapture.report.summary import Precision

DAYS = 90
METRIC = "matching_precision"
_JUDGES = ("deal", "no_deal", "not_business")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of an activity that matching had put on a deal by itself. `right` is 1, 0, or of a split one the share
    of the deal that was said; `correction_id` is their last word on it."""

    correction_id: int
    activity_id: int
    said_at: datetime
    asked: bool
    right: Decimal


def live_precision(
    session: Session, as_of: datetime, users: Collection[int] | None = None, days: int = DAYS
) -> Precision:
    """Of what was said in the `days` before `as_of` of activities of these users (None: of everybody's)."""
    found = list(verdicts(session, as_of, users, days))
    asked = [each for each in found if each.asked]
    return Precision(
        days=days,
        right=sum((each.right for each in asked), Decimal(0)),
        n=len(asked),
        links=session.exec(select(func.count()).select_from(linked(as_of, users, days).subquery())).one(),
        corrected=sum(1 for each in found if not each.asked and each.right < 1),
    )


def verdicts(
    session: Session, as_of: datetime, users: Collection[int] | None = None, days: int = DAYS
) -> Iterator[Verdict]:
    """The verdicts of those days as they stood at `as_of`, oldest first; one of each activity, its last word."""
    undone = select(Correction.undoes).where(Correction.said == UNDO, Correction.made_at <= as_of)
    rows = session.exec(
        select(Correction)
        .where(
            col(Correction.said).in_(_JUDGES),
            Correction.made_at > as_of - timedelta(days=days),
            Correction.made_at <= as_of,
            col(Correction.id).not_in(undone.where(col(Correction.undoes).is_not(None))),
        )
        .order_by(col(Correction.id))
    ).all()
    last = {row.activity_id: row for row in rows}
    judged = {row.activity_id: row for row in rows if row.found}
    for activity_id, row in judged.items():
        if users is None or not set(users).isdisjoint(row.for_users):
            word = last[activity_id]
            share = (row.found or {}).get(word.deal or "", 0.0) if word.said == "deal" else 0.0
            yield Verdict(word.id or 0, activity_id, word.made_at, row.asked, Decimal(str(round(share, 6))))


def number(precision: Precision, cell: Cell) -> Number:
    """The share as a number that opens to its verdicts."""
    return Number(
        METRIC,
        str(cell),
        RATE,
        precision.share,
        precision.n,
        numerator=precision.right,
        denominator=Decimal(precision.n),
    )


def linked(as_of: datetime, users: Collection[int] | None = None, days: int = DAYS) -> SelectOfScalar[int]:
    """The ids of activities of those days that matching put on a deal by itself."""
    made = (
        select(col(Activity.id))
        .join(Match, (col(Match.activity_id) == col(Activity.id)) & (Match.target == "deal"))
        .where(
            Activity.occurred_at > as_of - timedelta(days=days),
            Activity.occurred_at <= as_of,
            Match.method != "correction",
        )
        .distinct()
    )
    if users is None:
        return made
    return made.join(Participation, col(Participation.activity_id) == col(Activity.id)).where(
        col(Participation.user_id).in_(users)
    )
