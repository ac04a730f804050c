"""What the page of an activity offers to who may correct it, and tells of what was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.corrections import Correction
from autocapture.report.measured import exact
from autocapture.report.numbers import RATE
from autocapture.report.reader import Reader
from autocapture.web.blind_copies import named_openly
from autocapture.web.ownership import Sight
from autocapture.web.visit import Visit, signed_in_user
from autocapture.workflows.alternatives import NONE, Candidate, Considered, alternatives
from autocapture.workflows.corrections_told import Told, one, said_of
from autocapture.workflows.explain import holding
from autocapture.workflows.leading import with_those_led

_MOST_DEALS = 5
_SCOPES = (
    ("item", "This alone", ""),
    ("thread", "Its whole thread", "Also what joins it later."),
    ("person", "The person", "All that is with them. A deal: from this on, until it closes."),
    ("domain", "Everybody at their domain", "The same, for the whole organisation."),
)


@dataclass(frozen=True, slots=True)
class CorrectionForm:
    """What the form of an activity offers: deals, people and scopes."""

    deals: list[dict[str, Any]]
    people: list[tuple[str, str]]
    scopes: list[tuple[str, str, str]]


def form_of(
    session: Session, visit: Visit, sight: Sight, found: Activity, considered: Considered | None
) -> CorrectionForm | None:
    """The form by which the visitor may correct an activity, if they may. Without `considered` it offers no deals: they might
    tell of somebody who is hidden from the visitor."""
    if visit.user is None or not _may_correct(session, visit, found):
        return None
    deals: tuple[Candidate, ...] = ()
    if considered is not None:
        deals = alternatives(session, considered).get(found.id, NONE).deals[:_MOST_DEALS]
    people = session.exec(
        select(Participant.address, Participant.name)
        .where(Participant.activity_id == found.id, named_openly(sight))
        .where(col(Participant.user_id).is_(None), col(Participant.resource).is_(False))
        .order_by(col(Participant.address))
    ).all()
    names: dict[str, str] = dict(people)
    alone = found.thread_id is None and found.series_id is None
    scopes = [scope for scope in _SCOPES if not (scope[0] == "thread" and alone)]
    return CorrectionForm(
        [choice(each, visit.reader) for each in deals],
        [(address, f"{name} <{address}>" if name else address) for address, name in names.items()],
        scopes if names else scopes[:-2],
    )


def choice(candidate: Candidate, reader: Reader) -> dict[str, Any]:
    """A deal to choose, in words."""
    owner = f"{candidate.owner}'s" if candidate.owner else ""
    closed = f"{candidate.outcome} {reader.moment(candidate.closed_at)}" if candidate.closed_at else ""
    return {
        "value": f"deal:{candidate.key}",
        "name": candidate.name,
        "of": ", ".join(filter(None, (candidate.company, owner, closed))),
        "p": reader.amount(exact(candidate.p), RATE),
        "why": "; ".join(candidate.reasons) or "nothing speaks for it",
    }


def _may_correct(session: Session, visit: Visit, found: Activity) -> bool:
    user = signed_in_user(visit)
    people = with_those_led(session, user) if found.business else frozenset({user.id or 0})
    took_part = select(Participation.user_id).where(
        Participation.activity_id == found.id, col(Participation.user_id).in_(people)
    )
    return session.exec(took_part.limit(1)).first() is not None


def told_of(
    session: Session, activity_id: int, considered: Considered, reader: Reader
) -> list[dict[str, Any]]:
    """What was said of an activity, or of others and holds for it too, oldest first."""
    return [line(each, reader) for each in said_of(session, activity_id, holding(considered, activity_id))]


def just_said(session: Session, visit: Visit, correction_id: int) -> dict[str, Any] | None:
    """What the visitor said a moment ago, to be told that it was taken down."""
    row = session.get(Correction, correction_id)
    told = one(session, correction_id)
    if row is None or told is None or row.made_by != visit.user_id or not told.stands:
        return None
    return line(told, visit.reader)


def line(told: Told, reader: Reader) -> dict[str, Any]:
    undone = f"taken back by {told.undone_by} on {reader.moment(told.undone_at)}" if told.undone_at else ""
    return {
        "id": told.correction_id,
        "by": told.by,
        "at": reader.moment(told.at),
        "said": told.whole,
        "undone": undone,
    }
