"""Whose rows somebody reaches: their own, those of the people they lead, or everybody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, or_, select

from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.organization import Membership, Team
from autocapture.report.team import roster
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
    """Whether one of the people seen took part in an activity, or somebody of the teams while they belonged to them. What
    somebody said to be no business is shown to those who took part, and to nobody who leads them."""
    if session.exec(select(Activity.business).where(Activity.id == activity_id)).first() is False:
        sight = Sight(frozenset() if sight.viewer is None else frozenset({sight.viewer}))
    if sight.people is None:
        return True
    named = select(Participant.user_id).where(
        Participant.activity_id == activity_id, within(Participant.user_id, sight)
    )
    counted = select(Participation.user_id).where(
        Participation.activity_id == activity_id, within(Participation.user_id, sight)
    )
    then_in = (
        select(Participation.user_id)
        .join(Membership, col(Membership.user_id) == col(Participation.user_id))
        .where(
            Participation.activity_id == activity_id,
            col(Membership.team_id).in_(sight.teams),
            col(Membership.valid_from) <= col(Participation.local_date),
            or_(
                col(Membership.valid_to).is_(None), col(Membership.valid_to) >= col(Participation.local_date)
            ),
        )
    )
    return any(session.exec(found.limit(1)).first() is not None for found in (named, counted, then_in))


def reads_of_team(session: Session, visit: Visit, team: Team, start: date, end: date) -> bool:
    """Whether the visitor reads what is told of a team from `start` to `end`: who is mailed of it, and whoever leads those."""
    if visit.is_open:
        return True
    if visit.user is None or visit.user.id is None:
        return False
    told = roster(session, team, start, end)
    readers = {user.id for user in told.managers}
    return visit.user.id in readers or bool(below(session, visit.user.id) & readers)
