"""Which calendar items become meetings."""

from __future__ import annotations

from collections.abc import Iterator

from autocapture.admit import reasons
from autocapture.admit.exclusions import Exclusions
from autocapture.formats.handles import canonical_email
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Verdict
from autocapture.records import Attendee, EventRecord

_ADMITTED = Verdict(None, "event@1")
_PRIVATE = Verdict(reasons.PRIVATE, "sensitivity@1")
_NOT_A_MEETING = Verdict(reasons.NOT_A_MEETING, "meeting@1")
_INTERNAL = Verdict(reasons.INTERNAL, "parties@1")


def admit_event(
    record: EventRecord, owner: Colleague, organization: Organization, exclusions: Exclusions
) -> Verdict:
    """Whether the calendar item of `owner` is a meeting with somebody from outside.

    A series is judged whole, its exceptions included; `normalize.meeting` leaves out instances that are private or among
    ourselves. Rooms and equipment are nobody. Time marked as free is no meeting, whoever is named in it, unless it was
    cancelled: programs free the time of what they cancel, and that a meeting was cancelled is to be known. A cancelled
    exception that came by itself is kept: it says something of its series, whatever it still tells of the guests.
    """
    if record.private:
        return _PRIVATE
    if record.purpose != "default" or (record.transparent and record.status != "cancelled"):
        return _NOT_A_MEETING
    handles = {canonical_email(each.email) for each in _people(record)}
    handles.discard("")
    outside = [handle for handle in handles if not organization.is_inside(handle)]
    if exclusions.apply(handles, outside):
        return Verdict(reasons.EXCLUDED, exclusions.rule)
    if outside or (record.recurrence_id is not None and record.status == "cancelled"):
        return _ADMITTED
    others = {handle for handle in handles if organization.user_of(handle) != owner.user_id}
    return _INTERNAL if others else _NOT_A_MEETING


def _people(record: EventRecord) -> Iterator[Attendee]:
    if record.organizer is not None:
        yield record.organizer
    yield from (each for each in record.attendees if not each.resource)
    for override in record.overrides:
        if not override.private:
            yield from _people(override)
