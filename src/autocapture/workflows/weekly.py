"""Which weekly summaries are due, published and mailed.

Due is the week that ended, from Monday 07:00 in the zone of the team's manager until the week after. Whether it was told is
a row, never the time of a tick: asking every few minutes, twice, or late on Thursday comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.organization import Team
from autocapture.report.team import roster
from autocapture.store.engine import reading
from autocapture.workflows.summarize import deliver, publish

log = structlog.get_logger()

TOLD_FROM = time(7, 0)
_WEEK = timedelta(days=7)
_RETRIED_FOR = timedelta(days=1)


def publish_due_summaries(app: Application) -> int:
    """Publishes what is due, and mails it where a mail server is set; the number of teams told of. Raises SetupError."""
    due = due_summaries(app)
    for team_id, week in due:
        try:
            publication = publish(app, team_id=team_id, week=week)
        except InputError:  # over for the manager, not yet for the organisation: the next tick asks again
            continue
        if app.settings.smtp.host and app.clock.now() - publication.as_of < _RETRIED_FOR:
            states = [delivery.state for delivery in deliver(app, publication, patient=True)]
            log.info("summary told", team_id=team_id, week=week, count=states.count("sent"))
    return len(due)


def due_summaries(app: Application) -> list[tuple[int, str]]:
    """Team ids and ISO weeks to be told of now."""
    now = app.clock.now()
    default = app.settings.organization.time_zone
    with reading(app.engine) as session:
        teams = session.exec(select(Team).order_by(col(Team.id))).all()
        zones = [(team.id, _zones(session, team, now.date())) for team in teams]
    due = []
    for team_id, managers in zones:
        week = due_week(now, managers or [default])
        if team_id is not None and week is not None:
            due.append((team_id, week))
    return due


def due_week(now: datetime, time_zones: Sequence[str]) -> str | None:
    """The ISO week that managers in `time_zones` may be told of at `now`; None before the last of them has Monday 07:00."""
    weeks = set()
    for name in time_zones:
        local = now.astimezone(ZoneInfo(name))
        monday = local.date() - timedelta(days=local.weekday())
        if local < datetime.combine(monday, TOLD_FROM, local.tzinfo):
            return None
        year, week, _ = (monday - _WEEK).isocalendar()
        weeks.add(f"{year}-W{week:02d}")
    return min(weeks, default=None)


def _zones(session: Session, team: Team, today: date) -> list[str]:
    managers = roster(session, team, today - _WEEK, today).managers
    return [manager.time_zone for manager in managers]
