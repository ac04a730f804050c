"""Whom a summary is about and who reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, or_, select

from autocapture.model.organization import Membership, Team, User


@dataclass(frozen=True, slots=True)
class Roster:
    """A team in a week: its members who work with customers, sorted by name, and the managers who read of them."""

    team: Team
    reps: tuple[User, ...]
    managers: tuple[User, ...]

    @property
    def team_id(self) -> int:
        assert self.team.id is not None  # noqa: S101  a stored row has its key
        return self.team.id


def roster(session: Session, team: Team, start: date, end: date) -> Roster:
    """The members of `team` at any time from `start` to `end` (inclusive) whose role is rep; the readers are the active managers
    among the members and those whom the reps report to."""
    members = session.exec(
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.team_id == team.id,
            col(Membership.valid_from) <= end,
            or_(col(Membership.valid_to).is_(None), col(Membership.valid_to) >= start),
        )
        .distinct()
    ).all()
    reps = [user for user in members if user.role == "rep"]
    return Roster(team, tuple(sorted(reps, key=_by_name)), _managers(session, members, reps))


def _managers(session: Session, members: Sequence[User], reps: Sequence[User]) -> tuple[User, ...]:
    leads = {rep.manager_id for rep in reps if rep.manager_id is not None}
    above = session.exec(select(User).where(col(User.id).in_(leads))).all()
    found = {user.id: user for user in (*members, *above) if user.role == "manager" or user.id in leads}
    return tuple(sorted((user for user in found.values() if user.active), key=_by_name))


def _by_name(user: User) -> tuple[str, str]:
    return user.name.casefold(), user.email


def slug(name: str) -> str:
    """A team's name as it stands in an address: letters and digits of any script, joined by hyphens."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.casefold()).split()
    return "-".join(words) or "team"


def team_named(session: Session, text: str) -> Team | None:
    """The team whose name or slug is `text`; None where there is none."""
    teams = session.exec(select(Team).order_by(col(Team.id))).all()
    exact = [team for team in teams if team.name == text]
    return next(iter(exact or [team for team in teams if slug(team.name) == text]), None)
