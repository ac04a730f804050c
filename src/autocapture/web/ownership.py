"""Whose rows somebody reaches: their own, those of the people they lead, or everybody's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, or_, select

from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.organization import Membership, Team
from autocapture.report.team import roster
from autocapture.store.bulk import in_chunks
from autocapture.web.access import Reach
from autocapture.web.visit import Visit
from autocapture.workflows.leading import below, managed_teams, with_those_led


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose rows somebody sees: those of `people` (None: of everybody), and of whoever was in `teams`, from that time; and
    of what is no business those of the `viewer` alone."""

    people: frozenset[int] | None
    teams: frozenset[int] = frozenset()
    viewer: int | None = None


def sight_of(session: Session, visit: Visit) -> Sight:
    """What the visitor sees on this page."""
    if visit.reach is Reach.ALL:
        return Sight(None)
    if visit.user is None or visit.user.id is None:
        return Sight(frozenset())
    own = frozenset({visit.user.id})
    if visit.reach is Reach.OWN:
        return Sight(own, viewer=visit.user.id)
    return Sight(with_those_led(session, visit.user), managed_teams(session, visit.user), visit.user.id)


def within(user_id: Any, sight: Sight) -> ColumnElement[bool]:
    """The condition that a column of user ids names one of the people seen."""
    return true() if sight.people is None else col(user_id).in_(sight.people)


def sees_activity(session: Session, sight: Sight, activity_id: int) -> bool:
    """Whether an activity is one of those that `seen_of` tells."""
    return activity_id in seen_of(session, sight, (activity_id,))


def seen_of(session: Session, sight: Sight, activity_ids: Iterable[int]) -> set[int]:
    """In which of these activities one of the people seen took part, or somebody of the teams while they belonged to them. What
    somebody said to be no business is shown to those who took part, and to nobody who leads them."""
    themselves = Sight(frozenset() if sight.viewer is None else frozenset({sight.viewer}))
    found: set[int] = set()
    for chunk in in_chunks(list(activity_ids)):
        said = select(Activity.id).where(col(Activity.id).in_(chunk), col(Activity.business).is_(False))
        private = {number for number in session.exec(said) if number is not None}
        found |= _taken_part(session, sight, set(chunk) - private)
        found |= _taken_part(session, themselves, private)
    return found


def _taken_part(session: Session, sight: Sight, activity_ids: set[int]) -> set[int]:
    if sight.people is None or not activity_ids:
        return activity_ids
    named = select(Participant.activity_id).where(
        col(Participant.activity_id).in_(activity_ids), within(Participant.user_id, sight)
    )
    counted = select(Participation.activity_id).where(
        col(Participation.activity_id).in_(activity_ids), within(Participation.user_id, sight)
    )
    then_in = (
        select(Participation.activity_id)
        .join(Membership, col(Membership.user_id) == col(Participation.user_id))
        .where(
            col(Participation.activity_id).in_(activity_ids),
            col(Membership.team_id).in_(sight.teams),
            col(Membership.valid_from) <= col(Participation.local_date),
            or_(
                col(Membership.valid_to).is_(None), col(Membership.valid_to) >= col(Participation.local_date)
            ),
        )
    )
    return {number for rows in (named, counted, then_in) for number in session.exec(rows.distinct())}


def reads_of_team(session: Session, visit: Visit, team: Team, start: date, end: date) -> bool:
    """Whether the visitor reads what is told of a team from `start` to `end`: who is mailed of it, and whoever leads those."""
    if visit.is_open:
        return True
    if visit.user is None or visit.user.id is None:
        return False
    told = roster(session, team, start, end)
    readers = {user.id for user in told.managers}
    return visit.user.id in readers or bool(below(session, visit.user.id) & readers)
