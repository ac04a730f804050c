"""Domains that were learned from addresses of the CRM's contacts: read for what they are learned from, and kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from autocapture.model.created import CONTACT
from autocapture.model.crm import CompanyDomain, Contact, ContactHandle, LearnedDomain
from autocapture.store.bulk import among, rows_of, table_of
from autocapture.store.created import domain_of, is_created
from autocapture.store.learned import keep_learned

_CONTACT, _HANDLE, _DOMAIN = table_of(Contact).c, table_of(ContactHandle).c, table_of(CompanyDomain).c


def written_from(session: Session) -> list[tuple[str, int, int]]:
    """Domain, company, and how many of its contacts the CRM has there, of domains that it has of no company."""
    domain = domain_of(session, _HANDLE.value).label("domain")
    addresses = (
        select(domain, _CONTACT.company_id.label("company_id"), _CONTACT.id.label("contact_id"))
        .join(table_of(Contact), _CONTACT.id == _HANDLE.contact_id)
        .where(_HANDLE.kind == "email", _CONTACT.company_id.is_not(None), ~is_created(CONTACT, _CONTACT.id))
        .subquery()
    )
    there = addresses.c
    statement = (
        select(there.domain, there.company_id, func.count(there.contact_id.distinct()))
        .where(~select(_DOMAIN.domain).where(_DOMAIN.domain == there.domain).exists())
        .group_by(there.domain, there.company_id)
        .order_by(there.domain, there.company_id)
    )
    return [(name, company_id, count) for name, company_id, count in rows_of(session, statement)]


def known_domains(session: Session) -> Mapping[str, set[int]]:
    """The companies that the CRM has by each domain."""
    found: dict[str, set[int]] = defaultdict(set)
    for domain, company_id in rows_of(session, select(_DOMAIN.domain, _DOMAIN.company_id)):
        found[domain].add(company_id)
    return found


def companies_called(session: Session, names: Collection[str]) -> Mapping[str, set[int]]:
    """The companies that have a domain with one of these names before its ending, by name."""
    first = domain_before_ending(session).label("name")
    there = select(first, _DOMAIN.company_id.label("company_id")).subquery().c
    found: dict[str, set[int]] = defaultdict(set)
    statement = select(there.name, there.company_id).where(among(session, there.name, sorted(names)))
    for name, company_id in rows_of(session, statement):
        found[name].add(company_id)
    return found


def domain_before_ending(session: Session) -> Any:
    """What stands before the first dot of a company's domain."""
    if session.get_bind().dialect.name == "sqlite":
        domain = _DOMAIN.domain
        return func.substr(domain, 1, func.instr(domain, ".") - 1, type_=domain.type)
    return func.split_part(_DOMAIN.domain, ".", 1, type_=_DOMAIN.domain.type)


def keep(session: Session, learned: Mapping[str, int]) -> None:
    """Brings what is kept in line with what is learned now."""
    keep_learned(session, LearnedDomain, "domain", learned)
