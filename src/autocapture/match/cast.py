"""Those from outside who take part in an activity, with what follows from who they are.

In a thread the same people mostly take part in each activity: what follows is found once for all of those, and only the moment
still matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autocapture.formats.phone import is_national
from autocapture.match.live import Life, lives_of
from autocapture.match.locks import people_said
from autocapture.match.people import Person, met_person, outside_handles, people_of
from autocapture.model.directory import Directory
from autocapture.model.draft import Link
from autocapture.model.matching import MatchingRules, Occurrence
from autocapture.values import value

Companies = Mapping[int, tuple[str, str]]
"""By id: (method, what it was found by)."""


@value(frozen=True, slots=True)
class Cast:
    """`speaking` are the contacts who speak for a deal: a partner's people do not while another company takes part."""

    people: Sequence[Person]
    contacts: Mapping[str, int | None]
    """By handle."""
    companies: Companies
    links: tuple[Link, ...]
    """To the companies."""
    speaking: frozenset[int]
    lives: Sequence[Life]
    """Of the deals that it may be about, if they were live then."""
    is_unclear: bool
    """Whether somebody takes part of whom only the others tell for which company they stand."""
    is_for_deals: bool
    """Whether such people may be written to about a deal: not where there is nobody, or an audience, nor on a call of which only
    a part of the number tells with whom it was."""


def casts_of(group: Sequence[Occurrence], directory: Directory, rules: MatchingRules) -> list[Cast]:
    """The cast of each activity of a thread or series."""
    outside = [outside_handles(each.draft.parties, directory) for each in group]
    distinct = dict.fromkeys(outside)
    known = people_of([each.draft for each in group], distinct, directory)
    found = {handles: _cast([known[handle] for handle in handles], directory, rules) for handles in distinct}
    if not (directory.on_line or directory.locks):
        return [found[handles] for handles in outside]
    told = [_told(each, handles, known, directory) for each, handles in zip(group, outside, strict=True)]
    return [
        _cast([who.get(handle) or known[handle] for handle in handles], directory, rules)
        if who
        else found[handles]
        for who, handles in zip(told, outside, strict=True)
    ]


def _told(
    occurrence: Occurrence, handles: Sequence[str], known: Mapping[str, Person], directory: Directory
) -> Mapping[str, Person]:
    """Who is somebody in this activity alone: as a person said, else as the rep was in touch with them around it."""
    met = met_person(occurrence, known, directory) if directory.on_line else {}
    return {**met, **people_said(occurrence.activity_id, occurrence.draft, handles, directory)}


def _cast(people: Sequence[Person], directory: Directory, rules: MatchingRules) -> Cast:
    companies = _companies(people, directory)
    speaking = _speaking(people, companies, directory)
    return Cast(
        people,
        {person.handle: person.contact_id for person in people},
        companies,
        company_links(companies),
        speaking,
        lives_of(companies, speaking, directory, rules),
        not companies or any(person.undecided for person in people),
        len(people) <= rules.audience
        and len(companies) <= rules.companies
        and not all(is_national(person.handle) or person.handle in directory.blocks for person in people),
    )


def _companies(people: Sequence[Person], directory: Directory) -> Companies:
    """The companies that take part, by id, each with the stronger of its evidences (an address before a domain)."""
    if len(people) == 1 and len(people[0].companies) < 2:
        return people[0].companies
    found: dict[int, tuple[str, str]] = {}
    for person in people:
        for company_id, evidence in person.companies.items():
            found[company_id] = min(evidence, found.get(company_id, evidence))
    if len(found) < 2:
        return found
    if directory.partners:
        customers = found.keys() - directory.partners
        if customers:
            return {company_id: found[company_id] for company_id in sorted(customers)}
    return {company_id: found[company_id] for company_id in sorted(found)}


def _speaking(people: Sequence[Person], companies: Companies, directory: Directory) -> frozenset[int]:
    """The contacts whose roles are evidence: not a partner's people while another company takes part."""
    partners = directory.partners
    if partners and partners.issuperset(companies):
        partners = frozenset()
    return frozenset(
        [
            person.contact_id
            for person in people
            if person.contact_id is not None
            and not (partners and person.companies and person.companies.keys() <= partners)
        ]
    )


def company_links(companies: Mapping[int, tuple[str, Any]]) -> tuple[Link, ...]:
    """Links to companies with what they were found by: a handle, a domain, or an activity that goes before."""
    return tuple(
        [
            Link(
                "company",
                company_id,
                method,
                evidence={"precedent" if method in ("thread", "series") else "by": by},
            )
            for company_id, (method, by) in companies.items()
        ]
    )
