"""What is stored around the slots of meetings: calls and mails that may say what became of them, and meetings around those."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, and_, bindparam, cast, select
from sqlmodel import Session

from autocapture.model.activities import Activity, ActivityText, Participation
from autocapture.model.crm import ContactHandle, Switchboard
from autocapture.model.directory import untagged
from autocapture.store import activities
from autocapture.store.activities import Stored
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.lookup import Among, Lookup


class Span(NamedTuple):
    """A stored call or meeting of one of our people, on that person's day."""

    activity_id: int
    user_id: int
    local_date: date
    starts_at: datetime
    ends_at: datetime | None
    series_id: int | None


_PART, _ACT, _TEXT = table_of(Participation).c, table_of(Activity).c, table_of(ActivityText).c
_HANDLE, _BOARD = table_of(ContactHandle).c, table_of(Switchboard).c


def _of_users(among: Among) -> ColumnElement[bool]:
    """One of the users takes part in the activity: asked for each, since of all that the users had there is far more."""
    mine = select(_PART.user_id).where(_PART.activity_id == _ACT.id, among(_PART.user_id, "users"))
    return mine.correlate(table_of(Activity)).exists()


_SPANS = Lookup(
    lambda among: (
        select(
            _ACT.id,
            _PART.user_id,
            _PART.local_date,
            _ACT.occurred_at,
            _ACT.ends_at,
            _ACT.series_id,
            _PART.counts,
        )
        .join(table_of(Activity), _ACT.id == _PART.activity_id)
        .where(
            among(_PART.user_id, "users"),
            _PART.local_date.between(bindparam("first"), bindparam("last")),
            _ACT.kind == bindparam("kind"),
        )
    )
)
_REMARKS = Lookup(
    lambda among: select(_ACT.id).where(
        _ACT.remark.is_not(None),
        _ACT.occurred_at.between(bindparam("first"), bindparam("last")),
        _of_users(among),
    )
)
_WRITTEN = Lookup(
    lambda among: (
        select(_TEXT.activity_id)
        .join(table_of(Activity), _ACT.id == _TEXT.activity_id)
        .where(
            _TEXT.remark.is_not(None),
            _ACT.occurred_at.between(bindparam("first"), bindparam("last")),
            _of_users(among),
        )
    )
)
_SAID = Lookup(
    lambda among: select(_TEXT.activity_id, _TEXT.remark).where(
        _TEXT.remark.is_not(None), among(_TEXT.activity_id, "ids")
    )
)
_CONTACTS = Lookup(
    lambda among: select(_HANDLE.value, _HANDLE.contact_id).where(
        _HANDLE.kind.in_(("email", "phone")), among(_HANDLE.value, "handles")
    )
)
_REACHED = Lookup(
    lambda among: select(_BOARD.number, _BOARD.contact_id).where(among(_BOARD.number, "handles"))
)


def spans(session: Session, kind: str, users: Collection[int], first: date, last: date) -> list[Span]:
    """The calls or meetings that count for these users on these days, theirs."""
    rows = _SPANS(session, users=users, first=first, last=last, kind=kind) if users else ()
    return [Span(*row[:-1]) for row in rows if row[-1]]


def series_with_calls(session: Session, since: date) -> set[int]:
    """The series that have meetings with a call of one of those who took part in their slot."""
    call, of_call = table_of(Activity).alias("call"), table_of(Participation).alias("of_call")
    statement = (
        select(_ACT.series_id)
        .join(table_of(Participation), _PART.activity_id == _ACT.id)
        .join(of_call, (of_call.c.user_id == _PART.user_id) & (of_call.c.local_date == _PART.local_date))
        .join(call, call.c.id == of_call.c.activity_id)
        .where(
            _ACT.kind == "meeting",
            _ACT.series_id.is_not(None),
            _PART.local_date >= since,
            call.c.kind == "call",
            call.c.occurred_at < _ACT.ends_at,
            call.c.ends_at > _ACT.occurred_at,
        )
        .distinct()
    )
    return {series_id for (series_id,) in rows_of(session, statement)}


def series_in_doubt(session: Session, counts: bool) -> set[int]:
    """The series with a meeting of which nobody knows and that is stored otherwise than `counts` says: whether it is taken for
    held."""
    by_policy = cast(_ACT.evidence, String).like('%"policy"%')
    doubtful = _ACT.status == "unknown" if counts else and_(_ACT.status == "held", by_policy)
    statement = select(_ACT.series_id).where(_ACT.kind == "meeting", _ACT.series_id.is_not(None), doubtful)
    return {series_id for (series_id,) in rows_of(session, statement.distinct())}


def remarks(session: Session, users: Collection[int], first: datetime, last: datetime) -> set[int]:
    """The mails of these users, in this time, that say something of a meeting."""
    if not users:
        return set()
    found = (*_REMARKS(session, users=users, first=first, last=last),)
    found += (*_WRITTEN(session, users=users, first=first, last=last),)
    return {activity_id for (activity_id,) in found}


def load(session: Session, activity_ids: Collection[int]) -> dict[int, Stored]:
    """These calls and mails, a mail with what its text says of a meeting where its subject says nothing."""
    found = activities.load(session, activity_ids)
    said = dict(_SAID(session, ids=[key for key, item in found.items() if item.draft.kind == "email"]))
    return {
        key: replace(item, draft=replace(item.draft, remark=item.draft.remark or said[key]))
        if key in said
        else item
        for key, item in found.items()
    }


def contacts_of(session: Session, handles: Collection[str]) -> Mapping[str, frozenset[int]]:
    """The contacts that have each of these handles, tagged addresses without their tag too, or were reached on a switchboard."""
    of: dict[str, set[int]] = defaultdict(set)
    wanted = {*handles, *map(untagged, handles)}
    for value, contact_id in (*_CONTACTS(session, handles=wanted), *_REACHED(session, handles=handles)):
        of[value].add(contact_id)
    return {
        handle: frozenset(of[handle] or of[untagged(handle)])
        for handle in handles
        if handle in of or untagged(handle) in of
    }
