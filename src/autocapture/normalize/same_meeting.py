"""Which of the calendar resources of one UID are copies of one meeting.

A UID ought to be unique in the world (RFC 5545, 3.8.4.7). Some programs count from 1, or copy a template with its UID.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from autocapture.formats.handles import canonical_email
from autocapture.formats.recurrence import original_key
from autocapture.model.directory import Colleague, Organization
from autocapture.records import EventRecord


@dataclass(frozen=True, slots=True)
class CalendarCopy:
    """One calendar resource as the calendar of `owner` holds it, or held it.

    `gone`: it left that calendar, at `gone_at` (None: not known, taken as this moment). `calendar` tells one calendar from
    another, `source_id` one resource of it. `moves`: when what it tells of began before (`store.calendar.Copy`).
    """

    owner: Colleague
    record: EventRecord
    first_seen_at: datetime
    gone: bool = False
    gone_at: datetime | None = None
    calendar: int = 0
    source_id: str = ""
    moves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Told:
    """What copies say that tells meetings apart: whose calendars, organizers, everybody, and when. People of ours go by
    their own address."""

    owners: frozenset[str]
    organizers: frozenset[str]
    people: frozenset[str]
    starts: frozenset[str]

    def is_same(self, other: _Told) -> bool:
        """The same organizer; where one names none, or both start at one time (an organizer may be rewritten on the way),
        anybody in common. A copy that names nobody (a cancellation) is one of whatever there is."""
        if self.organizers & other.organizers or self.is_bare() or other.is_bare():
            return True
        if self.organizers and other.organizers and not self.starts & other.starts:
            return False
        common = self.people & other.people
        return bool(common - self.owners if self.owners == other.owners else common)

    def is_bare(self) -> bool:
        return self.people <= self.owners

    def joined(self, other: _Told) -> _Told:
        return _Told(
            self.owners | other.owners,
            self.organizers | other.organizers,
            self.people | other.people,
            self.starts | other.starts,
        )

    def anchor(self) -> str:
        """An address that no other meeting of the UID has in this place."""
        return min(self.organizers or self.people - self.owners or self.people)


def told_apart(
    copies: Sequence[CalendarCopy], organization: Organization
) -> list[tuple[str, list[CalendarCopy]]]:
    """The meetings among copies of one UID, each with an address that no other of them has and that does not depend on the
    order of the copies. What one calendar holds under one UID is always one meeting: a series and its exceptions."""
    by_calendar: dict[tuple[int, int], list[CalendarCopy]] = defaultdict(list)
    for copy in copies:
        by_calendar[copy.owner.user_id, copy.calendar].append(copy)
    groups: list[tuple[_Told, list[CalendarCopy]]] = []
    for held in by_calendar.values():
        told, members = _told(held, organization), held
        while (same := next((group for group in groups if group[0].is_same(told)), None)) is not None:
            groups.remove(same)
            told, members = same[0].joined(told), [*same[1], *members]
        groups.append((told, members))
    return sorted(((told.anchor(), members) for told, members in groups), key=lambda meeting: meeting[0])


def _told(copies: Sequence[CalendarCopy], organization: Organization) -> _Told:
    owners = frozenset(copy.owner.email for copy in copies)
    organizers: set[str] = set()
    people, starts = set(owners), set[str]()
    for copy in copies:
        for event in (copy.record, *copy.record.overrides):
            named = [each for each in event.attendees if not each.resource]
            if event.organizer is not None:
                named.append(event.organizer)
                organizers.add(_person(event.organizer.email, organization))
            people.update(_person(each.email, organization) for each in named)
            starts.add(original_key(event.recurrence_id or event.starts_at).isoformat())
    return _Told(owners, frozenset(organizers - {""}), frozenset(people - {""}), frozenset(starts))


def _person(address: str, organization: Organization) -> str:
    handle = canonical_email(address)
    user_id = organization.user_of(handle)
    return handle if user_id is None else organization.colleagues[user_id].email
