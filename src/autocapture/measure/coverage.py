"""Whether capture reaches back far enough for a period to be complete."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select
from sqlmodel import Session

from autocapture.measure.period import Period
from autocapture.measure.query import Query
from autocapture.measure.sql import table

account = table("account")
membership = table("membership")
user = table("app_user")
team = table("team")


@dataclass(frozen=True, slots=True)
class Coverage:
    """The latest `since` among the accounts of each user, of each team's members, and of everybody in scope.

    An account without `since` reaches back to the beginning, whenever it was connected. None as a key is everybody.
    """

    users: Mapping[int, date]
    teams: Mapping[int, date]
    everybody: date | None

    def complete(self, period: Period, user_id: int | None = None, team_id: int | None = None) -> bool:
        """True where no account concerned begins after the first day of the period."""
        if user_id is not None:
            since = self.users.get(user_id)
        elif team_id is not None:
            since = self.teams.get(team_id)
        else:
            since = self.everybody
        return since is None or since <= period.start


def coverage(session: Session, query: Query) -> Coverage:
    users = {
        row.user_id: row.since
        for row in session.execute(
            select(account.c.user_id, func.max(account.c.since, type_=account.c.since.type).label("since"))
            .where(account.c.since.is_not(None))
            .group_by(account.c.user_id)
        )
    }
    teams: dict[int, date] = {}
    members = defaultdict(set)
    for row in session.execute(_memberships(query.period)):
        members[row.team_id].add(row.user_id)
        if row.user_id in users:
            teams[row.team_id] = max(teams.get(row.team_id, date.min), users[row.user_id])
    concerned = _concerned(session, query, members)
    known = [since for user_id, since in users.items() if concerned is None or user_id in concerned]
    return Coverage(users, teams, max(known, default=None))


def _memberships(period: Period):  # type: ignore[no-untyped-def]
    return select(membership.c.user_id, membership.c.team_id).where(
        membership.c.valid_from <= period.end,
        or_(membership.c.valid_to.is_(None), membership.c.valid_to >= period.start),
    )


def _concerned(session: Session, query: Query, members: Mapping[int, set[int]]) -> set[int] | None:
    """The users that the scope and the filters of the query leave; None for everybody."""
    emails = [query.where["user"]] if "user" in query.where else []
    teams = [query.where["team"]] if "team" in query.where else []
    if query.scope.type == "user":
        emails.append(query.scope.name)
    if query.scope.type == "team":
        teams.append(query.scope.name)
    sets = [set(session.scalars(select(user.c.id).where(user.c.email == email.lower()))) for email in emails]
    for name in teams:
        team_id = session.scalar(select(team.c.id).where(team.c.name == name))
        sets.append(members.get(team_id, set()) if team_id is not None else set())
    return set.intersection(*sets) if sets else None
