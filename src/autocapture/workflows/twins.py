"""Who seems to be a contact under another address: a person of the same name, at the same company or one that is called the same.

Nobody is created of them, and nothing is put together by itself: a name is no proof.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.crm.learned_domains import name_of
from autocapture.match.people import folded
from autocapture.model.crm import Company, Contact
from autocapture.store import created, strangers
from autocapture.store.bulk import among
from autocapture.store.learned_domains import companies_called
from autocapture.workflows.company_of_person import domains_of
from autocapture.workflows.header_names import names_by_address

_WORDS = 2
"""Of a name: many at one company are called Anna."""


def twins(session: Session, addresses: Collection[str]) -> dict[str, str]:
    """By address: whom it may be another address of, as ``Anna Weber of Acme``."""
    names = {
        address: folded(name)
        for address, name in names_by_address(strangers.names_of(session, addresses)).items()
        if len(name.split()) >= _WORDS
    }
    domains = {address: found for address in names if (found := domains_of(address))}
    if not domains:
        return {}
    by_domain = created.companies_by_domain(session, {each for found in domains.values() for each in found})
    alike = companies_called(session, {name_of(found[-1]) for found in domains.values()})
    near = {
        address: {company for each in found for company in by_domain.get(each, ())}
        | alike.get(name_of(found[-1]), set())
        for address, found in domains.items()
    }
    people = _people(session, {company for found in near.values() for company in found})
    seeming: dict[str, str] = {}
    for address, companies in near.items():
        told = sorted({who for each in companies for who in people.get((each, names[address]), ())})
        if told:
            seeming[address] = " or ".join(told)
    return seeming


def _people(session: Session, companies: Collection[int]) -> dict[tuple[int, str], list[str]]:
    """The contacts of these companies, by company and folded name."""
    found: dict[tuple[int, str], list[str]] = defaultdict(list)
    rows = session.execute(
        select(col(Contact.company_id), col(Contact.name), col(Company.name))
        .join(Company, col(Company.id) == col(Contact.company_id))
        .where(among(session, col(Contact.company_id), companies))
    )
    for company_id, name, company in rows:
        found[company_id, folded(name)].append(f"{name} of {company}")
    return found
