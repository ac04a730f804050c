"""Who was on a line that several people share: the only one of them with whom the rep was in touch around the call.

A mail or meeting that is stored later may tell it too, so the calls around it are then matched anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlmodel import Session

from autocapture.model.directory import Directory
from autocapture.normalize.call import outside_numbers
from autocapture.store import call_legs, lines
from autocapture.store.activities import Stored
from autocapture.store.lines import Touch

WITHIN = timedelta(days=30)
"""How far from a call the mail or meeting may lie that tells who was on the line."""


def with_lines(session: Session, directory: Directory, items: Sequence[Stored]) -> Directory:
    """The directory with what is known of the lines on which these activities, as far as they are calls, were made."""
    calls = {item.activity_id: item for item in items if item.draft.kind == "call"}
    numbers = {number for call in calls.values() for number in outside_numbers(call.draft)}
    if not numbers:
        return directory
    boards = lines.switchboards(session, numbers)
    sharing = {
        number: {each.contact_id for each in directory.contacts.get(number, ())}
        | boards.get(number, frozenset())
        for number in numbers
    }
    shared = {number: who for number, who in sharing.items() if len(who) > 1}
    on_line = _on_line(session, shared, list(calls.values())) if shared else {}
    of_company = lines.companies_of(session, {contact for who in boards.values() for contact in who})
    companies = {
        number: tuple(sorted({of_company[each] for each in who if each in of_company}))
        for number, who in boards.items()
    }
    return replace(directory, switchboards=companies, on_line=on_line)


def calls_around(session: Session, items: Collection[Stored]) -> set[int]:
    """The stored calls on shared lines of which these mails and meetings may tell who was on them."""
    told = [item for item in items if item.draft.kind in ("email", "meeting")]
    handles = {party.address for item in told for party in item.draft.parties if party.user_id is None}
    numbers = lines.shared_by(session, handles)
    if not numbers:
        return set()
    moments = [item.draft.occurred_at for item in told]
    first, last = min(moments) - WITHIN, max(moments) + WITHIN
    return {each.activity_id for each in call_legs.with_numbers(session, numbers, first, last)}


def _on_line(
    session: Session, shared: Mapping[str, Collection[int]], calls: Sequence[Stored]
) -> Mapping[tuple[int, str], int]:
    concerned = [call for call in calls if not outside_numbers(call.draft).isdisjoint(shared)]
    users = {part.user_id for call in concerned for part in call.draft.parts}
    moments = [call.draft.occurred_at for call in concerned]
    contacts = {contact for who in shared.values() for contact in who}
    by_contact: dict[int, list[Touch]] = defaultdict(list)
    for touch in lines.touches(session, contacts, users, min(moments) - WITHIN, max(moments) + WITHIN):
        by_contact[touch.contact_id].append(touch)
    found: dict[tuple[int, str], int] = {}
    for call in concerned:
        for number in outside_numbers(call.draft) & shared.keys():
            met = [each for each in sorted(shared[number]) if _is_near(call, by_contact[each])]
            if len(met) == 1:
                found[call.activity_id, number] = met[0]
    return found


def _is_near(call: Stored, touches: Sequence[Touch]) -> bool:
    reps = {part.user_id for part in call.draft.parts}
    return any(
        touch.user_id in reps and abs(touch.at - call.draft.occurred_at) <= WITHIN for touch in touches
    )
