"""Which items of which channels show an activity: the ledger read from the activity's side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlmodel import Session, col

from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import among, rows_of, table_of
from autocapture.store.ledger import Line


@dataclass(frozen=True, slots=True)
class Sighting:
    """One item that the ledger names as a sighting of an activity; `live` while it is in its channel."""

    channel_id: int
    source_id: str
    live: bool


def captured_as(session: Session, channel_id: int, source_ids: Collection[str]) -> dict[str, int]:
    """The activity of each of these items that has one so far."""
    entry = table_of(LedgerEntry).c
    statement = select(entry.source_id, entry.activity_id).where(
        entry.channel_id == channel_id,
        among(session, entry.source_id, source_ids),
        entry.activity_id.is_not(None),
    )
    return dict(rows_of(session, statement))


def sightings(session: Session, activity_ids: Collection[int]) -> dict[int, list[Sighting]]:
    """Every item that the ledger names as a sighting of these activities."""
    found: dict[int, list[Sighting]] = defaultdict(list)
    entry = table_of(LedgerEntry).c
    statement = select(entry.activity_id, entry.channel_id, entry.source_id, entry.gone_at).where(
        among(session, entry.activity_id, activity_ids), entry.activity_id.is_not(None)
    )
    for activity_id, channel_id, source_id, gone_at in rows_of(session, statement):
        found[activity_id].append(Sighting(channel_id, source_id, gone_at is None))
    return found


def follow(session: Session, activity_id: int, line: Line) -> None:
    """The items that showed an activity which is no more are told of as `line` tells of the last one."""
    session.execute(
        update(LedgerEntry)
        .where(col(LedgerEntry.activity_id) == activity_id)
        .values(outcome=line.outcome, reason=line.reason, rule=line.rule, activity_id=line.activity_id)
    )
