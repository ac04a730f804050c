"""Which items of which channels show an activity: the ledger read from the activity's side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import Session, col

from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import in_chunks
from autocapture.store.ledger import Line


@dataclass(frozen=True, slots=True)
class Sighting:
    """One item that the ledger names as a sighting of an activity; `live` while it is in its channel."""

    channel_id: int
    source_id: str
    live: bool


def captured_as(session: Session, channel_id: int, source_ids: Sequence[str]) -> dict[str, int]:
    """The activity of each of these items that has one so far."""
    found: dict[str, int] = {}
    for chunk in in_chunks(source_ids):
        statement = select(col(LedgerEntry.source_id), col(LedgerEntry.activity_id)).where(
            col(LedgerEntry.channel_id) == channel_id,
            col(LedgerEntry.source_id).in_(chunk),
            col(LedgerEntry.activity_id).is_not(None),
        )
        found.update((source_id, activity_id or 0) for source_id, activity_id in session.execute(statement))
    return found


def sightings(session: Session, activity_ids: Collection[int]) -> dict[int, list[Sighting]]:
    """Every item that the ledger names as a sighting of these activities."""
    found: dict[int, list[Sighting]] = defaultdict(list)
    for chunk in in_chunks(sorted(activity_ids)):
        statement = select(
            col(LedgerEntry.activity_id),
            col(LedgerEntry.channel_id),
            col(LedgerEntry.source_id),
            col(LedgerEntry.gone_at),
        ).where(col(LedgerEntry.activity_id).in_(chunk), col(LedgerEntry.activity_id).is_not(None))
        for activity_id, channel_id, source_id, gone_at in session.execute(statement):
            found[activity_id or 0].append(Sighting(channel_id, source_id, gone_at is None))
    return found


def follow(session: Session, activity_id: int, line: Line) -> None:
    """The items that showed an activity which is no more are told of as `line` tells of the last one."""
    session.execute(
        update(LedgerEntry)
        .where(col(LedgerEntry.activity_id) == activity_id)
        .values(outcome=line.outcome, reason=line.reason, rule=line.rule, activity_id=line.activity_id)
    )
