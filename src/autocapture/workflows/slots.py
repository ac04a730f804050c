"""What the calls and mails around their slots say of meetings that are derived anew.

Each call and mail belongs to one meeting among all that are stored. Where one changes hands, the series that lost or got it is
named, to be derived too: so the result does not depend on what arrived first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlmodel import Session

from autocapture.model.draft import Draft
from autocapture.normalize.meeting_state import concluded
from autocapture.normalize.slot import (
    EARLY,
    TOLD_WITHIN,
    Contacts,
    assigned,
    is_sign,
    slot_signs,
    takes_signs,
)
from autocapture.store import activities, slots
from autocapture.store.activities import Stored
from autocapture.store.slots import Span

_DAY = timedelta(days=1)
_LONGEST_MEETING = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Told:
    """The meetings by id as everything together tells them, the calls that change hands (before, after), and the other series
    that are to be derived since they lost or got a call or mail."""

    drafts: Mapping[int, Draft]
    calls: list[tuple[Stored, Stored]]
    others: set[int]


def told(
    session: Session,
    fresh: Mapping[int, Draft],
    series_of: Mapping[int, int],
    stored: Mapping[int, Stored],
    now: datetime,
    *,
    unknown_counts: bool,
) -> Told:
    """`fresh` are meetings as calendars tell them now, `stored` what is stored and stays of their series, calls that are parts
    of them included. Of those that are not derived anew (they lie too far back) nothing is taken away."""
    open_ = {key: draft for key, draft in fresh.items() if takes_signs(draft, now)}
    before = _named(stored.values()) | {key for key, each in stored.items() if each.draft.kind == "call"}
    found = slots.load(session, before | _around(session, open_.values()))
    items = {key: item.draft for key, item in found.items() if is_sign(item.draft)}
    rivals = _rivals(session, items.values(), fresh.keys() | stored.keys())
    fixed = {key: each for key, each in stored.items() if each.draft.kind == "meeting" and key not in fresh}
    settled = {key: each.draft for key, each in (fixed | rivals).items() if takes_signs(each.draft, now)}
    meetings = open_ | settled
    contacts = _contacts(session, [*items.values(), *meetings.values()]) if items else {}
    home = assigned(items, meetings, contacts)
    parts: dict[int, dict[int, Draft]] = defaultdict(dict)
    for key, meeting_id in home.items():
        parts[meeting_id][key] = items[key]
    drafts = {
        key: _concluded(draft, parts.get(key, {}), contacts, now, unknown_counts)
        for key, draft in fresh.items()
    }
    others = {
        each.series_id
        for key, each in rivals.items()
        if each.series_id is not None and parts.get(key, {}).keys() != _named([each]) & items.keys()
    }
    calls, lost = _calls(found.values(), home, series_of, stored.keys() | rivals.keys())
    return Told(drafts, calls, others | lost)


def series_around(session: Session, items: Iterable[Stored]) -> set[int]:
    """The series of the stored meetings of which these calls may tell, or of which they are parts; and those of which these mails
    may have told, which say something of a meeting or are no more."""
    found = {item.series_id for item in items if item.meeting_id is not None and item.series_id is not None}
    drafts = [item.draft for item in items if item.draft.kind == "email" or is_sign(item.draft)]
    return found | {span.series_id for span in _meetings(session, drafts) if span.series_id is not None}


def _concluded(
    draft: Draft, items: Mapping[int, Draft], contacts: Contacts, now: datetime, unknown_counts: bool
) -> Draft:
    ended = (draft.ends_at or draft.occurred_at) <= now
    signs = slot_signs(draft, items, contacts)
    status, evidence = concluded(signs, ended=ended, unknown_counts=unknown_counts)
    return replace(draft, status=status, evidence=evidence)


def _calls(
    found: Iterable[Stored], home: Mapping[int, int], series_of: Mapping[int, int], known: Collection[int]
) -> tuple[list[tuple[Stored, Stored]], set[int]]:
    """The calls that become part of one of these meetings, or of none; and the series of others that they were parts of."""
    changed: list[tuple[Stored, Stored]] = []
    lost: set[int] = set()
    for item in found:
        winner = home.get(item.activity_id)
        if item.draft.kind != "call" or item.meeting_id == winner or (winner and winner not in series_of):
            continue
        series_id = None if winner is None else series_of[winner]
        changed.append((item, replace(item, meeting_id=winner, series_id=series_id)))
        if item.meeting_id is not None and item.meeting_id not in known and item.series_id is not None:
            lost.add(item.series_id)
    return changed, lost


def _named(meetings: Iterable[Stored]) -> set[int]:
    """The calls and mails that these meetings stand on."""
    return {
        each.activity_id
        for meeting in meetings
        for each in meeting.draft.evidence
        if each.activity_id is not None
    }


def _around(session: Session, meetings: Collection[Draft]) -> set[int]:
    """The calls and mails that may tell of these meetings."""
    if not meetings:
        return set()
    days: dict[tuple[int, date], list[Draft]] = defaultdict(list)
    for meeting in meetings:
        for part in meeting.parts:
            for day in (part.local_date, part.local_date + _DAY):
                days[part.user_id, day].append(meeting)
    users, dates = {user for user, _ in days}, {day for _, day in days}
    calls = slots.spans(session, "call", users, min(dates) - _DAY, max(dates))
    found = {
        call.activity_id
        for call in calls
        if any(_touches(call, meeting) for meeting in days.get((call.user_id, call.local_date), ()))
    }
    first = min(meeting.occurred_at for meeting in meetings)
    last = max(meeting.ends_at or meeting.occurred_at for meeting in meetings)
    return found | slots.remarks(session, users, first, last + TOLD_WITHIN)


def _touches(call: Span, meeting: Draft) -> bool:
    return meeting.occurred_at - EARLY <= call.starts_at < (meeting.ends_at or meeting.occurred_at)


def _rivals(session: Session, items: Collection[Draft], known: Collection[int]) -> dict[int, Stored]:
    """The other stored meetings of which these calls and mails may tell."""
    return activities.load(session, {span.activity_id for span in _meetings(session, items)} - set(known))


def _meetings(session: Session, items: Collection[Draft]) -> list[Span]:
    """The stored meetings in or after whose slots these calls and mails lie, for one of ours who took part in both."""
    of: dict[int, list[Draft]] = defaultdict(list)
    for item in items:
        for part in item.parts:
            of[part.user_id].append(item)
    if not of:
        return []
    moments = [item.occurred_at for item in items]
    first, last = min(moments).date() - TOLD_WITHIN - _LONGEST_MEETING, max(moments).date() + _DAY
    return [
        span
        for span in slots.spans(session, "meeting", of.keys(), first, last)
        if any(_lies_at(item, span) for item in of[span.user_id])
    ]


def _lies_at(item: Draft, meeting: Span) -> bool:
    """A call in the slot, a mail in it or some time after it."""
    after = TOLD_WITHIN if item.kind == "email" else timedelta(0)
    return meeting.starts_at - EARLY <= item.occurred_at <= (meeting.ends_at or meeting.starts_at) + after


def _contacts(session: Session, drafts: Iterable[Draft]) -> Contacts:
    return slots.contacts_of(
        session, {party.address for draft in drafts for party in draft.parties if party.user_id is None}
    )
