"""Who the outside parties of an activity are, and which companies they stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from autocapture.formats.domains import address_above, organization_domains
from autocapture.formats.phone import is_national
from autocapture.model.directory import Directory, KnownContact, untagged
from autocapture.model.draft import Draft, Party
from autocapture.model.matching import Occurrence


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


def outside_handles(parties: Iterable[Party], directory: Directory) -> tuple[str, ...]:
    """The handles of the people from outside, each once: without rooms and without addresses of ours."""
    inside = directory.inside
    found = [
        party.address
        for party in parties
        if party.user_id is None and not party.resource and not inside[party.address]
    ]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


def people_of(
    drafts: Sequence[Draft], outside: Collection[tuple[str, ...]], directory: Directory
) -> Mapping[str, Person]:
    """Everybody outside who takes part in a thread or series, by handle. Where a handle alone does not tell who it is, the
    name that is written beside it may, and whoever else takes part."""
    found = {handle: known_person(handle, directory) for each in outside for handle in each}
    # whom names, or the companies of the thread, could make clearer
    unclear = [person for person in found.values() if person.undecided or person.contact_id is None]
    if not unclear:
        return found
    names = _names(drafts)
    companies = {each for person in found.values() for each in person.companies}
    present = {person.contact_id for person in found.values() if person.contact_id is not None}
    last = max(draft.occurred_at for draft in drafts)
    for person in unclear:
        handle = person.handle
        if person.known or person.undecided or (person.companies and address_above(untagged(handle))):
            found[handle] = _person(
                handle, directory, companies, names.get(handle, frozenset()), present, last
            )
    _name_strangers(found, names, directory)
    return found


def known_person(handle: str, directory: Directory) -> Person:
    """What the CRM knows of a handle, looked up once in each directory."""
    known: Person | None = directory.people.get(handle)
    if known is None:
        known = _plain_person(handle, directory) or _person(handle, directory, (), frozenset())
        directory.people[handle] = known
    return known


def _plain_person(handle: str, directory: Directory) -> Person | None:
    """Who has the handle alone, and a company, as nearly everybody; None where there is more to think about."""
    contacts = directory.contacts.get(handle)
    if contacts is None or len(contacts) != 1 or handle in directory.switchboards or is_national(handle):
        return None
    only = contacts[0]
    if only.company_id is None or only.moved:
        return None
    return Person(handle, only.contact_id, {only.company_id: ("contact", handle)}, (), True)


def met_person(
    occurrence: Occurrence, known: Mapping[str, Person], directory: Directory
) -> Mapping[str, Person]:
    """Of a call on a line that several share: the only one of them with whom the rep was in touch around it."""
    found = {}
    for handle, person in known.items():
        contact_id = directory.on_line.get((occurrence.activity_id, handle))
        if contact_id is not None and person.contact_id is None:
            company_id = next(
                (each.company_id for each in directory.contacts[handle] if each.contact_id == contact_id),
                None,
            )
            companies = person.companies if company_id is None else {company_id: ("contact", handle)}
            found[handle] = Person(handle, contact_id, companies, known=True)
    return found


def said_person(handle: str, contact_id: int | None, company_id: int | None, directory: Directory) -> Person:
    """Whom somebody said that a handle is: this contact, with its company, or nobody in the CRM, who has the domain's."""
    if contact_id is None:
        domain, of_domain = _companies_by_domain(handle, directory)
        companies = dict.fromkeys(of_domain, (_by(domain, directory), domain))
        return Person(handle, None, companies if len(of_domain) == 1 else {}, ())
    found = {} if company_id is None else {company_id: ("correction", handle)}
    return Person(handle, contact_id, found, known=True)


def _names(drafts: Iterable[Draft]) -> Mapping[str, Collection[str]]:
    """The names, folded, that are written beside each handle."""
    written = {
        (party.address, party.name)
        for draft in drafts
        for party in draft.parties
        if party.user_id is None and party.name
    }
    found: dict[str, set[str]] = defaultdict(set)
    for handle, name in written:
        found[handle].add(folded(name))
    return found


def folded(name: str) -> str:
    """A name as it is compared: case, space and the order of ``Last, First`` aside."""
    last, comma, first = name.partition(",")
    return " ".join((f"{first} {last}" if comma else name).casefold().split())


def _name_strangers(
    found: dict[str, Person], names: Mapping[str, Collection[str]], directory: Directory
) -> None:
    """Somebody who answers from an address that nobody knows, under the name of one of the others, is that one."""
    strangers = [
        handle
        for handle, person in found.items()
        if not (person.known or person.companies or person.undecided) and "@" in handle and handle in names
    ]
    if not strangers:
        return
    by_name: dict[str, set[int]] = defaultdict(set)
    handle_of: dict[int, str] = {}
    for handle, person in found.items():
        if person.contact_id is not None:
            handle_of.setdefault(person.contact_id, handle)
            for name in names.get(handle, ()):
                by_name[name].add(person.contact_id)
    for handle in strangers:
        same = {contact for name in names[handle] for contact in by_name.get(name, ())}
        if len(same) == 1:
            other = found[handle_of[same.pop()]]
            companies = dict.fromkeys(other.companies, ("name", other.handle))
            found[handle] = Person(handle, other.contact_id, companies, known=True)


