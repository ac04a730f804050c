"""Corrections in words: who said what of which activities, when, and whether it was taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from autocapture.application import Application
from autocapture.model.corrections import UNDO, Correction
from autocapture.model.crm import Contact, Deal
from autocapture.model.organization import User
from autocapture.store.engine import reading
from autocapture.workflows.leading import with_those_led

_GONE = "that is no longer in the CRM"
_LISTED = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One correction. `whole` is a sentence; `undone_by` and `undone_at` are None while it stands."""

    correction_id: int
    activity_id: int
    at: datetime
    by: str
    whole: str
    for_users: tuple[str, ...]
    """Of whom it also holds for other activities."""
    undone_by: str | None = None
    undone_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.undone_at is None


def said_of(session: Session, activity_id: int, also: Collection[int] = ()) -> list[Told]:
    """What was said of an activity, and the corrections `also`, oldest first."""
    wanted = or_(Correction.activity_id == activity_id, col(Correction.id).in_(also))
    return _told(session, session.exec(select(Correction).where(wanted, Correction.said != UNDO)).all())


def one(session: Session, correction_id: int) -> Told | None:
    row = session.get(Correction, correction_id)
    return None if row is None or row.said == UNDO else _told(session, [row])[0]


def listed(app: Application, user_id: int | None) -> list[Told]:
    """The newest corrections, newest first: of a user and of those whom they lead, or (None) of everybody."""
    with reading(app.engine) as session:
        rows = select(Correction).where(Correction.said != UNDO).order_by(col(Correction.id).desc())
        if user_id is not None:
            led = with_those_led(session, session.get_one(User, user_id))
            rows = rows.where(col(Correction.made_by).in_(led))
        return _told(session, session.exec(rows.limit(_LISTED)).all())[::-1]


def _told(session: Session, rows: Sequence[Correction]) -> list[Told]:
    ids = [row.id for row in rows]
    undone = {
        row.undoes: row for row in session.exec(select(Correction).where(col(Correction.undoes).in_(ids)))
    }
    people = dict(session.exec(select(User.id, User.name)).all())
    deals = _names(session, Deal, {row.deal for row in rows if row.deal is not None})
    contacts = _names(session, Contact, {row.contact for row in rows if row.contact is not None})
    return [
        Told(
            correction_id=row.id or 0,
            activity_id=row.activity_id,
            at=row.made_at,
            by=people.get(row.made_by, ""),
            whole=sentence(row, deals.get(row.deal or ""), contacts.get(row.contact or "")),
            for_users=() if row.scope == "item" else tuple(people.get(each, "") for each in row.for_users),
            undone_by=people.get(back.made_by) if (back := undone.get(row.id)) else None,
            undone_at=back.made_at if back else None,
        )
        for row in sorted(rows, key=lambda row: row.id or 0)
    ]


def _names(session: Session, model: type[Deal] | type[Contact], keys: Collection[str]) -> dict[str, str]:
    found = session.exec(select(model.source_id, model.name).where(col(model.source_id).in_(keys)))
    return dict(found.all())


def sentence(row: Correction, deal: str | None, contact: str | None) -> str:
    """What a correction says, in one sentence; `deal` and `contact` are names, None where the CRM has none."""
    match row.said:
        case "deal":
            until = ", until it closes" if row.scope in ("person", "domain") else ""
            return f"{_what(row)} is about {deal or f'a deal {_GONE} ({row.deal})'}{until}."
        case "no_deal":
            return f"{_what(row)} is about no deal."
        case "not_business":
            return f"{_what(row)} is not business."
        case _:
            where = {"item": " here", "thread": " in this thread"}.get(row.scope, "")
            whom = (
                "nobody in the CRM"
                if row.contact is None
                else contact or f"a contact {_GONE} ({row.contact})"
            )
            return f"{row.handle} is {whom}{where}."


def _what(row: Correction) -> str:
    match row.scope:
        case "thread":
            return "The whole thread"
        case "person":
            return f"What is with {row.handle}"
        case "domain":
            return f"What is with {row.domain}"
        case _:
            return "This"
