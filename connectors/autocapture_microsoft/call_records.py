"""Graph's call records to `CallRecord`: calls between one of our people and one number. Meetings and calls among several are
no business of a call log; calendars tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from autocapture.connector import Broken, Record
from autocapture.errors import RecordUnusable
from autocapture.records import CallOutcome, CallRecord
from autocapture_microsoft.shape import Item, instant, member, members, text


def read_call(id_: str, item: Item, rep: str, address: str) -> Record | Broken:
    """`rep` is the object id of whose log this is, `address` what we call them."""
    version = version_of(item)
    try:
        return Record(id_, call_record(id_, item, rep, address), version)
    except RecordUnusable as unusable:
        return Broken(id_, str(unusable), version)


def version_of(item: Item) -> str:
    """A later version of a record tells more than an earlier one."""
    found = item.get("version")
    return str(found) if isinstance(found, int) else "0"


def call_record(id_: str, item: Item, rep: str, address: str) -> CallRecord:
    """The session in which the rep talked longest. A call without a number on the other side has none here either, and is
    then no activity. Raises RecordUnusable for a value of unknown form."""
    held = members(item, "sessions")
    sessions = [each for each in held if rep in (_person(each, "caller"), _person(each, "callee"))]
    session = max(sessions, key=_length, default=None)
    started_at = instant(item if session is None else session, "startDateTime")
    if started_at is None:
        raise RecordUnusable("it does not say when it began")
    if session is None or not _is_between_two(text(item, "type"), held):
        return CallRecord(id_, "", "", started_at, owner=address)
    outgoing = rep == _person(session, "caller")
    number = _number(session, "callee" if outgoing else "caller")
    direction: Literal["inbound", "outbound"] = "outbound" if outgoing else "inbound"
    talked, outcome = _outcome(session)
    return CallRecord(
        call_id=id_,
        caller="" if outgoing else number,
        callee=number if outgoing else "",
        started_at=started_at,
        talked_for=talked,
        outcome=outcome,
        direction=direction,
        owner=address,
    )


def _is_between_two(kind: str, sessions: Sequence[Item]) -> bool:
    """Calls among several have a session for each who took part. Not every call is told as what it is."""
    return kind == "peerToPeer" or (kind != "groupCall" and len(sessions) == 1)


def _outcome(session: Item) -> tuple[timedelta, CallOutcome]:
    """A call that failed while it was set up was never talked."""
    failure = member(session, "failureInfo")
    if text(failure, "stage").casefold() == "callsetup":
        return timedelta(0), "failed"
    talked = _length(session)
    return talked, "answered" if talked else "no_answer"


def _length(session: Item) -> timedelta:
    began, ended = instant(session, "startDateTime"), instant(session, "endDateTime")
    return timedelta(0) if began is None or ended is None else max(ended - began, timedelta(0))


def _person(session: Item, side: str) -> str:
    """The object id of the user on this side; empty where it is not one."""
    endpoint = member(session, side)
    return text(member(endpoint, "associatedIdentity"), "id") or text(
        member(member(endpoint, "identity"), "user"), "id"
    )


def _number(session: Item, side: str) -> str:
    endpoint = member(session, side)
    phone = text(member(member(endpoint, "identity"), "phone"), "id")
    named = text(member(endpoint, "associatedIdentity"), "id")
    return phone or (named if named.startswith("+") else "")
