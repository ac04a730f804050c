"""A team's weekly summary as it was published."""

from __future__ import annotations

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.errors import InputError
from autocapture.model.measures import Publication
from autocapture.report.adjust import adjusted
from autocapture.report.charts import PAGE
from autocapture.report.message import Links
from autocapture.report.publication import stored, summary_of
from autocapture.report.team import slug, team_named
from autocapture.report.view import view
from autocapture.store.engine import reading
from autocapture.web.ownership import reads_of_team
from autocapture.web.templating import render
from autocapture.web.visit import Visit


def page(application: Application, visit: Visit, team_slug: str, week: str) -> str:
    """Raises InputError where no summary of that team and week was published, or not for who asks."""
    with reading(application.engine) as session:
        team = team_named(session, team_slug)
        publication = None if team is None or team.id is None else stored(session, team.id, week)
        if team is None or publication is None or publication.id is None:
            raise InputError("this summary was not published")
        summary = summary_of(publication)
        if not reads_of_team(session, visit, team, summary.period_start, summary.period_end):
            raise InputError("this summary is for others")
        since = adjusted(session, publication)
        told = view(summary, visit.reader, Links("", publication.id).number, PAGE, since)
        weeks = _weeks(session, publication, slug(summary.team))
    return render("summary.html", title=f"{summary.team}, {told.week}", visit=visit, v=told, weeks=weeks)


def _weeks(session: Session, publication: Publication, team_slug: str) -> list[tuple[str, str]]:
    """Address and label of the published week before and the one after, as far as they exist."""
    same_team = select(Publication.week).where(Publication.team_id == publication.team_id)
    before = session.exec(
        same_team.where(Publication.week < publication.week).order_by(col(Publication.week).desc())
    ).first()
    after = session.exec(
        same_team.where(Publication.week > publication.week).order_by(col(Publication.week))
    ).first()
    found = [(before, "← Week before"), (after, "Week after →")]
    return [(f"/summary/{team_slug}/{week}", label) for week, label in found if week is not None]
