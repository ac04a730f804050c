"""The spot checks behind the precision of a summary."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from autocapture.model.measures import Publication
from autocapture.report.message import Links
from autocapture.report.precision import Verdict, verdicts
from autocapture.report.reader import Reader
from autocapture.report.summary import Summary
from autocapture.report.wording import count, precision, precision_note
from autocapture.web.ownership import sees_activity, sight_of
from autocapture.web.templating import render
from autocapture.web.visit import Visit
from autocapture.workflows.corrections_told import one


def page(session: Session, visit: Visit, publication: Publication, summary: Summary) -> str:
    """Of a summary that who asks may read. Verdicts on activities that they may not see are counted, and not told."""
    told = summary.precision
    users = [person.user_id for person in summary.people]
    found = [] if told is None else list(verdicts(session, summary.as_of, users, told.days))
    asked = sorted((each for each in found if each.asked), key=lambda each: each.said_at, reverse=True)
    sight = sight_of(session, visit)
    seen = [each for each in asked if sees_activity(session, sight, each.activity_id)]
    hidden = len(asked) - len(seen)
    return render(
        "precision.html",
        title="How often matching is right",
        visit=visit,
        value="" if told is None else precision(told, visit.reader),
        note="" if told is None else precision_note(told, visit.reader),
        rows=[_row(session, each, visit.reader) for each in seen],
        hidden=f"{count(hidden, 'more is', 'more are')} on activities that are not yours to see."
        if hidden
        else "",
        back=Links("", publication.id or 0).page(summary),
        team=summary.team,
        week=summary.week,
    )


def _row(session: Session, verdict: Verdict, reader: Reader) -> dict[str, Any]:
    told = one(session, verdict.correction_id)
    return {
        "when": reader.day(verdict.said_at.astimezone(reader.zone).date()),
        "who": "" if told is None else told.by,
        "said": "" if told is None else told.whole,
        "right": "right" if verdict.right == 1 else "wrong" if verdict.right == 0 else "in part",
        "href": f"/activities/{verdict.activity_id}",
    }
