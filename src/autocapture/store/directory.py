"""Loads what the pure stages may know: our people once, and for each batch the part of the CRM that its handles reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable

from sqlalchemy import select
from sqlmodel import Session, col

from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle, Deal, DealContact
from autocapture.model.directory import (
    Colleague,
    Directory,
    KnownContact,
    KnownDeal,
    Organization,
    untagged,
)
from autocapture.model.organization import User, UserHandle
from autocapture.store.bulk import among, rows_of, table_of


def load_organization(
    session: Session,
    *,
    region_of: Callable[[str], str],
    shared_domains: Collection[str],
    hash_key: bytes = b"",
) -> Organization:
    """Our people. `region_of` maps a time zone to a telephone region; a domain of `shared_domains` (free mail) is never ours."""
    users = session.execute(select(col(User.id), col(User.email), col(User.name), col(User.time_zone)))
    colleagues = {
        user_id: Colleague(user_id, email, name, zone, region_of(zone))
        for user_id, email, name, zone in users
        if user_id is not None
    }
    handles = {colleague.email: colleague.user_id for colleague in colleagues.values()}
    handles.update(
        (value, user_id)
        for value, user_id in session.execute(select(col(UserHandle.value), col(UserHandle.user_id)))
    )
    domains = {handle.rpartition("@")[2] for handle in handles if "@" in handle}
    return Organization(colleagues, handles, frozenset(domains - set(shared_domains)), hash_key)


def load_directory(session: Session, organization: Organization, handles: Iterable[str]) -> Directory:
    """Everything of the CRM that activities between these handles could be matched to."""
    wanted = set(handles) - organization.handles.keys()
    outside = sorted(wanted | {untagged(handle) for handle in wanted})
    contacts = _contacts(session, outside)
    companies = _companies(
        session, {h.rpartition("@")[2] for h in outside if "@" in h} - organization.domains
    )
    company_ids = {company for found in companies.values() for company in found}
    company_ids.update(c.company_id for found in contacts.values() for c in found if c.company_id is not None)
    contact_ids = {c.contact_id for found in contacts.values() for c in found}
    named = _named(session, company_ids)
    return Directory(
        organization=organization,
        contacts=contacts,
        companies=companies,
        company_names={company_id: name for company_id, (name, _) in named.items()},
        partners=frozenset(company_id for company_id, (_, partner) in named.items() if partner),
        deals=_deals(session, company_ids, contact_ids),
    )


def _contacts(session: Session, handles: Collection[str]) -> dict[str, tuple[KnownContact, ...]]:
    handle, contact = table_of(ContactHandle).c, table_of(Contact).c
    statement = (
        select(handle.value, contact.id, contact.company_id, contact.name, contact.created_at)
        .join(table_of(Contact), contact.id == handle.contact_id)
        .where(handle.kind.in_(("email", "phone")), among(session, handle.value, handles))
        .order_by(contact.id)
    )
    found: dict[str, list[KnownContact]] = defaultdict(list)
    for value, contact_id, company_id, name, created_at in rows_of(session, statement):
        found[value].append(KnownContact(contact_id, company_id, name, created_at))
    return {value: tuple(known) for value, known in found.items()}


def _companies(session: Session, domains: Collection[str]) -> dict[str, tuple[int, ...]]:
    wanted = {parent for domain in domains for parent in _with_parents(domain)}
    table = table_of(CompanyDomain)
    statement = select(table.c.domain, table.c.company_id).where(among(session, table.c.domain, wanted))
    found: dict[str, list[int]] = defaultdict(list)
    for domain, company_id in rows_of(session, statement.order_by(table.c.company_id)):
        found[domain].append(company_id)
    return {domain: tuple(ids) for domain, ids in found.items()}


def _with_parents(domain: str) -> list[str]:
    """The domain and every domain above it but the last label: `match` decides which of them says something."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _named(session: Session, company_ids: Collection[int]) -> dict[int, tuple[str, bool]]:
    table = table_of(Company)
    statement = select(table.c.id, table.c.name, table.c.partner).where(
        among(session, table.c.id, company_ids)
    )
    return {company_id: (name, partner) for company_id, name, partner in rows_of(session, statement)}


def _deals(session: Session, companies: Collection[int], contacts: Collection[int]) -> dict[int, KnownDeal]:
    deal, role = table_of(Deal).c, table_of(DealContact).c
    of_companies = select(deal.id).where(among(session, deal.company_id, companies))
    of_contacts = select(role.deal_id).where(among(session, role.contact_id, contacts))
    ids = {each for found in (of_companies, of_contacts) for (each,) in rows_of(session, found)}
    roles: dict[int, set[int]] = defaultdict(set)
    for deal_id, contact_id in rows_of(
        session, select(role.deal_id, role.contact_id).where(among(session, role.deal_id, ids))
    ):
        roles[deal_id].add(contact_id)
    known = select(
        deal.id, deal.company_id, deal.owner_id, deal.created_at, deal.closed_at, deal.outcome, deal.name
    ).where(among(session, deal.id, ids))
    return {
        deal_id: KnownDeal(
            deal_id, company_id, owner_id, created, closed, outcome, name, frozenset(roles[deal_id])
        )
        for deal_id, company_id, owner_id, created, closed, outcome, name in rows_of(session, known)
    }
