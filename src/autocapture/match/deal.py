"""The deal of an activity that inherits none: by contact role, or because it is the only one live at the time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from autocapture.match.people import Person
from autocapture.model.crm import WON
from autocapture.model.directory import Directory, KnownDeal
from autocapture.model.draft import Draft, Link

GRACE = timedelta(days=14)
"""How long before its creation and after its close a deal may still be what an activity is about."""

DELIVERY = timedelta(weeks=8)
"""How long after a win its buyers may still speak of it, although nothing new is put down to it after `GRACE`. Beside a deal
that is not even entered yet they may do so however long ago it was."""

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
    taken only when one company takes part and has no other live deal, and the deal's own contacts, if it lists any, do not
    speak against it: somebody else whom the CRM knows may have come with another matter. Whoever bought something (`DELIVERY`)
    may speak of that, so their role on it leaves any other deal a question.
    """
    for person in people:
        if person.undecided and not set(person.undecided).intersection(companies):
            names = listed([company_name(each, directory) for each in person.undecided])
            return None, f"{person.handle} stands for {len(person.undecided)} companies: {names}"
    contacts = _speaking_contacts(people, companies, directory)
    live = _live_deals(draft, contacts, companies, directory)
    if not live:
        return None, None
    within = timedelta.max if any(draft.occurred_at < deal.created_at for deal in live) else DELIVERY
    if bought := _delivered_deals(draft, contacts, directory, within):
        return None, _question([*live, *bought], companies, directory, "live or won")
    in_role = [deal for deal in live if not deal.contacts.isdisjoint(contacts)]
    if len(in_role) == 1:
        deal = in_role[0]
        if all(other.company_id == deal.company_id for other in live):
            evidence = {"contacts": sorted(deal.contacts & contacts)}
            return Link("deal", deal.deal_id, "contact_role", evidence=evidence), None
    if not in_role and len(live) == 1 and len(companies) == 1:
        # taking it all the same was tried on seven sample worlds: 165 right links more, and 1,485 to deals it is not about
        if live[0].contacts and any(person.known for person in people):
            return None, f"{_question(live, companies, directory)}, of whose contacts nobody takes part"
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


def _delivered_deals(
    draft: Draft, contacts: Collection[int], directory: Directory, within: timedelta
) -> list[KnownDeal]:
    """The deals won `within` this time before the activity, but no longer live, on which somebody who takes part has a role."""
    ids = {deal_id for each in contacts for deal_id in directory.deals_of_contact.get(each, ())}
    deals = [directory.deals[each] for each in sorted(ids)]
    return [
        deal
        for deal in deals
        if deal.outcome == WON
        and deal.closed_at is not None
        and GRACE < draft.occurred_at - deal.closed_at <= within
    ]


def _question(
    deals_in_question: Sequence[KnownDeal],
    companies: Collection[int],
    directory: Directory,
    state: str = "live",
) -> str:
    deals = listed([deal.name or f"deal {deal.deal_id}" for deal in deals_in_question])
    number = len(deals_in_question)
    count = f"1 {state} deal" if number == 1 else f"{number} {state} deals"
    names = listed([company_name(each, directory) for each in sorted(companies)])
    if len(companies) > 1:
        return f"{len(companies)} companies ({names}), {count}: {deals}"
    return f"{count} of {names}: {deals}" if names else f"{count}: {deals}"
