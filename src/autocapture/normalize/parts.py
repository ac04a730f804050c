"""What an activity counts for each of our people, on their own local day (METRICS R6, R10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from autocapture.model.draft import Part

_RANK = {
    role: rank
    for rank, role in enumerate(
        ("copied", "attendee", "recipient", "callee", "caller", "organizer", "sender")
    )
}


_zone = cache(ZoneInfo)


def local_date(instant: datetime, time_zone: str) -> date:
    """The calendar day of an instant in an IANA zone."""
    return instant.astimezone(_zone(time_zone)).date()


def shared(parts: Iterable[Part]) -> tuple[Part, ...]:
    """One part a user, in the order of user ids: the weightiest role, and 1/k for each of the k users for whom it counts.

    Where two parts of one user name different days the earlier one stays, as does the earlier of two instants.
    """
    chosen: dict[int, Part] = {}
    for part in parts:
        known = chosen.get(part.user_id)
        chosen[part.user_id] = part if known is None or known == part else _joined(known, part)
    counting = sum(part.counts for part in chosen.values())
    share = 1 / counting if counting else 0.0
    result = []
    for user_id in sorted(chosen):
        part = chosen[user_id]
        due = share if part.counts else 0.0
        result.append(part if part.share == due else _with_share(part, due))
    return tuple(result)


def is_weightier(counts: bool, role: str, than_counts: bool, than_role: str) -> bool:
    """Whether one role of a user says more than another: what counts before what does not, then doing before being told."""
    return (counts, _RANK.get(role, 0)) > (than_counts, _RANK.get(than_role, 0))


def _with_share(part: Part, share: float) -> Part:
    return Part(part.user_id, part.local_date, part.role, part.counts, share, part.booked_date)


def _joined(one: Part, other: Part) -> Part:
    weightier = other if is_weightier(other.counts, other.role, one.counts, one.role) else one
    booked = [part.booked_date for part in (one, other) if part.booked_date is not None]
    return replace(
        weightier,
        local_date=min(one.local_date, other.local_date),
        booked_date=min(booked) if booked else None,
    )
