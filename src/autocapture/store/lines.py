"""Telephone lines that several people share: who has a number, and with whom of them our people were in touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlmodel import Session

from autocapture.model.activities import Activity, Participant, Participation
from autocapture.model.crm import Contact, ContactHandle, Switchboard
from autocapture.store.bulk import insert_missing, rows_of, table_of
from autocapture.store.lookup import Lookup


class Touch(NamedTuple):
    """A mail or meeting of one of ours with a contact."""

    contact_id: int
    user_id: int
    at: datetime


_HANDLE, _OTHER = table_of(ContactHandle), table_of(ContactHandle).alias("other")
_LINE, _BOARD = table_of(ContactHandle).alias("line"), table_of(Switchboard)
_PARTY, _PART, _ACT = table_of(Participant).c, table_of(Participation).c, table_of(Activity).c
_BOARDS = Lookup(
    lambda among: select(_BOARD.c.number, _BOARD.c.contact_id).where(among(_BOARD.c.number, "numbers"))
)
_TOUCHES = Lookup(
    lambda among: (
        select(_HANDLE.c.contact_id, _PART.user_id, _ACT.occurred_at)
        .join(
            table_of(Participant),
            (_PARTY.address == _HANDLE.c.value) & _PARTY.user_id.is_(None),
        )
        .join(table_of(Activity), _ACT.id == _PARTY.activity_id)
        .join(table_of(Participation), _PART.activity_id == _ACT.id)
        .where(
            _HANDLE.c.kind == "email",
            among(_HANDLE.c.contact_id, "contacts"),
            among(_PART.user_id, "users"),
            _PART.counts,
            _ACT.kind.in_(("email", "meeting")),
            _ACT.nature == "human",
            _ACT.business,
            _ACT.occurred_at.between(bindparam("first"), bindparam("last")),
        )
    )
)
_CONTACT = table_of(Contact).c
_COMPANIES = Lookup(
    lambda among: select(_CONTACT.id, _CONTACT.company_id).where(among(_CONTACT.id, "contacts"))
)
_SHARED_BY = Lookup(
    lambda among: (
        select(_LINE.c.value)
        .join(_HANDLE, (_HANDLE.c.contact_id == _LINE.c.contact_id) & (_LINE.c.kind == "phone"))
        .join(
            _OTHER,
            (_OTHER.c.kind == "phone")
            & (_OTHER.c.value == _LINE.c.value)
            & (_OTHER.c.contact_id != _LINE.c.contact_id),
        )
        .where(_HANDLE.c.kind == "email", among(_HANDLE.c.value, "handles"))
    )
)
_BOARDS_OF = Lookup(
    lambda among: (
        select(_BOARD.c.number)
        .join(_HANDLE, _HANDLE.c.contact_id == _BOARD.c.contact_id)
        .where(_HANDLE.c.kind == "email", among(_HANDLE.c.value, "handles"))
    )
)
_HAS = select(
    select(_HANDLE.c.value).where(_HANDLE.c.kind == "phone").exists(), select(_BOARD.c.number).exists()
)
"""Whether the CRM has telephone numbers at all, and whether a switchboard is known."""


def switchboards(session: Session, numbers: Collection[str]) -> Mapping[str, frozenset[int]]:
    """Those of these numbers that are known for switchboards, with the contacts who were reached on them."""
    found: dict[str, set[int]] = defaultdict(set)
    for number, contact_id in _BOARDS(session, numbers=numbers) if numbers else ():
        found[number].add(contact_id)
    return {number: frozenset(contacts) for number, contacts in found.items()}


def companies_of(session: Session, contacts: Collection[int]) -> Mapping[int, int]:
    """The company of each of these contacts that has one."""
    rows = _COMPANIES(session, contacts=contacts) if contacts else ()
    return {contact_id: company_id for contact_id, company_id in rows if company_id is not None}


def touches(
    session: Session, contacts: Collection[int], users: Collection[int], first: datetime, last: datetime
) -> list[Touch]:
    """The mails and meetings of these users with these contacts in this time."""
    rows = _TOUCHES(session, contacts=contacts, users=users, first=first, last=last)
    return [Touch(*row) for row in rows]


def shared_by(session: Session, handles: Collection[str]) -> set[str]:
    """The numbers that those who write from these addresses share with others."""
    if not handles:
        return set()
    has_lines, has_boards = session.connection().execute(_HAS).one()
    rows = _SHARED_BY(session, handles=handles) if has_lines else ()
    boards = _BOARDS_OF(session, handles=handles) if has_boards else ()
    return {number for (number,) in (*rows, *boards)}


class Reached(NamedTuple):
    """A call in the slot of a meeting of the same rep: the number, one of those who took part in the meeting, and one of those
    who have the number, none of whom did."""

    number: str
    meeting_id: int
    contact_id: int
    owner_id: int | None


def reached_in_slots(session: Session, since: date) -> list[Reached]:
    """Who may have been on which line since this day."""
    call, meeting = table_of(Activity).alias("call"), table_of(Activity).alias("meeting")
    mine, of_meeting = table_of(Participation).alias("mine"), table_of(Participation).alias("of_meeting")
    line, guest = table_of(Participant).alias("line"), table_of(Participant).alias("guest")
    owner, of_guest = table_of(ContactHandle).alias("owner"), table_of(ContactHandle).alias("of_guest")
    statement = (
        select(line.c.address, meeting.c.id, of_guest.c.contact_id, owner.c.contact_id)
        .select_from(call)
        .join(mine, mine.c.activity_id == call.c.id)
        .join(
            of_meeting,
            (of_meeting.c.user_id == mine.c.user_id)
            & (of_meeting.c.local_date == mine.c.local_date)
            & of_meeting.c.counts,
        )
        .join(meeting, meeting.c.id == of_meeting.c.activity_id)
        .join(line, (line.c.activity_id == call.c.id) & line.c.user_id.is_(None))
        .join(guest, (guest.c.activity_id == meeting.c.id) & guest.c.user_id.is_(None))
        .join(of_guest, (of_guest.c.kind == "email") & (of_guest.c.value == guest.c.address))
        .outerjoin(owner, (owner.c.kind == "phone") & (owner.c.value == line.c.address))
        .where(
            call.c.kind == "call",
            call.c.status.in_(("answered", "unknown")),
            call.c.ends_at > call.c.occurred_at,
            mine.c.local_date >= since,
            meeting.c.kind == "meeting",
            meeting.c.status.not_in(("cancelled_by_us", "cancelled_by_them")),
            call.c.occurred_at.between(meeting.c.occurred_at, meeting.c.ends_at),
        )
        .distinct()
    )
    rows = [Reached(*row) for row in rows_of(session, statement)]
    present = {(each.number, each.meeting_id) for each in rows if each.owner_id == each.contact_id}
    return [each for each in rows if (each.number, each.meeting_id) not in present]


def known_switchboards(session: Session) -> set[tuple[str, int]]:
    return {
        (number, contact)
        for number, contact in rows_of(session, select(_BOARD.c.number, _BOARD.c.contact_id))
    }


def replace_switchboards(
    session: Session, *, gone: Collection[tuple[str, int]], new: Collection[tuple[str, int]]
) -> None:
    for number, contact_id in sorted(gone):
        session.execute(delete(_BOARD).where(_BOARD.c.number == number, _BOARD.c.contact_id == contact_id))
    insert_missing(
        session, Switchboard, [{"number": number, "contact_id": contact} for number, contact in sorted(new)]
    )
