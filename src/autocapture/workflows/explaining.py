"""Answers to "why is this here, or why not?", told to whoever asks as far as it is theirs to know."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlmodel import Session, col, select

from autocapture.application import Application
from autocapture.model.activities import Activity, Participation
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.workflows.alternatives import NONE
from autocapture.workflows.answerable import is_answerable
from autocapture.workflows.explain import Explanation, explain
from autocapture.workflows.explain_item import Line, Source, activities_known_as, lines_of, sources
from autocapture.workflows.leading import with_those_led
from autocapture.workflows.people import our_people_as_known


@dataclass(frozen=True, slots=True)
class Explained:
    """The activities that are meant, and what the ledger says; where it says nothing, where it would have been seen."""

    activities: tuple[Explanation, ...]
    lines: tuple[Line, ...]
    sources: tuple[Source, ...] = ()


def explained(app: Application, text: str, user_id: int | None) -> Explained:
    """What there is to say of an activity's number, a Message-ID, a UID, a call's id or an id at the source.

    A user is told of what they or those whom they lead took part in, and of why items of their own accounts are not here.
    None: who runs the service, to whom everything is told but what somebody said to be no business.
    """
    organization = our_people_as_known(app)
    text = text.encode("utf-8", "replace").decode()  # what a shell passes on need not be text
    with reading(app.engine) as session:
        owners = None if user_id is None else (user_id,)
        lines = lines_of(session, organization, text, owners)
        ids = {*activities_known_as(session, text), *(each for line in lines for each in line.activity_ids)}
        found = []
        for activity_id in sorted(ids):
            explanation = explain(session, organization, activity_id)
            if explanation is not None and (told := _told(session, explanation, user_id)) is not None:
                found.append(told)
        nowhere = not found and not lines
        return Explained(tuple(found), tuple(lines), tuple(sources(session, owners)) if nowhere else ())


def _told(session: Session, explanation: Explanation, user_id: int | None) -> Explanation | None:
    """As much of it as may be told; None for nothing at all."""
    activity = explanation.activity
    if user_id is None:
        return explanation if activity.business else _without_content(explanation)
    user = session.get_one(User, user_id)
    people = with_those_led(session, user) if activity.business else frozenset({user_id})
    took_part = select(Participation.user_id).where(
        Participation.activity_id == activity.id, col(Participation.user_id).in_(people)
    )
    if session.exec(took_part).first() is None:
        return None
    openly = select(Activity.id).where(Activity.id == activity.id, *is_answerable(people))
    if not activity.business or session.exec(openly).first() is not None:
        return explanation
    who = tuple(each for each in explanation.who if each.role != "bcc")
    return replace(explanation, who=who, links=(), alternatives=NONE, said=())


def _without_content(explanation: Explanation) -> Explanation:
    bare = Activity.model_validate(explanation.activity.model_dump() | {"subject": None})
    return replace(explanation, activity=bare, who=(), links=(), alternatives=NONE)
