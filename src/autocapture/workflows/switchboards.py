"""Switchboards that nobody entered: numbers on which several people of one company were reached.

A call in the slot of a meeting of the same rep reaches somebody of that meeting. Where the CRM has the number under somebody
who was not there, or under nobody, and it happened more than once, with people of one company, the number is its switchboard.
What is learned is a function of the CRM and of what is stored; it is worked out anew as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from autocapture.model.directory import Organization
from autocapture.store import call_legs, lines
from autocapture.store.lines import Reached
from autocapture.workflows.matching import rematch

_LOOKED_BACK = timedelta(days=366)
_TIMES = 2
"""Of one time nobody knows whether the rep was called away."""


def learn_switchboards(session: Session, organization: Organization, now: datetime) -> int:
    """Brings the known switchboards in line with what is stored, and matches the calls of a year on those that changed anew;
    their number."""
    reached = lines.reached_in_slots(session, (now - _LOOKED_BACK).date())
    before = lines.known_switchboards(session)
    people = {each.contact_id for each in reached} | {each.owner_id for each in reached if each.owner_id}
    after = _boards(reached, lines.companies_of(session, people))
    differing = {number for number, _ in before ^ after}
    lines.replace_switchboards(session, gone=before - after, new=after - before)
    calls = call_legs.with_numbers(session, differing, now - _LOOKED_BACK, now) if differing else ()
    if calls:
        rematch(session, organization, {call.activity_id for call in calls}, now)
    return len(differing)


def _boards(reached: Collection[Reached], company_of: Mapping[int, int]) -> set[tuple[str, int]]:
    """Numbers with the contacts who were reached on them."""
    meetings: dict[str, set[int]] = defaultdict(set)
    people: dict[str, set[int]] = defaultdict(set)
    owners: dict[str, set[int]] = defaultdict(set)
    for each in reached:
        meetings[each.number].add(each.meeting_id)
        people[each.number].add(each.contact_id)
        if each.owner_id is not None:
            owners[each.number].add(each.owner_id)
    found: set[tuple[str, int]] = set()
    for number, who in people.items():
        several = who | owners[number]
        companies = {company_of.get(each) for each in several}
        if (
            len(meetings[number]) >= _TIMES
            and len(several) > 1
            and len(companies) == 1
            and None not in companies
        ):
            found.update((number, contact_id) for contact_id in who)
    return found
