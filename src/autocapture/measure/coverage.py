"""Whether what is connected covers a period: whose accounts, how far back, and whether the period has begun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, func, or_, select
from sqlmodel import Session

from autocapture.measure.declare import Metric
from autocapture.measure.period import Period
from autocapture.measure.query import Gap, Query
from autocapture.measure.sql import table
from autocapture.records import Kind

account = table("account")
channel = table("channel")
membership = table("membership")
user = table("app_user")
team = table("team")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far capture reaches for some people. `since`: the latest bound among their accounts; None reaches to the beginning.

    `anybody`, `everybody`: who has connected something that the metric is counted from. `settled`: no first capture of it is
    under way.
    """

    since: date | None = None
    anybody: bool = False
    everybody: bool = False
    settled: bool = True

    def gap(self, period: Period) -> Gap | None:
        if not self.anybody:
            return Gap.NOT_CONNECTED
        if self.since is not None and self.since > period.start:
            return Gap.CAPTURED_LATER
        if not self.everybody:
            return Gap.SOME_NOT_CONNECTED
        return None if self.settled else Gap.BACKFILLING


_NOBODY = Reach()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The reach of each user, of each team's members, and of everybody in scope. `today` is where the day began first."""

    today: date
    counts_captures: bool
    users: Mapping[int, Reach]
    teams: Mapping[int, Reach]
    everybody: Reach

    def gap(self, period: Period, user_id: int | None = None, team_id: int | None = None) -> Gap | None:
        """Why a value of the people concerned does not speak for the whole of `period`; None where it does."""
        if period.start > self.today:
            return Gap.NOT_BEGUN
        if not self.counts_captures:
            return None
        if user_id is not None:
            return self.users.get(user_id, _NOBODY).gap(period)
        if team_id is not None:
            return self.teams.get(team_id, _NOBODY).gap(period)
        return self.everybody.gap(period)


def coverage(session: Session, metric: Metric, query: Query) -> Coverage:
    today = today_of(session, query.as_of)
    if not metric.counted_from:
        return Coverage(today, False, {}, {}, _NOBODY)
    reps = set(session.scalars(select(user.c.id).where(user.c.role == "rep", user.c.active)))
    users = _reaches(session, metric.counted_from)
    members = defaultdict(set)
    for row in session.execute(_memberships(query.period)):
        members[row.team_id].add(row.user_id)
    concerned = _concerned(session, query, members)
    return Coverage(
        today=today,
        counts_captures=True,
        users=users,
        teams={team_id: _together(users, who, reps) for team_id, who in members.items()},
        everybody=_together(users, {*users, *reps} if concerned is None else concerned, reps),
    )


def today_of(session: Session, as_of: datetime) -> date:
    """The day on which the first of our people is at `as_of`. What begins later has not begun for anybody."""
    zones = {UTC, *map(ZoneInfo, session.scalars(select(user.c.time_zone).distinct()))}
    return max(as_of.astimezone(zone).date() for zone in zones)


def _reaches(session: Session, kinds: tuple[Kind, ...]) -> dict[int, Reach]:
    """Of each user who has an account. A channel that was switched off has brought what it could."""
    since = {
        row.user_id: row.since
        for row in session.execute(
            select(
                account.c.user_id, func.max(account.c.since, type_=account.c.since.type).label("since")
            ).group_by(account.c.user_id)
        )
    }
    settled: dict[int, bool] = {}
    for row in session.execute(
        select(account.c.user_id, channel.c.backfilled, channel.c.enabled)
        .join(channel, channel.c.account_id == account.c.id)
        .where(channel.c.kind.in_(kinds))
    ):
        settled[row.user_id] = settled.get(row.user_id, True) and (row.backfilled or not row.enabled)
    return {
        user_id: Reach(bound, user_id in settled, user_id in settled, settled.get(user_id, True))
        for user_id, bound in since.items()
    }


def _together(users: Mapping[int, Reach], people: set[int], reps: set[int]) -> Reach:
    """The reach of `people` as one. Only reps must have connected something, where there are any among them."""
    found = [users[user_id] for user_id in people if user_id in users]
    return Reach(
        since=max((reach.since for reach in found if reach.since is not None), default=None),
        anybody=any(reach.anybody for reach in found),
        everybody=all(users.get(user_id, _NOBODY).anybody for user_id in people & reps or people),
        settled=all(reach.settled for reach in found),
    )


def _memberships(period: Period) -> Executable:
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
