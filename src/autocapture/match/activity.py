"""The decision: which companies and which deal an activity belongs to, or why that stays open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autocapture.match.deal import chosen_deal, company_name, is_live, listed
from autocapture.match.locks import as_said, people_said, word_on
from autocapture.match.people import Person, clearer, known_person, outside_handles, with_contacts
from autocapture.match.precedent import Inheritance, in_series, in_thread
from autocapture.model.columns import stable_id
from autocapture.model.directory import Directory, Precedent
from autocapture.model.draft import Draft, Link, Matched, Party

GROUP_PEOPLE = 25
GROUP_COMPANIES = 8
"""More outsiders or companies than these make an audience: such an activity is about no deal."""


def match(draft: Draft, directory: Directory, thread_id: int | None, series_id: int | None) -> Matched:
    """The contacts, companies and deal of an activity, each link with its method and evidence.

    What a person said holds before all else (`match.locks`). Else in this order: people by exact handle; companies by contact,
    then by domain, partners aside while another company takes part; the deals of the series or thread, where it goes on with
    the same people (and no other, where those are closed); else, among the deals live at the time (`deal.GRACE` on both sides),
    the only one on which a participant has a role, or the only live deal of the only company (`deal.chosen_deal`). Otherwise
    no deal, and `review` where there was something to choose from. The directory may hold more than is needed.
    """
    own = stable_id(draft.dedupe_key)
    outside = outside_handles(draft.parties, directory)
    precedents = _precedents(directory, thread_id, series_id)
    said = people_said(own, draft, outside, directory)
    people = [said.get(handle) or known_person(handle, directory) for handle in outside]
    if precedents and any(person.is_unclear for person in people):
        thread_companies = {each for found, _ in precedents for p in found for each in p.companies}
        people = [clearer(person, directory, thread_companies) for person in people]
    companies = _companies(people, directory)
    parties = with_contacts(draft.parties, people)
    answer = as_said(word_on(own, draft, people, directory), parties, companies, directory)
    if answer is not None or not outside:
        return answer or Matched(parties)
    if draft.nature != "human" or len(outside) > GROUP_PEOPLE or len(companies) > GROUP_COMPANIES:
        return Matched(parties, _company_links(companies))
    inheritance = _inheritance(draft, precedents, outside, companies)
    if inheritance is not None and inheritance.obstacle is None:
        deals = _inherited_deals(draft, inheritance, directory)
        if deals:
            companies = _with_companies_of(deals, companies, directory)
            return Matched(parties, (*_company_links(companies), *deals))
        if question := _open_question(inheritance, directory):
            return Matched(parties, _company_links(companies), question)
    if inheritance is not None and not companies and not any(person.undecided for person in people):
        return _stranger(parties, inheritance, directory)
    deal, review = chosen_deal(draft, people, companies, directory)
    if deal is not None:
        companies = _with_companies_of([deal], companies, directory)
        return Matched(parties, (*_company_links(companies), deal))
    if review is not None and inheritance is not None and inheritance.obstacle is not None:
        review = f"{review}; not taken from its {inheritance.method}: {inheritance.obstacle}"
    return Matched(parties, _company_links(companies), review)


def _precedents(
    directory: Directory, thread_id: int | None, series_id: int | None
) -> list[tuple[Sequence[Precedent], str]]:
    found: list[tuple[Sequence[Precedent], str]] = []
    if series_id is not None and (series := directory.precedents.get(series_id)):
        found.append((series, "series"))
    if thread_id is not None and (thread := directory.precedents.get(thread_id)):
        found.append((thread, "thread"))
    return found


def _inheritance(
    draft: Draft,
    precedents: Sequence[tuple[Sequence[Precedent], str]],
    outside: Sequence[str],
    companies: Mapping[int, tuple[str, str]],
) -> Inheritance | None:
    """The first precedent that can be followed, the series' before the thread's; else the first with its obstacle."""
    if not precedents:
        return None
    found = [
        inheritance
        for each, kind in precedents
        if (inheritance := (in_series if kind == "series" else in_thread)(draft, each, outside, companies))
    ]
    return min(found, key=lambda each: each.obstacle is not None, default=None)


def _companies(people: Sequence[Person], directory: Directory) -> Mapping[int, tuple[str, str]]:
    """The companies that take part, by id, each with the stronger of its evidences (an address before a domain)."""
    if len(people) == 1 and len(people[0].companies) < 2:
        return people[0].companies
    found: dict[int, tuple[str, str]] = {}
    for person in people:
        for company_id, evidence in person.companies.items():
            found[company_id] = min(evidence, found.get(company_id, evidence))
    if directory.partners:
        customers = found.keys() - directory.partners
        if customers:
            return {company_id: found[company_id] for company_id in sorted(customers)}
    return {company_id: found[company_id] for company_id in sorted(found)}


def _company_links(companies: Mapping[int, tuple[str, str]]) -> tuple[Link, ...]:
    return tuple(
        [
            Link("company", company_id, method, evidence={"by": by})
            for company_id, (method, by) in companies.items()
        ]
    )


def _with_companies_of(
    deals: Sequence[Link], companies: Mapping[int, tuple[str, str]], directory: Directory
) -> dict[int, tuple[str, str]]:
    """The companies with those of the linked deals, which need not be named by anybody's address."""
    found = dict(companies)
    for link in deals:
        deal = directory.deals[link.target_id]
        if deal.company_id is not None:
            found.setdefault(deal.company_id, ("deal", str(deal.deal_id)))
    return {company_id: found[company_id] for company_id in sorted(found)}


def _inherited_deals(draft: Draft, inheritance: Inheritance, directory: Directory) -> list[Link]:
    precedent = inheritance.precedent
    return [
        Link("deal", deal_id, inheritance.method, weight, {"precedent": precedent.activity_id})
        for deal_id, weight in sorted(precedent.deals)
        if (deal := directory.deals.get(deal_id)) is not None and is_live(deal, draft)
    ]


def _open_question(inheritance: Inheritance, directory: Directory) -> str | None:
    """Why no other deal is looked for: the one it was about is closed, or an earlier date of its series is undecided."""
    precedent, method = inheritance.precedent, inheritance.method
    if precedent.deals:
        names = listed([directory.deals[each].name for each, _ in precedent.deals if each in directory.deals])
        return f"its {method} is about a closed deal{f': {names}' if names else ''}"
    if method == "series" and precedent.undecided:
        return "an earlier date of its series is undecided"
    return None


def _stranger(parties: tuple[Party, ...], inheritance: Inheritance, directory: Directory) -> Matched:
    """Somebody unknown goes on with a known thread: its companies, but no deal, which a person may choose."""
    precedent = inheritance.precedent
    links = tuple(
        Link("company", company_id, inheritance.method, evidence={"precedent": precedent.activity_id})
        for company_id in sorted(precedent.companies)
    )
    if not precedent.deals:
        return Matched(parties, links)
    names = listed([company_name(each, directory) for each in sorted(precedent.companies)])
    return Matched(
        parties, links, f"an unknown address in a {inheritance.method} with {names or 'a known deal'}"
    )
