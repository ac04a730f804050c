"""Meetings: every calendar's copy of one UID to one draft for each occurrence (SYNC 3.3 and 4, METRICS R10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from autocapture.errors import RecordUnusable
from autocapture.formats.handles import canonical_email
from autocapture.formats.recurrence import Occurrence, occurrences, original_key
from autocapture.model.columns import stable_id
from autocapture.model.directory import Colleague, Organization
from autocapture.model.draft import Draft, Part, Party, Sign
from autocapture.normalize.meeting_state import answers, concluded, departure
from autocapture.normalize.parts import local_date, shared
from autocapture.normalize.same_meeting import CalendarCopy, told_apart
from autocapture.records import Attendee, EventRecord

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LONGEST_S = 2**31 - 1  # what an integer column holds: 68 years
_ANSWERS = frozenset({"accepted", "tentative", "declined"})


@dataclass(frozen=True, slots=True)
class _View:
    """One occurrence as one calendar shows it."""

    owner: Colleague
    occurrence: Occurrence
    gone_at: datetime | None

    @property
    def event(self) -> EventRecord:
        return self.occurrence.event


def draft_meetings(
    copies: Sequence[CalendarCopy],
    organization: Organization,
    *,
    window_start: datetime,
    window_end: datetime,
    now: datetime,
) -> list[Draft]:
    """One draft for each occurrence that starts in [window_start, window_end), by start; `copies` are all of one UID.

    - Identity is the UID and the original start. Calendars that use one UID for meetings with nobody in common (programs
      that count from 1) hold several meetings, each with whom it is with in its identity and that of its series
      (`series_keys`).
    - The organizer's copy tells time and title, else the one with the highest SEQUENCE, else the newest; each attendee's
      own copy tells their response.
    - Private copies tell nothing, but that what they replace in their calendar is not so; an occurrence of which there is no
      other copy, or only copies that left, has no draft, nor has one without anybody from outside. Rooms and equipment are
      nobody.
    - It counts for those of ours who did not decline it or take it out of their calendar beforehand; for none of them where
      it takes whole days: such an entry is a fair, a visit, a deadline, and no meeting (METRICS R10).
    - Status and evidence are what the calendars say (`meeting_state`): cancelled when its organizer cancelled it, when it left
      every calendar before it began, or when everybody of either side declined; *planned* until its end; then *held* when an
      outsider accepted (or maybe), or when nobody gave a contrary sign; *unknown* when nobody accepted and an outsider
      declined. Calls and mails of the slot are `slot`'s matter.
    - `booked_at` is when the event was created, else first seen; `moved_count` is how often its start changed as far as was
      seen, from that which its series says on.
    """
    drafts = []
    withheld = {
        original_key(copy.record.recurrence_id)
        for copy in copies
        if copy.record.private and not copy.gone and copy.record.recurrence_id is not None
    }
    for series_key, told in _meetings(copies, organization):
        views = _views([*told, *_replaced(told, copies)], withheld, window_start, window_end, now)
        booked_at, moves = _booked_at(told), _moves(told)
        drafts += [_draft(views[key], booked_at, moves, organization, now, series_key) for key in views]
    found = [draft for draft in drafts if draft is not None]
    return sorted(found, key=lambda draft: (draft.occurred_at, draft.dedupe_key))


def series_keys(copies: Sequence[CalendarCopy], organization: Organization) -> dict[tuple[int, str], str]:
    """By calendar and resource, the series that each of these copies of one UID shows: the UID, with a mark where calendars
    use it for several. Private copies show none."""
    return {
        (copy.calendar, copy.source_id): series_key
        for series_key, told in _meetings(copies, organization)
        for copy in told
    }


def _meetings(
    copies: Sequence[CalendarCopy], organization: Organization
) -> list[tuple[str, list[CalendarCopy]]]:
    """The series of one UID, each with its copies."""
    apart = told_apart([copy for copy in copies if not copy.record.private], organization)
    if len(apart) == 1:
        return [(apart[0][1][0].record.uid, apart[0][1])]
    return [(f"{told[0].record.uid}#{stable_id(anchor)}", told) for anchor, told in apart]


def _replaced(told: Sequence[CalendarCopy], copies: Sequence[CalendarCopy]) -> list[CalendarCopy]:
    """The private exceptions in the calendars of these copies. What one calendar holds under one UID is one meeting."""
    calendars = {(copy.owner.user_id, copy.calendar) for copy in told}
    return [
        copy for copy in copies if copy.record.private and (copy.owner.user_id, copy.calendar) in calendars
    ]


def _views(
    copies: Sequence[CalendarCopy],
    withheld: Set[datetime | date],
    window_start: datetime,
    window_end: datetime,
    now: datetime,
) -> dict[datetime | date | None, list[_View]]:
    """By occurrence, each calendar's view of it: what is there, and what left only where nothing is there. Of those which a
    calendar that holds them keeps to itself (`withheld`, and its own private ones), departed copies tell nothing."""
    held: dict[tuple[int, bool], list[CalendarCopy]] = defaultdict(list)
    for copy in copies:
        held[copy.owner.user_id, copy.gone].append(copy)
    found: dict[datetime | date | None, dict[int, _View]] = defaultdict(dict)
    private: set[datetime | date | None] = {*withheld}
    for user_id, gone in sorted(held):  # what is there before what is gone
        group = held[user_id, gone]
        left = max(copy.gone_at or now for copy in group) if gone else None
        try:
            shown = occurrences(_records(group), window_start=window_start, window_end=window_end)
        except RecordUnusable:  # this calendar's rule cannot be read; the other copies speak
            continue
        for occurrence in shown:
            if not occurrence.event.private:
                found[occurrence.key].setdefault(user_id, _View(group[0].owner, occurrence, left))
            elif not gone:
                private.add(occurrence.key)
    masters = (copy.record for copy in copies if not copy.gone and copy.record.recurrence_id is None)
    newest = max((master.sequence for master in masters), default=0)
    told = {key: list(by_user.values()) for key, by_user in found.items()}
    return {key: views for key, views in told.items() if _is_told(views, key in private, newest)}


def _is_told(views: Sequence[_View], private: bool, newest: int) -> bool:
    """An occurrence that nobody has any longer stays as it was, unless who still has the meeting keeps it to themselves, or
    has a newer version of the series, with SEQUENCE `newest`, in which it does not take place."""
    if any(view.gone_at is None for view in views):
        return True
    return not private and any(
        view.event.recurrence_id is not None or view.event.sequence >= newest for view in views
    )


def _records(copies: Sequence[CalendarCopy]) -> list[EventRecord]:
    """Of several masters (one person's two calendars) the newest, then the exceptions that came by themselves, oldest first."""
    ordered = [copy.record for copy in sorted(copies, key=_age)]
    masters = [record for record in ordered if record.recurrence_id is None]
    return [*masters[-1:], *(record for record in ordered if record.recurrence_id is not None)]


def _age(copy: CalendarCopy) -> tuple[int, datetime, datetime]:
    return (copy.record.sequence, copy.record.modified_at or _EARLIEST, copy.first_seen_at)


def _booked_at(copies: Sequence[CalendarCopy]) -> datetime | None:
    created = [copy.record.created_at for copy in copies if copy.record.created_at is not None]
    return min(created or [copy.first_seen_at for copy in copies], default=None)


def _moves(copies: Sequence[CalendarCopy]) -> Mapping[str, tuple[str, ...]]:
    """By original start, the most former starts that any calendar saw."""
    found: dict[str, tuple[str, ...]] = {}
    for copy in copies:
        for key, starts in copy.moves.items():
            found[key] = max(found.get(key, ()), starts, key=lambda each: (len(each), each))
    return found


def _moved_count(occurrence: Occurrence, moves: Mapping[str, tuple[str, ...]]) -> int:
    """How often the start changed: from what the series says, over those that were seen, to the present one."""
    original = "" if occurrence.key is None else occurrence.key.isoformat()
    starts = [*moves.get(original, ()), occurrence.starts_at.isoformat()]
    if original:
        starts.insert(0, original)
    return sum(one != next_one for one, next_one in pairwise(starts))


def _draft(
    views: Sequence[_View],
    booked_at: datetime | None,
    moves: Mapping[str, tuple[str, ...]],
    organization: Organization,
    now: datetime,
    series_key: str,
) -> Draft | None:
    there = [view for view in views if view.gone_at is None]
    ranked = sorted(there or views, key=lambda view: _authority(view, organization), reverse=True)
    chief = ranked[0]
    starts_at = _instant(chief.occurrence.starts_at, chief.owner)
    ends_at = max(starts_at, _instant(chief.occurrence.ends_at, chief.owner))
    parties = _parties(ranked, organization)
    outside = [
        p for p in parties if p.user_id is None and not p.resource and not organization.is_inside(p.address)
    ]
    if not outside:
        return None
    removed = _removed(views, starts_at) if there else set()
    ours = [party for party in parties if party.user_id is not None]
    coming = [party for party in ours if party.response != "declined" and party.user_id not in removed]
    direction = _direction(chief.event, organization)
    signs = answers(
        outside, ours, removed, theirs=direction == "inbound", cancelled=chief.occurrence.cancelled
    )
    if not there and len(_removed(views, starts_at)) == len(views):
        signs.append(_departure(views, organization, theirs=direction == "inbound"))
    status, evidence = concluded(signs, ended=ends_at <= now)
    key = chief.occurrence.key
    timed = isinstance(chief.occurrence.starts_at, datetime)
    return Draft(
        dedupe_key=f"event:{series_key}#{'' if key is None else key.isoformat()}",
        kind="meeting",
        occurred_at=starts_at,
        direction=direction,
        parties=parties,
        parts=shared(_part(party, starts_at, booked_at, organization, counts=timed) for party in coming),
        ends_at=ends_at,
        duration_s=min(int((ends_at - starts_at).total_seconds()), _LONGEST_S),
        status=status,
        evidence=evidence,
        subject=next((view.event.title for view in ranked if view.event.title), None),
        external=True,
        series_key=series_key,
        booked_at=booked_at,
        moved_count=_moved_count(chief.occurrence, moves),
    )


def _removed(views: Sequence[_View], starts_at: datetime) -> set[int]:
    """Those of ours whose copy left their calendar before it began."""
    return {view.owner.user_id for view in views if view.gone_at is not None and view.gone_at < starts_at}


def _departure(views: Sequence[_View], organization: Organization, *, theirs: bool) -> Sign:
    return departure(theirs=theirs, taken_back=any(_is_organizers(view, organization) for view in views))


def _is_organizers(view: _View, organization: Organization) -> bool:
    """Whether the calendar is that of who made the entry."""
    organizer = view.event.organizer
    return organizer is None or organization.user_of(canonical_email(organizer.email)) == view.owner.user_id


def _authority(view: _View, organization: Organization) -> tuple[bool, int, datetime, int]:
    """The organizer's copy, then the highest SEQUENCE, then the newest; the user id makes the order total."""
    own = view.event.organizer is not None and _is_organizers(view, organization)
    return (own, view.event.sequence, view.event.modified_at or _EARLIEST, -view.owner.user_id)


def _instant(moment: datetime | date, owner: Colleague) -> datetime:
    """An all-day boundary is midnight where the calendar's owner lives."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time(), ZoneInfo(owner.time_zone)).astimezone(UTC)


def _direction(event: EventRecord, organization: Organization) -> Literal["inbound", "outbound"]:
    if event.organizer is None or organization.is_inside(canonical_email(event.organizer.email)):
        return "outbound"
    return "inbound"


def _parties(ranked: Sequence[_View], organization: Organization) -> tuple[Party, ...]:
    """Organizer and attendees of the leading copy, with each of ours' own response; and whoever of ours holds a copy that
    names none of us (invited through a group, or with the guests hidden)."""
    event = ranked[0].event
    found: dict[str, Party] = {}
    if event.organizer is not None:
        _add(found, event.organizer, "organizer", organization)
    for attendee in event.attendees:
        _add(found, attendee, "attendee", organization)
    for view in ranked:
        own = _own_entry(view, organization)
        if own is None and not _names_ours(view.event, organization):
            own = Attendee(view.owner.email, view.owner.name, "unknown")
        if own is None:
            continue
        handle = canonical_email(own.email)
        known = found.get(handle)
        if known is None:
            _add(found, own, "attendee", organization)
        elif known.role == "attendee" or own.response in _ANSWERS:
            found[handle] = replace(known, response=own.response)
    return tuple(sorted(found.values(), key=lambda party: (party.role, party.address)))


def _add(
    found: dict[str, Party],
    person: Attendee,
    role: Literal["organizer", "attendee"],
    organization: Organization,
) -> None:
    """Adds the person once. Who organises a meeting comes, unless their line among the attendees says otherwise."""
    handle = canonical_email(person.email)
    known = found.get(handle)
    if known is not None and known.role == "organizer" and person.response in _ANSWERS:
        found[handle] = replace(known, response=person.response)
    if not handle or known is not None:
        return
    response = "accepted" if role == "organizer" and person.response == "needs_action" else person.response
    user_id = None if person.resource else organization.user_of(handle)
    found[handle] = Party(role, handle, person.name, response, person.resource, user_id)


def _own_entry(view: _View, organization: Organization) -> Attendee | None:
    """The line of an attendee list that is about the calendar's owner."""
    for attendee in view.event.attendees:
        if organization.user_of(canonical_email(attendee.email)) == view.owner.user_id:
            return attendee
    organizer = view.event.organizer
    if organizer is not None and organization.user_of(canonical_email(organizer.email)) == view.owner.user_id:
        return organizer
    return None


def _names_ours(event: EventRecord, organization: Organization) -> bool:
    people = (*event.attendees, event.organizer) if event.organizer else event.attendees
    return any(organization.user_of(canonical_email(each.email)) is not None for each in people)


def _part(
    party: Party, starts_at: datetime, booked_at: datetime | None, organization: Organization, *, counts: bool
) -> Part:
    user_id = party.user_id or 0
    zone = organization.colleagues[user_id].time_zone
    return Part(
        user_id,
        local_date(starts_at, zone),
        party.role,
        counts=counts,
        booked_date=None if booked_at is None else local_date(booked_at, zone),
    )
