"""Which weekly summaries are due, published and mailed.

Due is the week that ended, from Monday 07:00 in the zone of the team's manager until the week after, once the team's accounts
have been captured and none is being connected any more. Whether it was told is a row, never the time of a tick: asking every
few minutes, twice, or late on Thursday comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.organization import Team
from autocapture.report.publication import is_final, stored
from autocapture.report.sources import last_connected, sourced
from autocapture.report.team import Roster, roster
from autocapture.store.engine import reading
from autocapture.workflows.summarize import deliver, publish

log = structlog.get_logger()

TOLD_FROM = time(7, 0)
CONNECTED_FOR = timedelta(hours=1)
"""Accounts are connected one after the other: a week is told once no other has followed for so long."""
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
    due = []
    with reading(app.engine) as session:
        for team in session.exec(select(Team).order_by(col(Team.id))).all():
            people = roster(session, team, now.date() - _WEEK, now.date())
            week = due_week(now, [manager.time_zone for manager in people.managers] or [default])
            if week is not None and _ready(session, people, week, now):
                due.append((people.team_id, week))
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


def _ready(session: Session, people: Roster, week: str, now: datetime) -> bool:
    kept = stored(session, people.team_id, week)
    if kept is not None and is_final(session, kept):
        return True
    connected_at = last_connected(session, people.reps)
    settled = connected_at is not None and now - connected_at >= CONNECTED_FOR
    return settled and sourced(session, people.reps, now)
