"""The names of users, teams and companies, by which answers speak of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from autocapture.measure.period import Period
from autocapture.measure.query import Query
from autocapture.measure.sql import table

user = table("app_user")
team = table("team")
company = table("company")
membership = table("membership")


@dataclass(frozen=True, slots=True)
class Labels:
    names: Mapping[str, Mapping[int, str]]
    reps: frozenset[int]
    stays: tuple[tuple[int, int, date, date], ...]
    """Memberships: user, team, first and last day."""

    def of(self, dimension: str, key: Any) -> str | None:
        """What a key of `dimension` is called: emails, names of teams and companies; other keys are their own names."""
        names = self.names.get(dimension)
        return key if names is None or key is None else names[key]

    def knows(self, dimension: str, name: str) -> bool:
        """Whether a user or a team of that name exists. Other dimensions have no list of their values."""
        if dimension == "user":
            return name.lower() in self.names["user"].values()
        return dimension != "team" or name in self.names["team"].values()

    def spine(self, query: Query, period: Period) -> Iterator[tuple[int, ...]]:
        """The keys that are told of even when nothing was counted: the reps or teams that the question covers."""
        if not query.by:
            yield ()
        elif query.by == ("user",):
            yield from ((user_id,) for user_id in sorted(self._users(query, period)))
        elif query.by == ("team",):
            yield from (
                (team_id,)
                for team_id, name in self.names["team"].items()
                if name in _only(query, "team", name)
            )

    def _users(self, query: Query, period: Period) -> set[int]:
        emails = self.names["user"]
        chosen = {who for who in self.reps if emails[who] in _only(query, "user", emails[who])}
        teams = _only(query, "team", "")
        if teams == {""}:
            return chosen
        members = {
            who
            for who, where, first, last in self.stays
            if self.names["team"][where] in teams and first <= period.end and last >= period.start
        }
        return chosen & members


def _only(query: Query, dimension: str, default: str) -> set[str]:
    """The one value that scope and filter leave for `dimension`; `default` where neither says anything."""
    said = {query.where[dimension]} if dimension in query.where else set()
    if query.scope.type == dimension:
        said = said & {query.scope.name} if said else {query.scope.name}
    return {name.lower() if dimension == "user" else name for name in said} if said else {default}


def load_labels(session: Session, dimensions: Collection[str] = ()) -> Labels:
    """Users and teams always; companies, of which there are many, only where `dimensions` names them."""
    users = session.execute(select(user.c.id, user.c.email, user.c.role, user.c.active)).all()
    stays = session.execute(
        select(membership.c.user_id, membership.c.team_id, membership.c.valid_from, membership.c.valid_to)
    )
    companies = (
        {row.id: row.name for row in session.execute(select(company.c.id, company.c.name))}
        if "company" in dimensions
        else {}
    )
    return Labels(
        names={
            "user": {row.id: row.email for row in users},
            "team": {row.id: row.name for row in session.execute(select(team.c.id, team.c.name))},
            "company": companies,
        },
        reps=frozenset(row.id for row in users if row.role == "rep" and row.active),
        stays=tuple((row.user_id, row.team_id, row.valid_from, row.valid_to or date.max) for row in stays),
    )
