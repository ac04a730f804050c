"""The spot checks behind the precision of a summary."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from autocapture.model.measures import Publication
from autocapture.report.precision import Verdict, verdicts
from autocapture.report.reader import Reader
from autocapture.report.sentences import precision_note
from autocapture.report.summary import Summary
from autocapture.report.tallies import plain
from autocapture.report.wording import count, precision
from autocapture.web.below import below
from autocapture.web.ownership import seen_of, sight_of
from autocapture.web.templating import render
from autocapture.web.visit import Visit
from autocapture.workflows.corrections_told import one


def page(session: Session, visit: Visit, publication: Publication, summary: Summary) -> str:
    """Of a summary that who asks may read. Verdicts on activities that they may not see are counted, and not told."""
    told = summary.precision
    users = [person.user_id for person in summary.people]
    found = [] if told is None else list(verdicts(session, summary.as_of, users, told.days))
    judged = sorted(
        (each for each in found if each.asked or each.right < 1), key=lambda each: each.said_at, reverse=True
    )
    visible = seen_of(session, sight_of(session, visit), [each.activity_id for each in judged])
    seen = [each for each in judged if each.activity_id in visible]
    hidden = len(judged) - len(seen)
    return render(
        "precision.html",
        title="How often matching is right",
        visit=visit,
        value="" if told is None else precision(told, visit.reader),
        note="" if told is None else plain(precision_note(told, visit.reader)),
        rows=[_row(session, each, visit.reader) for each in seen if each.asked],
        unasked=[_row(session, each, visit.reader) for each in seen if not each.asked],
        hidden=f"{count(hidden, 'more is', 'more are')} on activities that are not yours to see."
        if hidden
        else "",
        **below(publication, summary, visit.reader),
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
