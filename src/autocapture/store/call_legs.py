"""Calls that are told by several items, of which each was first taken for a call of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from autocapture.model.activities import Activity, ActivityAlias, Participant
from autocapture.model.ledger import LedgerEntry
from autocapture.store.bulk import insert_missing, table_of
from autocapture.store.lookup import Lookup


class Near(NamedTuple):
    activity_id: int
    number: str
    starts_at: datetime


_PARTY, _ACT, _ALIAS = table_of(Participant).c, table_of(Activity).c, table_of(ActivityAlias).c
_WITH = Lookup(
    lambda among: (
        select(_ACT.id, _PARTY.address, _ACT.occurred_at)
        .join(table_of(Participant), _PARTY.activity_id == _ACT.id)
        .where(
            among(_PARTY.address, "numbers"),
            _PARTY.user_id.is_(None),
            _ACT.kind == "call",
            _ACT.occurred_at.between(bindparam("first"), bindparam("last")),
        )
    )
)
_ALIASES = Lookup(
    lambda among: select(_ALIAS.key, _ALIAS.activity_id).where(among(_ALIAS.activity_id, "ids"))
)


def with_numbers(session: Session, numbers: Collection[str], first: datetime, last: datetime) -> list[Near]:
    """The stored calls with one of these numbers outside that began in this time."""
    return [Near(*row) for row in _WITH(session, numbers=numbers, first=first, last=last)]


def aliases_of(session: Session, activity_ids: Collection[int]) -> Mapping[int, int]:
    """The other identities of these activities: key to activity."""
    return dict(_ALIASES(session, ids=activity_ids)) if activity_ids else {}


def become(session: Session, aliases: Mapping[int, int], moved: Mapping[int, int]) -> None:
    """From now on these keys are those activities, and the items that showed the `moved` ones show what they became."""
    insert_missing(
        session,
        ActivityAlias,
        [{"key": key, "activity_id": activity_id} for key, activity_id in sorted(aliases.items())],
    )
    for before, after in sorted(moved.items()):
        session.execute(
            update(LedgerEntry).where(col(LedgerEntry.activity_id) == before).values(activity_id=after)
        )
