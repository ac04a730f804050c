"""The front page: the teams' latest summaries and whether capture runs."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from autocapture.application import Application
from autocapture.model.accounts import Account, Channel
from autocapture.model.ledger import LedgerEntry
from autocapture.model.measures import Publication
from autocapture.model.organization import Team
from autocapture.report.publication import summary_of
from autocapture.report.reader import Reader
from autocapture.report.sentences import finding
from autocapture.report.tallies import plain
from autocapture.report.team import slug
from autocapture.store.engine import reading
from autocapture.web.ownership import reads_of_team, sight_of, within
from autocapture.web.templating import render
from autocapture.web.visit import Visit

_WEEKS = 6
_AT_REST = {"pending": "waiting for a choice", "paused": "paused", "disconnected": "disconnected"}


def page(application: Application, visit: Visit) -> str:
    today = application.clock.now().astimezone(visit.reader.zone).date()
    with reading(application.engine) as session:
        teams = session.exec(select(Team).order_by(col(Team.name))).all()
        return render(
            "overview.html",
            title="Overview",
            visit=visit,
            teams=[
                _team(session, team, visit.reader)
                for team in teams
                if reads_of_team(session, visit, team, today, today)
            ],
            capture=_capture(session, visit),
        )


def _team(session: Session, team: Team, reader: Reader) -> dict[str, object]:
    latest = session.exec(
        select(Publication)
        .where(Publication.team_id == team.id)
        .order_by(col(Publication.week).desc())
        .limit(_WEEKS)
    ).all()
    path = f"/summary/{slug(team.name)}"
    return {
        "name": team.name,
        "finding": plain(finding(summary_of(latest[0]), reader)) if latest else None,
        "weeks": [(f"{path}/{publication.week}", publication.week) for publication in latest],
    }


def _capture(session: Session, visit: Visit) -> dict[str, object]:
    mine = within(Account.user_id, sight_of(session, visit))
    states = dict(session.exec(select(Account.state, func.count()).where(mine).group_by(Account.state)).all())
    outcomes = dict(
        session.exec(
            select(LedgerEntry.outcome, func.count())
            .join(Channel, col(Channel.id) == col(LedgerEntry.channel_id))
            .join(Account, col(Account.id) == col(Channel.account_id))
            .where(mine)
            .group_by(LedgerEntry.outcome)
        ).all()
    )
    last = session.exec(
        select(func.max(Channel.last_ok_at))
        .join(Account, col(Account.id) == col(Channel.account_id))
        .where(mine)
    ).one()
    return {
        "accounts": sum(states.values()),
        "down": states.get("needs_reconnect", 0),
        "others": [
            f"{count} {words}" for state, words in _AT_REST.items() if (count := states.get(state, 0))
        ],
        "outcomes": [
            (outcome, visit.reader.count(outcomes.get(outcome, 0)))
            for outcome in ("captured", "skipped", "quarantined")
        ],
        "last": visit.reader.moment(last) if last else None,
    }
