"""Which calls become activities."""

from __future__ import annotations

from autocapture.admit import reasons
from autocapture.admit.exclusions import Exclusions
from autocapture.formats.call_sides import sides_of
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Verdict
from autocapture.records import CallRecord

_ADMITTED = Verdict(None, "call@1")
_INTERNAL = Verdict(reasons.INTERNAL, "parties@1")
_NO_EXTERNAL = Verdict(reasons.NO_EXTERNAL, "parties@1")


def admit_call(
    record: CallRecord, owner: Colleague, organization: Organization, exclusions: Exclusions
) -> Verdict:
    """Whether the call, found in the log of `owner`, becomes an activity: its outside number is known, not listed, and not
    one of ours."""
    sides = sides_of(record, owner.region, organization)
    if exclusions.apply((sides.inside,), (sides.outside,) if sides.outside else ()):
        return Verdict(reasons.EXCLUDED, exclusions.rule)
    if sides.direction == "internal":
        return _INTERNAL
    return _ADMITTED if sides.outside else _NO_EXTERNAL
