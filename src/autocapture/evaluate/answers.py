"""What somebody says of an activity, and what the product said: read back from its own tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, select
from sqlmodel import Session

from autocapture.evaluate.world import World
from autocapture.model.activities import Activity, Match, Participant
from autocapture.model.crm import Company, Contact, Deal
from autocapture.model.ledger import CAPTURED, LedgerEntry
from autocapture.store.bulk import table_of
from autocapture.store.engine import reading


@dataclass(frozen=True, slots=True)
class Answer:
    """One judgement. `deals` has the weight of each deal the activity is put down to, at most 1 together; empty for none.

    `certainty` is the probability, by the judge's own word, that this is right; 1 where none is named. `people` and
    `companies` are None where the judge is not asked for them.
    """

    admitted: bool = True
    people: frozenset[str] | None = None
    companies: frozenset[str] | None = None
    deals: Mapping[str, float] | None = None
    certainty: float = 1.0

    @property
    def attached(self) -> bool:
        return bool(self.deals)

    def share_of(self, deal: str) -> float:
        """How much of the activity is put down to `deal`."""
        weights = self.deals or {}
        return weights.get(deal, 0.0) / sum(weights.values()) if weights else 0.0


class _Line(NamedTuple):
    activity_id: int | None
    series_id: int | None


NOT_ADMITTED = Answer(admitted=False)


def read_answers(engine: Engine, world: World) -> dict[str, Answer]:
    """The product's answer to each activity of the world. A link names its probability as `p` in its evidence."""
    with reading(engine) as session:
        numbers = stored_as(session, world)
        stored = _stored(session)
    return {key: NOT_ADMITTED if number is None else stored[number] for key, number in numbers.items()}


def stored_as(session: Session, world: World) -> dict[str, int | None]:
    """The stored activity of each activity of the world; None where it was not admitted."""
    ledger, meetings = _ledger(session), _meetings(session)
    found: dict[str, int | None] = {}
    for activity in world.activities:
        line = ledger.get(activity.id, _Line(None, None))
        found[activity.id] = line.activity_id
        if activity.kind == "meeting" and line.series_id is not None:
            found[activity.id] = meetings.get((line.series_id, activity.at))
    return found


def _ledger(session: Session) -> dict[str, _Line]:
    row = table_of(LedgerEntry).c
    rows = session.execute(
        select(row.source_id, row.activity_id, row.series_id).where(row.outcome == CAPTURED)
    )
    return {source_id: _Line(activity_id, series_id) for source_id, activity_id, series_id in rows}


def _meetings(session: Session) -> dict[tuple[int, datetime], int]:
    row = table_of(Activity).c
    rows = session.execute(
        select(row.series_id, row.occurred_at, row.id).where(
            row.series_id.is_not(None), row.kind == "meeting"
        )
    )
    return {(series_id, occurred_at): number for series_id, occurred_at, number in rows}


def _stored(session: Session) -> dict[int, Answer]:
    people: dict[int, set[str]] = defaultdict(set)
    party, contact = table_of(Participant).c, table_of(Contact).c
    for number, key in session.execute(
        select(party.activity_id, contact.source_id).join(table_of(Contact), contact.id == party.contact_id)
    ):
        people[number].add(key)
    companies: dict[int, set[str]] = defaultdict(set)
    for number, key, _, _ in _links(session, "company", Company):
        companies[number].add(key)
    deals: dict[int, dict[str, float]] = defaultdict(dict)
    certain: dict[int, float] = {}
    for number, key, weight, evidence in _links(session, "deal", Deal):
        deals[number][key] = weight
        certain[number] = max(certain.get(number, 0.0), float(evidence.get("p", 1.0)))
    return {
        number: Answer(
            people=frozenset(people[number]),
            companies=frozenset(companies[number]),
            deals=deals.get(number),
            certainty=certain.get(number, 1.0),
        )
        for number in session.scalars(select(table_of(Activity).c.id))
    }


def _links(session: Session, target: str, model: type[Any]) -> list[Any]:
    link, other = table_of(Match).c, table_of(model).c
    statement = (
        select(link.activity_id, other.source_id, link.weight, link.evidence)
        .join(table_of(model), other.id == link.target_id)
        .where(link.target == target)
    )
    return list(session.execute(statement))