def _person(
    handle: str,
    directory: Directory,
    thread_companies: Collection[int],
    names: Collection[str],
    present: Collection[int] = (),
    at: datetime | None = None,
) -> Person:
    """By exact address or number, then by the domain of the address.

    Several contacts on one handle (duplicates, a shared line): the written name decides, or the thread's company, if it leaves
    one of them, or on a line who takes part otherwise (`present`); otherwise no contact is chosen, and a company only where all
    of them belong to it. A switchboard is nobody, however few have it.
    """
    known = _entered_by(at, _contacts(handle, names, directory))
    contacts = _told_apart(known, directory, thread_companies, names)
    if len(contacts) > 1 and "@" not in handle:
        contacts = [each for each in contacts if each.contact_id in present] or contacts
    contact_id = contacts[0].contact_id if len(contacts) == 1 else None
    if handle in directory.switchboards:
        contact_id = contact_id if contact_id in present else None
        if not contacts:
            of_board = directory.switchboards[handle]
            found = dict.fromkeys(of_board if len(of_board) == 1 else (), ("switchboard", handle))
            return Person(handle, None, found, known=bool(found))
    of_contacts = sorted(
        {each.company_id for each in contacts if each.company_id is not None and not each.moved}
    )
    if len(of_contacts) > 1:
        return Person(handle, contact_id, {}, tuple(of_contacts), known=True)
    if of_contacts:
        by = "national_number" if is_national(handle) else "contact"
        return Person(handle, contact_id, {of_contacts[0]: (by, handle)}, known=True)
    if handle in directory.blocks and not contacts:
        company_id, block = directory.blocks[handle]
        return Person(handle, None, {company_id: ("number_block", block)})
    domain, of_domain = _companies_by_domain(handle, directory)
    if contact_id is not None and not of_domain and (company := _company_of_roles(contact_id, directory)):
        return Person(handle, contact_id, {company: ("role", handle)}, known=True)
    if len(of_domain) > 1:
        narrowed = tuple([each for each in of_domain if each in thread_companies])
        if len(narrowed) != 1:
            return Person(handle, contact_id, {}, of_domain, known=bool(contacts))
        of_domain = narrowed
    found = dict.fromkeys(of_domain, (_by(domain, directory), domain))
    return Person(handle, contact_id, found, known=bool(contacts))


def _entered_by(at: datetime | None, contacts: Sequence[KnownContact]) -> Sequence[KnownContact]:
    """The contacts without those entered later of whom there was one by then: who changed employers and was entered anew does not
    take what was before. Whom nobody had entered may have been there all the same."""
    if at is None or len(contacts) < 2:
        return contacts
    by_then = [each for each in contacts if each.created_at is None or each.created_at <= at]
    names = {folded(each.name) for each in by_then}
    return [each for each in contacts if each in by_then or folded(each.name) not in names]


def _company_of_roles(contact_id: int, directory: Directory) -> int | None:
    """The company for whose deals somebody works of whom the CRM names none, where that is one."""
    deals = directory.deals_of_contact.get(contact_id, ())
    found = {directory.deals[each].company_id for each in deals}
    return found.pop() if len(found) == 1 else None


def _told_apart(
    contacts: Sequence[KnownContact],
    directory: Directory,
    thread_companies: Collection[int],
    names: Collection[str],
) -> Sequence[KnownContact]:
    """Of several contacts on one handle those that it can mean, by the first thing that leaves exactly one: the written name; the
    thread's company; of one person who was entered twice a company at all (the other is a lead that was converted), or a role."""
    if len(contacts) < 2:
        return contacts
    of_roles = directory.deals_of_contact
    choices = [
        [each for each in contacts if folded(each.name) in names],
        [each for each in contacts if each.company_id in thread_companies],
    ]
    if len({folded(each.name) for each in contacts}) == 1:  # entered twice; others share an address or a line
        choices.append([each for each in contacts if each.company_id is not None])
        if len({each.company_id for each in contacts} - {None}) < 2:
            choices.append([each for each in contacts if each.contact_id in of_roles])
    return next((narrowed for narrowed in choices if len(narrowed) == 1), contacts)


def with_contacts(parties: Sequence[Party], contacts: Mapping[str, int | None]) -> tuple[Party, ...]:
    """The parties with the contacts that were found; those that were set before and are unknown now are taken out."""
    return tuple(
        [
            party
            if party.contact_id == (found := contacts.get(party.address))
            else _with_contact(party, found)
            for party in parties
        ]
    )


def _with_contact(party: Party, contact_id: int | None) -> Party:
    return Party(
        party.role, party.address, party.name, party.response, party.resource, party.user_id, contact_id
    )


def _contacts(handle: str, names: Collection[str], directory: Directory) -> Sequence[KnownContact]:
    """Those who have the handle, its tag aside; else those who have it on the domain above, under the same name."""
    found = directory.contacts.get(handle) or directory.contacts.get(untagged(handle))
    if found or not names or (above := address_above(untagged(handle))) is None:
        return found or ()
    return [each for each in directory.contacts.get(above, ()) if folded(each.name) in names]


def _by(domain: str, directory: Directory) -> str:
    return "learned_domain" if domain in directory.learned else "domain"


def _companies_by_domain(handle: str, directory: Directory) -> tuple[str, tuple[int, ...]]:
    own = handle.rpartition("@")[2]
    if own != handle and (
        own in directory.companies or own.count(".") > 1
    ):  # else there is none above to ask for
        for domain in organization_domains(own):
            if found := directory.companies.get(domain):
                return domain, tuple(sorted(set(found)))
    return "", ()
