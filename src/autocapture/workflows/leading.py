"""Who leads whom: by reporting line, and as manager of a team."""

from __future__ import annotations

from collections import defaultdict

from sqlmodel import Session, col, select

from autocapture.model.organization import Membership, User


def below(session: Session, user_id: int) -> frozenset[int]:
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


def managed_teams(session: Session, user: User) -> frozenset[int]:
    """The teams that a manager is in now."""
    if user.role != "manager":
        return frozenset()
    now_in = select(Membership.team_id).where(
        Membership.user_id == user.id, col(Membership.valid_to).is_(None)
    )
    return frozenset(session.exec(now_in))


def with_those_led(session: Session, user: User) -> frozenset[int]:
    """A user, and whom they lead now."""
    now_in = select(Membership.user_id).where(
        col(Membership.team_id).in_(managed_teams(session, user)), col(Membership.valid_to).is_(None)
    )
    return frozenset({user.id or 0}) | below(session, user.id or 0) | frozenset(session.exec(now_in))
