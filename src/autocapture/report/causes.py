"""Why a number that was told is another one by now: what was learned since of what it was counted from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from autocapture.measure.catalog import CATALOG
from autocapture.model.activities import Activity, Participation
from autocapture.model.corrections import Correction
from autocapture.model.crm import DealState
from autocapture.model.organization import User
from autocapture.model.rules import RulesBatch, RulesChange
from autocapture.report.numbers import Cell, Number
from autocapture.report.pipeline import is_movement
from autocapture.report.summary import Cause
from autocapture.store.bulk import in_chunks

LATE, CORRECTED, RULES, DEALS, CHANGED, GONE = "late", "corrected", "rules", "deals", "changed", "gone"
LEADS = "leads"
"""Captured later; corrected by somebody; other rules were applied, or taken back; told by the CRM of deals; told or matched
otherwise; not there any more, or not for a reason that is kept; told by the CRM of leads."""


def causes_of(
    session: Session, number: Number, cell: Cell, people: Collection[int], since: datetime
) -> tuple[Cause, ...]:
    """What was learned after `since` of the facts of these people in the slice."""
    kind = "deal" if is_movement(number.metric) else _kind(number.metric)
    if kind == "deal":
        deals = _deals(session, people, since)
        return (Cause(DEALS, deals),) if deals else (Cause(GONE, 1),)
    changed = _changed(session, cell, people, since)
    late = sum(1 for _, known_at in changed if known_at > since)
    ids = [activity_id for activity_id, known_at in changed if known_at <= since]
    corrections = _corrections(session, people, ids, since)
    batches = _batches(session, ids, since)
    found = [Cause(LATE, late)] if late else []
    if corrections:
        names = _names(session, {row.made_by for row in corrections})
        found.append(Cause(CORRECTED, len(corrections), tuple(row.id or 0 for row in corrections), names))
    if batches:
        found.append(Cause(RULES, len(batches), batches))
    if ids and not corrections and not batches:
        found.append(Cause(CHANGED, len(ids)))
    return tuple(found) or (Cause(LEADS if kind == "lead" else GONE, 1),)


def _kind(metric: str) -> object:
    return getattr(CATALOG[metric].facts.kind, "value", None)


def merged(causes: Iterable[Cause]) -> tuple[Cause, ...]:
    """Each kind once."""
    found: dict[str, Cause] = {}
    for each in causes:
        known = found.get(each.kind)
        if known is None:
            found[each.kind] = each
            continue
        refs = tuple(dict.fromkeys((*known.refs, *each.refs)))
        who = tuple(dict.fromkeys((*known.who, *each.who)))
        found[each.kind] = Cause(each.kind, len(refs) if refs else known.count + each.count, refs, who)
    return tuple(found.values())


def to_rows(causes: Iterable[Cause]) -> list[dict[str, Any]]:
    return [
        {"kind": each.kind, "count": each.count, "refs": list(each.refs), "who": list(each.who)}
        for each in causes
    ]


def from_rows(rows: Iterable[Mapping[str, Any]]) -> list[Cause]:
    return [Cause(row["kind"], row["count"], tuple(row["refs"]), tuple(row["who"])) for row in rows]


def _changed(
    session: Session, cell: Cell, people: Collection[int], since: datetime
) -> list[tuple[int, datetime]]:
    rows = session.exec(
        select(Activity.id, Activity.known_at)
        .join(Participation, col(Participation.activity_id) == col(Activity.id))
        .where(
            col(Participation.user_id).in_(people),
            col(Participation.local_date).between(cell.start, cell.end),
            Activity.changed_at > since,
        )
        .distinct()
    )
    return [(activity_id, known_at) for activity_id, known_at in rows]


def _corrections(
    session: Session, people: Collection[int], ids: Sequence[int], since: datetime
) -> list[Correction]:
    """What was said, or taken back, of these activities, or of more than one of theirs."""
    if not ids:
        return []
    of_these = set(ids)
    rows = session.exec(
        select(Correction).where(Correction.made_at > since).order_by(col(Correction.id))
    ).all()
    return [
        row
        for row in rows
        if row.activity_id in of_these or (row.scope != "item" and not set(people).isdisjoint(row.for_users))
    ]


def _batches(session: Session, ids: Sequence[int], since: datetime) -> tuple[int, ...]:
    found: set[int] = set()
    for chunk in in_chunks(ids):
        found.update(
            session.exec(
                select(RulesChange.batch_id)
                .join(RulesBatch, col(RulesBatch.id) == col(RulesChange.batch_id))
                .where(
                    col(RulesChange.activity_id).in_(chunk),
                    or_(col(RulesBatch.begun_at) > since, col(RulesBatch.undone_at) > since),
                )
                .distinct()
            )
        )
    return tuple(sorted(found))


def _deals(session: Session, people: Collection[int], since: datetime) -> int:
    """Deals of theirs of which the CRM told something."""
    rows = session.exec(
        select(DealState.deal_id)
        .where(
            col(DealState.owner_id).in_(people),
            or_(DealState.known_from > since, col(DealState.known_to) > since),
        )
        .distinct()
    )
    return len(rows.all())


def _names(session: Session, ids: Collection[int]) -> tuple[str, ...]:
    return tuple(session.exec(select(User.name).where(col(User.id).in_(ids)).order_by(col(User.name))))
