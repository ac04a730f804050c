"""The handles of a record: what must be looked up before its activity can be matched."""

from __future__ import annotations

from collections.abc import Iterable

from autocapture.formats.envelope import author_of
from autocapture.formats.handles import canonical_email, canonical_phone
from autocapture.model.directory import untagged
from autocapture.records import Attendee, CallRecord, EmailRecord, EventRecord, RecordData


def handles_of(record: RecordData, region: str = "") -> set[str]:
    """Every canonical handle of a record, tagged addresses also without their tag.

    `region` is the ISO 3166 code by which the numbers of a call are read (`Colleague.region`).
    """
    if isinstance(record, EmailRecord):
        found = _email_handles(record)
    elif isinstance(record, EventRecord):
        found = {canonical_email(each.email) for each in _attendees(record)}
    else:
        found = _call_handles(record, region)
    found.discard("")
    found.update([untagged(handle) for handle in found if "+" in handle])
    return found


def _email_handles(record: EmailRecord) -> set[str]:
    found = {canonical_email(each.email) for each in record.to}
    for fields in (record.from_, record.cc, record.bcc, record.sender):
        found.update([canonical_email(each.email) for each in fields])
    if (author := author_of(record)) is not None:
        found.add(canonical_email(author.email))
    return found


def _attendees(record: EventRecord) -> Iterable[Attendee]:
    yield from record.attendees
    if record.organizer is not None:
        yield record.organizer
    for override in record.overrides:
        yield from _attendees(override)


def _call_handles(record: CallRecord, region: str) -> set[str]:
    return {canonical_phone(number, region) for number in (record.caller, record.callee)}
