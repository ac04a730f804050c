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
    """Reads the numbers as in `region`. The numbers decide where they can, whatever the log says (it gives a leg that was
    passed on the direction of its call): between two numbers of ours a call is internal, and with one the side that is
    ours tells. With none the log's direction holds; where it names none, a call from nobody we know came in."""
    caller, callee = canonical_phone(record.caller, region), canonical_phone(record.callee, region)
    ours, theirs = organization.is_inside(caller), organization.is_inside(callee)
    if ours and theirs:
        return Sides(caller, callee, "internal")
    if ours or theirs:
        return Sides(caller, callee, "outbound" if ours else "inbound")
    return Sides(caller, callee, "outbound" if record.direction == "outbound" else "inbound")
