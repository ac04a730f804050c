"""Whose rows somebody reaches: their own, those of the people they lead, or everybody's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, or_, select

from autocapture.model.activities import Participant, Participation
from autocapture.model.organization import Membership, Team, User
from autocapture.report.team import roster
from autocapture.web.access import Reach
from autocapture.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose rows somebody sees: those of `people` (None: of everybody), and of whoever was in `teams`, from that time."""

    people: frozenset[int] | None
    teams: frozenset[int] = frozenset()


def sight_of(session: Session, visit: Visit) -> Sight:
    """What the visitor sees on this page."""
    if visit.reach is Reach.ALL:
        return Sight(None)
    if visit.user is None or visit.user.id is None:
        return Sight(frozenset())
    own = frozenset({visit.user.id})
    if visit.reach is Reach.OWN:
        return Sight(own)
    teams = _managed(session, visit.user)
    now_in = select(Membership.user_id).where(
        col(Membership.team_id).in_(teams), col(Membership.valid_to).is_(None)
    )
    return Sight(own | _below(session, visit.user.id) | frozenset(session.exec(now_in)), teams)


def within(user_id: Any, sight: Sight) -> ColumnElement[bool]:
    """The condition that a column of user ids names one of the people seen."""
    return true() if sight.people is None else col(user_id).in_(sight.people)


def sees_activity(session: Session, sight: Sight, activity_id: int) -> bool:
    """Whether one of the people seen took part in an activity, or somebody of the teams while they belonged to them."""
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
    return visit.user.id in readers or bool(_below(session, visit.user.id) & readers)


def _below(session: Session, user_id: int) -> frozenset[int]:
    """Who reports to a user, at any distance."""
    reports: defaultdict[int | None, set[int]] = defaultdict(set)
    for person, leader in session.exec(select(User.id, User.manager_id)):
        reports[leader].add(person or 0)
    found: set[int] = set()
    waiting = set(reports[user_id])
    while waiting:
        person = waiting.pop()
        if person not in found:
            found.add(person)
            waiting |= reports[person]
    return frozenset(found - {user_id})


def _managed(session: Session, user: User) -> frozenset[int]:
    """The teams that a manager is in now."""
    if user.role != "manager":
        return frozenset()
    now_in = select(Membership.team_id).where(
        Membership.user_id == user.id, col(Membership.valid_to).is_(None)
    )
    return frozenset(session.exec(now_in))
