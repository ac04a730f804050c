"""Spot checks: one thread in ten that matching put on a deal by itself is asked about, whatever it looks like.

People correct what they notice, so their corrections alone say little of how often matching is right. Which threads are asked
about depends on nothing but a hash, so right and wrong ones are asked about alike.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.activities import Activity, Match, Participant
from autocapture.model.corrections import UNDO, Correction
from autocapture.model.crm import Deal
from autocapture.model.organization import User
from autocapture.store.activities import Stored
from autocapture.store.engine import reading
from autocapture.workflows.answerable import is_answerable
from autocapture.workflows.leading import with_those_led

BY_PEOPLE = "correction"
ONE_IN = 10
ASKED_FOR = timedelta(days=90)
"""Nobody remembers longer what a mail was about."""
_PLACE = 7


@dataclass(frozen=True, slots=True)
class Check:
    """An activity that was put on a deal by itself: is that right? `key` is the deal's in the CRM."""

    activity_id: int
    kind: str
    at: datetime
    subject: str | None
    outside: tuple[str, ...]
    deal: str
    key: str


def group_of(stored: Stored) -> int:
    """The thread or series of an activity, or itself."""
    return stored.thread_id or stored.series_id or stored.activity_id


def is_sampled(group: int) -> bool:
    """Whether a thread or series is one of those that are asked about."""
    return group % ONE_IN == _PLACE


def spot_checks(app: Application, user_id: int, *, team: bool = False, most: int = 3) -> list[Check]:
    """What is to be asked of a user's activities, with `team` also of those whom they lead: the newest of each thread."""
    since = app.clock.now() - ASKED_FOR
    with reading(app.engine) as session:
        user = session.get_one(User, user_id)
        people = with_those_led(session, user) if team else frozenset({user_id})
        rows = session.exec(
            select(Activity, Deal)
            .join(Match, col(Match.activity_id) == col(Activity.id))
            .join(Deal, and_(col(Match.target) == "deal", col(Deal.id) == col(Match.target_id)))
            .where(
                _group() % ONE_IN == _PLACE,
                col(Activity.occurred_at) >= since,
                Match.method != BY_PEOPLE,
                _group().not_in(_spoken_of()),
                *is_answerable(people),
            )
            .order_by(col(Activity.occurred_at).desc(), col(Match.weight).desc(), col(Deal.id))
            .limit(most * 20)
        ).all()
        first: dict[int, tuple[Activity, Deal]] = {}
        for activity, deal in rows:
            first.setdefault(activity.thread_id or activity.series_id or activity.id, (activity, deal))
        chosen = list(first.values())[:most]
        outside = _outside(session, [activity.id for activity, _ in chosen])
        return [
            Check(
                activity.id,
                activity.kind,
                activity.occurred_at,
                activity.subject,
                outside.get(activity.id, ()),
                deal.name,
                deal.source_id,
            )
            for activity, deal in chosen
        ]


def found_deal(app: Application, activity_id: int, by: int) -> str:
    """The key of the deal on which matching put an activity of theirs. Raises InputError where it is on none."""
    with reading(app.engine) as session:
        led = with_those_led(session, session.get_one(User, by))
        found = session.exec(
            select(Deal.source_id)
            .join(Match, and_(col(Match.target) == "deal", col(Deal.id) == col(Match.target_id)))
            .join(Activity, col(Activity.id) == col(Match.activity_id))
            .where(Match.activity_id == activity_id, *is_answerable(led))
            .order_by(col(Match.weight).desc(), col(Deal.id))
        ).first()
    if found is None:
        raise InputError(
            f"there is no activity {activity_id} of yours, or of those whom you lead, that is on a deal"
        )
    return found


def _group() -> ColumnElement[int]:
    return func.coalesce(col(Activity.thread_id), col(Activity.series_id), col(Activity.id))


def _spoken_of() -> Select[Any]:
    """The threads and series of which somebody said something that stands."""
    undoing = aliased(Correction)
    undone = (
        sql_select(col(undoing.id)).where(col(undoing.undoes) == col(Correction.id)).correlate(Correction)
    )
    return (
        sql_select(_group())
        .join(Correction, col(Correction.activity_id) == col(Activity.id))
        .where(col(Correction.said).not_in((UNDO, "person")), ~undone.exists())
    )


def _outside(session: Session, ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    rows = session.exec(
        select(Participant.activity_id, Participant.name, Participant.address)
        .where(
            col(Participant.activity_id).in_(ids),
            col(Participant.user_id).is_(None),
            col(Participant.resource).is_(False),
            Participant.role != "bcc",
        )
        .order_by(col(Participant.activity_id), col(Participant.role), col(Participant.address))
    )
    found: dict[int, tuple[str, ...]] = {}
    for activity_id, name, address in rows:
        found[activity_id] = (*found.get(activity_id, ()), name or address)
    return found
