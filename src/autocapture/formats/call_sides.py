"""The two sides of a call: canonical handles, and which way it went."""

from __future__ import annotations

from typing import Literal, NamedTuple

from autocapture.formats.handles import canonical_phone
from autocapture.model.directory import Organization
from autocapture.records import CallRecord


class Sides(NamedTuple):
    """`caller` and `callee` are E.164, ``ext:12``, or empty for a withheld or unreadable number."""

    caller: str
    callee: str
    direction: Literal["inbound", "outbound", "internal"]

    @property
    def outside(self) -> str:
        """The handle of the side that is not ours; empty when it is withheld or there is none."""
        if self.direction == "internal":
            return ""
        return self.caller if self.direction == "inbound" else self.callee

    @property
    def inside(self) -> str:
        return self.callee if self.direction == "inbound" else self.caller


def sides_of(record: CallRecord, region: str, organization: Organization) -> Sides:
    """Reads the numbers as in `region`. A call between two numbers of ours is internal whatever the log says; otherwise the
    log's direction holds, and where it names none the side that is ours decides (a call from nobody we know came in)."""
    caller, callee = canonical_phone(record.caller, region), canonical_phone(record.callee, region)
    ours, theirs = organization.is_inside(caller), organization.is_inside(callee)
    if ours and theirs:
        return Sides(caller, callee, "internal")
    if record.direction == "inbound" or record.direction == "outbound":
        return Sides(caller, callee, record.direction)
    return Sides(caller, callee, "outbound" if ours else "inbound")
