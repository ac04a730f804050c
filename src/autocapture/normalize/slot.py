"""What calls and mails around its slot say of a meeting. Pure; who stores them is `workflows.slots`.

A call between a rep of a meeting and one of its guests, in its slot, is the meeting by other means: it is folded into it, and
shows that it was held. A mail after the slot may say that somebody did not come. Each belongs to one meeting, whichever
was stored first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from autocapture.model.draft import Draft, Party, Sign
from autocapture.normalize.meeting_state import sign

EARLY = timedelta(minutes=5)
"""So long before the slot a call may begin that goes on into it."""
TOLD_WITHIN = timedelta(hours=48)
"""So long after its end a mail may say that somebody missed a meeting."""
LONG_TALK = timedelta(minutes=5)
"""A call that lasts so long, or half of the slot, is the meeting; a shorter one may only put it off."""

MISSED_IT, MISSED_YOU = "missed_it", "missed_you"
"""What a mail says of a meeting: its author did not come; those to whom it is written did not."""

_OVERRULING = ("cancelled", "declined_by_us", "left_calendars")
_UNDONE = ("accepted", "tentative", "silence")

Contacts = Mapping[str, Collection[int]]
"""By handle, the contacts that have it."""


def is_sign(item: Draft) -> bool:
    """Whether a call or mail can say anything of a meeting."""
    return item.remark is not None if item.kind == "email" else item.kind == "call" and _is_talk(item)


def takes_signs(meeting: Draft, now: datetime) -> bool:
    """Whether calls and mails can say anything of a meeting: it has begun, has an hour, and was not called off for good."""
    return (
        meeting.occurred_at <= now
        and any(part.counts for part in meeting.parts)
        and not any(each.sign in _OVERRULING for each in meeting.evidence)
    )


def assigned(items: Mapping[int, Draft], meetings: Mapping[int, Draft], contacts: Contacts) -> dict[int, int]:
    """To which of the meetings each call and mail belongs, if any: by id. The meeting that begins nearest to a call, the last one
    before a mail; of two such ones the smaller id."""
    found = {}
    for item_id, item in items.items():
        about = [key for key, meeting in meetings.items() if _is_about(item, meeting, contacts)]
        if about:
            found[item_id] = min(
                about, key=lambda key: (abs(meetings[key].occurred_at - item.occurred_at), key)
            )
    return found


def slot_signs(meeting: Draft, items: Mapping[int, Draft], contacts: Contacts) -> tuple[Sign, ...]:
    """The signs of the meeting, by calendars and by the calls and mails that belong to it."""
    signs = list(meeting.evidence)
    absent: set[str] = set()
    mails = []
    for item_id, item in sorted(items.items()):
        if item.kind == "call":
            who = [p.address for p in _outside(item)]
            length = (item.ends_at or item.occurred_at) - item.occurred_at
            slot = (meeting.ends_at or meeting.occurred_at) - meeting.occurred_at
            if length >= LONG_TALK or length >= slot / 2:
                signs.append(sign("talked", "held", "firm", who, item_id))
            else:
                signs.append(sign("spoke", "held", "weak", who, item_id))
        else:
            absent |= _absent(meeting, item, contacts)
            mails.append(item_id)
    return tuple(signs) if not mails else tuple(_without(meeting, signs, absent, mails))


def _without(meeting: Draft, signs: list[Sign], absent: set[str], mails: list[int]) -> list[Sign]:
    """The signs where some are known not to have come: without anybody of either side there was no meeting."""
    coming = [p for p in _outside(meeting) if p.response != "declined" and p.address not in absent]
    reps = {part.user_id for part in meeting.parts if part.counts}
    ours = [p for p in meeting.parties if p.user_id in reps and p.address not in absent]
    if not coming or not ours:
        return [*signs, *(sign("missed", "no_show", "firm", absent, mail) for mail in mails)]
    told = [sign("missed_by_some", "no_show", "weak", absent, mail) for mail in mails]
    if any(p.response in ("accepted", "tentative") for p in coming):
        return [*signs, *told]
    kept = [each for each in signs if each.sign not in _UNDONE]
    return [*kept, sign("doubt", "unknown", "weak", absent), *told]


def _absent(meeting: Draft, mail: Draft, contacts: Contacts) -> set[str]:
    """Whom of the meeting the mail tells to have been away: its author, or those of the other side to whom it is written."""
    authors = [party for party in mail.parties if party.role == "from"]
    people = authors
    if mail.remark == MISSED_YOU:
        by_us = any(author.user_id is not None for author in authors)
        people = [p for p in mail.parties if p.role != "from" and (p.user_id is None) == by_us]
    return {
        each.address
        for each in meeting.parties
        if not each.resource and any(_is_same(each, person, contacts) for person in people)
    }


def _is_about(item: Draft, meeting: Draft, contacts: Contacts) -> bool:
    ends_at = meeting.ends_at or meeting.occurred_at
    if item.kind == "call":
        if not _is_in_slot(item, meeting.occurred_at, ends_at):
            return False
    elif _is_declined(meeting) or not meeting.occurred_at <= item.occurred_at <= ends_at + TOLD_WITHIN:
        return False
    reps = {part.user_id for part in meeting.parts if part.counts}
    if not any(party.user_id in reps for party in item.parties):
        return False
    guests = _outside(meeting)
    return any(_is_same(guest, party, contacts) for guest in guests for party in _outside(item))


def _is_declined(meeting: Draft) -> bool:
    """By every guest: that there was no meeting is known. They may have called all the same."""
    return any(each.sign == "declined_by_them" for each in meeting.evidence)


def _is_in_slot(call: Draft, starts_at: datetime, ends_at: datetime) -> bool:
    return starts_at - EARLY <= call.occurred_at < ends_at and (call.ends_at or call.occurred_at) > starts_at


def _is_talk(item: Draft) -> bool:
    """Not every log says what came of a call; how long was talked tells it too."""
    return item.kind == "call" and item.status in ("answered", "unknown") and bool(item.duration_s)


def _is_same(one: Party, other: Party, contacts: Contacts) -> bool:
    """The same person: of ours, by address, or by a contact that has both."""
    if one.user_id is not None or other.user_id is not None:
        return one.user_id == other.user_id
    if one.address == other.address:
        return True
    return not set(contacts.get(one.address, ())).isdisjoint(contacts.get(other.address, ()))


def _outside(draft: Draft) -> list[Party]:
    return [party for party in draft.parties if party.user_id is None and not party.resource]
