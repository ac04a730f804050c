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
from autocapture.store.bulk import in_chunks, table_of


def load_organization(
    session: Session,
    *,
    region_of: Callable[[str], str],
    shared_domains: Collection[str],
    hash_key: bytes = b"",
) -> Organization:
    """Our people. `region_of` maps a time zone to a telephone region; a domain of `shared_domains` (free mail) is never ours."""
    colleagues = {
        user.id: Colleague(user.id, user.email, user.name, user.time_zone, region_of(user.time_zone))
        for user in session.scalars(select(User))
        if user.id is not None
    }
    handles = {colleague.email: colleague.user_id for colleague in colleagues.values()}
    for handle in session.scalars(select(UserHandle)):
        handles[handle.value] = handle.user_id
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
    found: dict[str, list[KnownContact]] = defaultdict(list)
    for chunk in in_chunks(sorted(handles)):
        rows = session.execute(
            select(
                col(ContactHandle.value),
                col(Contact.id),
                col(Contact.company_id),
                col(Contact.name),
                col(Contact.created_at),
            )
            .join(Contact, col(Contact.id) == col(ContactHandle.contact_id))
            .where(col(ContactHandle.kind).in_(("email", "phone")), col(ContactHandle.value).in_(chunk))
            .order_by(col(Contact.id))
        )
        for value, contact_id, company_id, name, created_at in rows:
            found[value].append(KnownContact(contact_id, company_id, name, created_at))
    return {value: tuple(known) for value, known in found.items()}


def _companies(session: Session, domains: Collection[str]) -> dict[str, tuple[int, ...]]:
    wanted = {parent for domain in domains for parent in _with_parents(domain)}
    found: dict[str, list[int]] = defaultdict(list)
    for chunk in in_chunks(sorted(wanted)):
        rows = session.execute(
            select(col(CompanyDomain.domain), col(CompanyDomain.company_id))
            .where(col(CompanyDomain.domain).in_(chunk))
            .order_by(col(CompanyDomain.company_id))
        )
        for domain, company_id in rows:
            found[domain].append(company_id)
    return {domain: tuple(ids) for domain, ids in found.items()}


def _with_parents(domain: str) -> list[str]:
    """The domain and every domain above it but the last label: `match` decides which of them says something."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _named(session: Session, company_ids: Collection[int]) -> dict[int, tuple[str, bool]]:
    found: dict[int, tuple[str, bool]] = {}
    for chunk in in_chunks(sorted(company_ids)):
        rows = session.execute(
            select(col(Company.id), col(Company.name), col(Company.partner)).where(col(Company.id).in_(chunk))
        )
        found.update((company_id, (name, partner)) for company_id, name, partner in rows)
    return found


def _deals(session: Session, companies: Collection[int], contacts: Collection[int]) -> dict[int, KnownDeal]:
    ids: set[int] = set()
    for chunk in in_chunks(sorted(companies)):
        ids.update(session.scalars(select(col(Deal.id)).where(col(Deal.company_id).in_(chunk))))
    for chunk in in_chunks(sorted(contacts)):
        ids.update(
            session.scalars(select(col(DealContact.deal_id)).where(col(DealContact.contact_id).in_(chunk)))
        )
    found: dict[int, KnownDeal] = {}
    for chunk in in_chunks(sorted(ids)):
        roles: dict[int, set[int]] = defaultdict(set)
        for deal_id, contact_id in session.execute(
            select(col(DealContact.deal_id), col(DealContact.contact_id)).where(
                col(DealContact.deal_id).in_(chunk)
            )
        ):
            roles[deal_id].add(contact_id)
        for deal in session.execute(select(table_of(Deal)).where(col(Deal.id).in_(chunk))):
            found[deal.id] = KnownDeal(
                deal_id=deal.id,
                company_id=deal.company_id,
                owner_id=deal.owner_id,
                created_at=deal.created_at,
                closed_at=deal.closed_at,
                outcome=deal.outcome,
                name=deal.name,
                contacts=frozenset(roles.get(deal.id, ())),
            )
    return found
