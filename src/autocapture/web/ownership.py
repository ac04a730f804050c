"""Whose rows somebody reaches: their own, those of the people they lead, or everybody's."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, select

from autocapture.model.activities import Participant, Participation
from autocapture.model.organization import Membership, Team, User
from autocapture.report.team import roster
from autocapture.web.access import Reach
from autocapture.web.visit import Visit

People = frozenset[int] | None
"""Ids of users; None for everybody."""


def people_reached(session: Session, visit: Visit) -> People:
    """Those whose accounts and activities the visitor sees on this page."""
    if visit.reach is Reach.ALL:
        return None
    if visit.user is None or visit.user.id is None:
        return frozenset()
    own = frozenset({visit.user.id})
    return (
        own
        if visit.reach is Reach.OWN
        else own | _below(session, visit.user.id) | _of_teams(session, visit.user)
    )


def within(user_id: Any, people: People) -> ColumnElement[bool]:
    """The condition that a column of user ids names one of `people`."""
    return true() if people is None else col(user_id).in_(people)


def took_part(session: Session, people: People, activity_id: int) -> bool:
    """Whether one of `people` took part in an activity, or has it in their accounts."""
    if people is None:
        return True
    counted = select(Participation.user_id).where(
        Participation.activity_id == activity_id, col(Participation.user_id).in_(people)
    )
    named = select(Participant.user_id).where(
        Participant.activity_id == activity_id, col(Participant.user_id).in_(people)
    )
    return any(session.exec(found.limit(1)).first() is not None for found in (counted, named))


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


def _of_teams(session: Session, user: User) -> frozenset[int]:
    """Whoever belongs or belonged to the teams that a manager is in now."""
    if user.role != "manager":
        return frozenset()
    teams = select(Membership.team_id).where(
        Membership.user_id == user.id, col(Membership.valid_to).is_(None)
    )
    return frozenset(session.exec(select(Membership.user_id).where(col(Membership.team_id).in_(teams))))
