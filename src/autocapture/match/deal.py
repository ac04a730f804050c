"""The deal of an activity that inherits none: by contact role, or because it is the only one live at the time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from autocapture.match.people import Person
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.draft import Draft, Link

GRACE = timedelta(days=14)
"""How long before its creation and after its close a deal may still be what an activity is about."""

_NAMED = 3


def is_live(deal: KnownDeal, draft: Draft) -> bool:
    """Whether the activity fell into the deal's life, grace included at both ends."""
    if draft.occurred_at < deal.created_at - GRACE:
        return False
    return deal.closed_at is None or draft.occurred_at <= deal.closed_at + GRACE


def chosen_deal(
    draft: Draft, people: Sequence[Person], companies: Collection[int], directory: Directory
) -> tuple[Link | None, str | None]:
    """The deal, or None and, where there was something to choose from, a sentence that says so.

    A participant's role decides where it singles out one deal and no other company has a live one. Without it a deal is
    taken only when one company takes part and has no other live deal.
    """
    for person in people:
        if person.undecided and not set(person.undecided).intersection(companies):
            names = listed([company_name(each, directory) for each in person.undecided])
            return None, f"{person.handle} stands for {len(person.undecided)} companies: {names}"
    contacts = _speaking_contacts(people, companies, directory)
    live = _live_deals(draft, contacts, companies, directory)
    if not live:
        return None, None
    in_role = [deal for deal in live if not deal.contacts.isdisjoint(contacts)]
    if len(in_role) == 1:
        deal = in_role[0]
        if all(other.company_id == deal.company_id for other in live):
            evidence = {"contacts": sorted(deal.contacts & contacts)}
            return Link("deal", deal.deal_id, "contact_role", evidence=evidence), None
    if not in_role and len(live) == 1 and len(companies) == 1:
        return Link("deal", live[0].deal_id, "only_live_deal", evidence={"company": live[0].company_id}), None
    return None, _question(live, companies, directory)


def company_name(company_id: int, directory: Directory) -> str:
    return directory.company_names.get(company_id) or f"company {company_id}"


def listed(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _speaking_contacts(
    people: Sequence[Person], companies: Collection[int], directory: Directory
) -> frozenset[int]:
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


def _live_deals(
    draft: Draft, contacts: Collection[int], companies: Collection[int], directory: Directory
) -> list[KnownDeal]:
    ids: set[int] = set()
    for company_id in companies:
        ids.update(directory.deals_of_company.get(company_id, ()))
    for contact_id in contacts:
        ids.update(directory.deals_of_contact.get(contact_id, ()))
    return [deal for each in sorted(ids) if is_live(deal := directory.deals[each], draft)]


def _question(live: Sequence[KnownDeal], companies: Collection[int], directory: Directory) -> str:
    deals = listed([deal.name or f"deal {deal.deal_id}" for deal in live])
    count = "1 live deal" if len(live) == 1 else f"{len(live)} live deals"
    names = listed([company_name(each, directory) for each in sorted(companies)])
    if len(companies) > 1:
        return f"{len(companies)} companies ({names}), {count}: {deals}"
    return f"{count} of {names}: {deals}" if names else f"{count}: {deals}"
