"""Who the outside parties of an activity are, and which companies they stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from autocapture.formats.domains import organization_domains
from autocapture.model.directory import Directory, KnownContact, untagged
from autocapture.model.draft import Party


class Person(NamedTuple):
    """One outside handle with what it says: its contact where there is exactly one, and its companies.

    `companies` maps each company to the evidence for it. `undecided` are companies of which the handle means one, but
    nobody knows which; they are no links.
    """

    handle: str
    contact_id: int | None
    companies: dict[int, tuple[str, str]]
    """By company id: (method, what it was found by)."""
    undecided: tuple[int, ...] = ()
    known: bool = False
    """Whether the CRM has a contact with the handle, be it one of several."""

    @property
    def is_unclear(self) -> bool:
        """Whether the companies of a thread could make it clearer whom the handle means."""
        return bool(self.undecided) or (self.known and self.contact_id is None)


def outside_handles(parties: Iterable[Party], directory: Directory) -> tuple[str, ...]:
    """The handles of the people from outside, each once: without rooms and without addresses of ours."""
    inside = directory.organization.is_inside
    found = [
        party.address
        for party in parties
        if party.user_id is None and not party.resource and not inside(party.address)
    ]
    return tuple(dict.fromkeys(found))


def known_person(handle: str, directory: Directory) -> Person:
    """What the CRM knows of a handle, looked up once in each directory."""
    known: Person | None = directory.people.get(handle)
    if known is None:
        known = directory.people[handle] = _known_person(handle, directory, ())
    return known


def said_person(handle: str, contact_id: int | None, company_id: int | None, directory: Directory) -> Person:
    """Whom somebody said that a handle is: this contact, with its company, or nobody in the CRM, who has the domain's."""
    if contact_id is None:
        domain, of_domain = _companies_by_domain(handle, directory)
        companies = dict.fromkeys(of_domain, ("domain", domain))
        return Person(handle, None, companies if len(of_domain) == 1 else {}, ())
    found = {} if company_id is None else {company_id: ("correction", handle)}
    return Person(handle, contact_id, found, known=True)


def clearer(person: Person, directory: Directory, thread_companies: Collection[int]) -> Person:
    """The person as the companies of the thread tell who it is, where that was not clear."""
    return _known_person(person.handle, directory, thread_companies) if person.is_unclear else person


def _known_person(handle: str, directory: Directory, thread_companies: Collection[int]) -> Person:
    """By exact address or number, then by the domain of the address.

    Several contacts on one handle (duplicates, a shared line): the thread's company decides if it leaves one of them,
    otherwise no contact is chosen, and a company only where all of them belong to it. A contact's company counts beside
    that of the domain unless the domain may mean it too.
    """
    contacts = _contacts(handle, directory)
    if len(contacts) > 1:
        narrowed = [each for each in contacts if each.company_id in thread_companies]
        contacts = narrowed if len(narrowed) == 1 else contacts
    contact_id = contacts[0].contact_id if len(contacts) == 1 else None
    of_contacts = sorted({each.company_id for each in contacts if each.company_id is not None})
    if len(of_contacts) > 1:
        return Person(handle, contact_id, {}, tuple(of_contacts), known=True)
    domain, of_domain = _companies_by_domain(handle, directory)
    if of_contacts and (not of_domain or of_contacts[0] in of_domain):
        return Person(handle, contact_id, {of_contacts[0]: ("contact", handle)}, known=True)
    if len(of_domain) > 1:
        narrowed_companies = [each for each in of_domain if each in thread_companies]
        if len(narrowed_companies) != 1:
            found = dict.fromkeys(of_contacts, ("contact", handle))
            return Person(handle, contact_id, found, of_domain, known=bool(contacts))
        of_domain = tuple(narrowed_companies)
    companies = dict.fromkeys(of_domain, ("domain", domain))
    companies.update((each, ("contact", handle)) for each in of_contacts)
    return Person(handle, contact_id, companies, known=bool(contacts))


def with_contacts(parties: Sequence[Party], people: Iterable[Person]) -> tuple[Party, ...]:
    """The parties with the contacts that were found; those that were set before and are unknown now are taken out."""
    contacts = {person.handle: person.contact_id for person in people}
    return tuple([_with_contact(party, contacts.get(party.address)) for party in parties])


def _with_contact(party: Party, contact_id: int | None) -> Party:
    if party.contact_id == contact_id:
        return party
    return Party(
        party.role, party.address, party.name, party.response, party.resource, party.user_id, contact_id
    )


def _contacts(handle: str, directory: Directory) -> Sequence[KnownContact]:
    return directory.contacts.get(handle) or directory.contacts.get(untagged(handle)) or ()


def _companies_by_domain(handle: str, directory: Directory) -> tuple[str, tuple[int, ...]]:
    if "@" in handle:
        for domain in organization_domains(handle.rpartition("@")[2]):
            if found := directory.companies.get(domain):
                return domain, tuple(sorted(set(found)))
    return "", ()
