"""The review page: what stayed undecided, and one click to answer."""

from __future__ import annotations

from typing import Any

from autocapture.application import Application
from autocapture.report.measured import exact
from autocapture.report.numbers import RATE
from autocapture.report.reader import Reader
from autocapture.report.wording import count
from autocapture.store.engine import reading
from autocapture.web.correction_form import choice, just_said
from autocapture.web.templating import render
from autocapture.web.visit import Visit, signed_in_user
from autocapture.workflows.leading import with_those_led
from autocapture.workflows.review import TOP, Question, Queue, queue
from autocapture.workflows.spot_checks import Check, spot_checks

PER_PAGE = 20


def page(application: Application, visit: Visit, number: int, *, team: bool, said: int | None) -> str:
    """The page of that number, counted from 1; `said` is the correction that was just made."""
    user = signed_in_user(visit)
    with reading(application.engine) as session:
        leads = len(with_those_led(session, user)) > 1
        told = None if said is None else just_said(session, visit, said)
    found = queue(
        application, user.id or 0, team=team and leads, start=(number - 1) * PER_PAGE, most=PER_PAGE
    )
    checks = spot_checks(application, user.id or 0, team=team and leads) if number == 1 else []
    return render(
        "review.html",
        title="Review",
        visit=visit,
        questions=[_question(each, visit.reader, leads=leads) for each in found.questions],
        headline=_headline(found),
        intro=_intro(found, team=team and leads),
        leads=leads,
        whose="team" if team and leads else "",
        said=told,
        checks=[_check(each, visit.reader) for each in checks],
        newer=number - 1 or None,
        older=number + 1 if found.total > number * PER_PAGE else None,
    )


def _headline(found: Queue) -> str:
    if not found.total:
        return "Nothing is undecided"
    return "One question" if found.total == 1 else f"{found.total} questions"


def _intro(found: Queue, *, team: bool) -> str:
    if not found.total:
        return "What cannot be told by itself is asked here."
    what = count(found.undecided, "activity", "activities")
    whose = "of your team" if team else "of yours"
    return f"{what} {whose} could not be put on a deal with certainty. One click answers, for the whole thread if you like."


def _check(check: Check, reader: Reader) -> dict[str, Any]:
    return {
        "id": check.activity_id,
        "kind": check.kind,
        "when": reader.day(check.at.astimezone(reader.zone).date()),
        "subject": check.subject,
        "with": check.outside,
        "deal": check.deal,
        "value": f"deal:{check.key}",
    }


def _question(question: Question, reader: Reader, *, leads: bool) -> dict[str, Any]:
    choices = question.alternatives
    return {
        "id": question.activity_id,
        "kind": question.kind,
        "when": reader.day(question.at.astimezone(reader.zone).date()),
        "subject": question.subject,
        "ours": question.ours if leads else (),
        "with": question.outside,
        "why": question.why[:1].upper() + question.why[1:],
        "deals": [choice(each, reader) for each in choices.deals[:TOP]],
        "more": len(choices.deals) - TOP,
        "no_deal": None if choices.no_deal is None else reader.amount(exact(choices.no_deal), RATE),
        "has_thread": question.has_thread,
        "alike": question.alike,
    }
