"""Loads what the pure stages may know: our people once, and for each batch the part of the CRM that its handles reach."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import ColumnElement, bindparam, func, literal_column, or_, select, union_all
from sqlmodel import Session

from autocapture.formats.domains import address_above
from autocapture.formats.phone import is_national, national_readings
from autocapture.formats.words import joined, words_in
from autocapture.model.created import COMPANY
from autocapture.model.crm import (
    BY_CAPTURE,
    Company,
    CompanyDomain,
    Contact,
    ContactHandle,
    Deal,
    DealContact,
    DealProduct,
    DealReference,
    LearnedDomain,
    Product,
)
from autocapture.model.directory import (
    Colleague,
    Directory,
    KnownContact,
    KnownDeal,
    Organization,
    untagged,
)
from autocapture.model.organization import User, UserHandle
from autocapture.store.bulk import rows_of, table_of
from autocapture.store.corrections import load_locks
from autocapture.store.created import is_created
from autocapture.store.lookup import Lookup
from autocapture.store.number_blocks import companies_of_blocks

_USER, _HANDLE = table_of(User).c, table_of(UserHandle).c


_OUR_PEOPLE = select(_USER.id, _USER.email, _USER.name, _USER.time_zone).order_by(_USER.id)
_OUR_HANDLES = select(_HANDLE.value, _HANDLE.user_id).order_by(_HANDLE.value)


def load_organization(
    session: Session,
    *,
    region_of: Callable[[str], str],
    shared_domains: frozenset[str],
    hash_key: bytes = b"",
) -> Organization:
    """Our people. `region_of` maps a time zone to a telephone region; a domain of `shared_domains` (free mail) is never ours."""
    users = [(*user, region_of(user.time_zone)) for user in rows_of(session, _OUR_PEOPLE)]
    handles = [tuple(handle) for handle in rows_of(session, _OUR_HANDLES)]
    return replace(_organization(tuple(users), tuple(handles), shared_domains), hash_key=hash_key)


@lru_cache(maxsize=4)  # of few deployments in one process; read at each capture, and nearly always the same
def _organization(
    users: tuple[tuple[int, str, str, str, str], ...],
    more: tuple[tuple[str, int], ...],
    shared_domains: frozenset[str],
) -> Organization:
    colleagues = {user[0]: Colleague(*user) for user in users}
    handles = {colleague.email: colleague.user_id for colleague in colleagues.values()}
    handles.update(more)
    domains = {handle.rpartition("@")[2] for handle in handles if "@" in handle}
    return Organization(colleagues, handles, frozenset(domains - shared_domains))


_MOST_PRODUCTS = 5_000
"""Of a catalogue that is read with every batch. Larger ones are lists of parts, whose names mail does not use."""

NO_GROUPS: Mapping[int, Collection[int]] = MappingProxyType({})


def load_directory(
    session: Session,
    organization: Organization,
    handles: Iterable[str],
    groups: Mapping[int, Collection[int]] = NO_GROUPS,
) -> Directory:
    """Everything of the CRM that activities between these handles could be matched to, and what people said of those in
    `groups`, which gives each one's thread and series."""
    wanted = set(handles) - organization.handles.keys()
    outside = sorted(
        {*wanted, *map(untagged, wanted), *filter(None, map(address_above, map(untagged, wanted)))}
    )
    contacts = _contacts(session, outside)
    companies, learned = _companies(
        session, {h.rpartition("@")[2] for h in outside if "@" in h} - organization.domains
    )
    found = _with_moves(session, contacts, companies)
    numbers = [handle for handle in outside if "@" not in handle and handle not in contacts]
    blocks = companies_of_blocks(session, numbers)
    company_ids = {company for found in companies.values() for company in found}
    company_ids.update(c.company_id for found in contacts.values() for c in found if c.company_id is not None)
    company_ids.update(company_id for company_id, _ in blocks.values())
    contact_ids = {c.contact_id for found in contacts.values() for c in found}
    locks = load_locks(session, groups, handles=outside, contact_ids=contact_ids)
    company_ids.update(lock.company_id for lock in locks if lock.company_id is not None)
    contact_ids.update(lock.contact_id for lock in locks if lock.contact_id is not None)
    deals = _deals(session, company_ids, contact_ids, {lock.deal_id for lock in locks if lock.deal_id})
    said = [deals[lock.deal_id] for lock in locks if lock.deal_id is not None]
    company_ids.update(deal.company_id for deal in said if deal.company_id is not None)
    named = _named(session, company_ids)
    return Directory(
        organization=organization,
        contacts=found,
        companies=companies,
        learned=learned,
        company_names={company_id: name for company_id, (name, _) in named.items()},
        partners=frozenset(company_id for company_id, (_, partner) in named.items() if partner),
        deals=deals,
        products=_catalogue(session) if deals else {},
        blocks=blocks,
        locks=locks,
    )


_HANDLE_OF, _CONTACT, _DOMAIN = table_of(ContactHandle).c, table_of(Contact).c, table_of(CompanyDomain).c
_LEARNED = table_of(LearnedDomain).c
_COMPANY, _DEAL, _ROLE = table_of(Company).c, table_of(Deal).c, table_of(DealContact).c
_SOLD, _PRODUCT, _REFERENCE = table_of(DealProduct).c, table_of(Product).c, table_of(DealReference).c
_CONTACTS = Lookup(
    lambda among: (
        select(_HANDLE_OF.value, _CONTACT.id, _CONTACT.company_id, _CONTACT.name, _CONTACT.created_at)
        .join(table_of(Contact), _CONTACT.id == _HANDLE_OF.contact_id)
        .where(_HANDLE_OF.kind == bindparam("kind"), among(_HANDLE_OF.value, "handles"))
        .order_by(_CONTACT.id)
    )
)
_ADDRESSES = Lookup(
    lambda among: select(_HANDLE_OF.contact_id, _HANDLE_OF.value).where(
        _HANDLE_OF.kind == "email", among(_HANDLE_OF.contact_id, "ids")
    )
)
_COMPANIES = Lookup(
    lambda among: union_all(
        select(_DOMAIN.domain, _DOMAIN.company_id, literal_column("0")).where(
            among(_DOMAIN.domain, "domains")
        ),
        select(_LEARNED.domain, _LEARNED.company_id, literal_column("1")).where(
            among(_LEARNED.domain, "domains")
        ),
    )
)
# companies that autocapture created itself say no more than a partner does while one of the CRM takes part
_NAMED = Lookup(
    lambda among: select(
        _COMPANY.id, _COMPANY.name, or_(_COMPANY.partner, is_created(COMPANY, _COMPANY.id))
    ).where(among(_COMPANY.id, "ids"))
)
_DEALS_OF_CONTACTS = Lookup(lambda among: select(_ROLE.deal_id).where(among(_ROLE.contact_id, "ids")))
_ROLE_OF, _PRODUCT_OF, _REFERENCE_OF = range(3)
_NO_NUMBER: ColumnElement[int] = literal_column("0")


def _what(kind: int) -> ColumnElement[int]:
    return literal_column(str(kind))


# in one step: of a single mail, each step takes longer than what it finds
_DETAILS = Lookup(
    lambda among: union_all(
        select(_what(_ROLE_OF), _ROLE.deal_id, _ROLE.contact_id, _ROLE.source).where(
            among(_ROLE.deal_id, "ids")
        ),
        select(_what(_PRODUCT_OF), _SOLD.deal_id, _NO_NUMBER, _PRODUCT.name)
        .join(table_of(Product), _PRODUCT.id == _SOLD.product_id)
        .where(among(_SOLD.deal_id, "ids")),
        select(_what(_REFERENCE_OF), _REFERENCE.deal_id, _NO_NUMBER, _REFERENCE.value).where(
            among(_REFERENCE.deal_id, "ids")
        ),
    )
)
_DEALS = select(
    _DEAL.id,
    _DEAL.company_id,
    _DEAL.owner_id,
    _DEAL.created_at,
    _DEAL.closed_at,
    _DEAL.outcome,
    _DEAL.name,
    _DEAL.pipeline,
    _DEAL.thread_only,
)
_DEALS_OF_COMPANIES = Lookup(lambda among: _DEALS.where(among(_DEAL.company_id, "ids")))
_DEALS_BY_ID = Lookup(lambda among: _DEALS.where(among(_DEAL.id, "ids")))
_FOLDED_KEY = func.lower(_DEAL.source_id, type_=_DEAL.source_id.type)
_KEYS = Lookup(
    lambda among: select(_FOLDED_KEY, _DEAL.id).where(among(_DEAL.source_id, "keys")).order_by(_DEAL.id)
)
_FOLDED_KEYS = Lookup(  # no index: asked only where keys are written in both cases, as those of few CRMs are
    lambda among: select(_FOLDED_KEY, _DEAL.id).where(among(_FOLDED_KEY, "keys")).order_by(_DEAL.id)
)


def _contacts(session: Session, handles: Collection[str]) -> dict[str, tuple[KnownContact, ...]]:
    found: dict[str, list[KnownContact]] = defaultdict(list)
    addresses = [handle for handle in handles if "@" in handle]
    for value, *known in _CONTACTS(session, kind="email", handles=addresses):
        found[value].append(_contact(*known))
    numbers = [handle for handle in handles if "@" not in handle]
    for value, *known in _CONTACTS(session, kind="phone", handles=numbers):
        found[value].append(_contact(*known))
    for handle in filter(is_national, numbers):
        rows = _CONTACTS(session, kind="phone", handles=national_readings(handle))
        meant = {row[1]: _contact(*row[1:]) for row in rows}
        found[handle] = [meant[contact_id] for contact_id in sorted(meant)]
    return {value: tuple(known) for value, known in found.items()}


def _contact(contact_id: int, company_id: int | None, name: str, created_at: datetime | None) -> KnownContact:
    return KnownContact(contact_id, company_id, name, created_at=created_at)


def _with_moves(
    session: Session,
    contacts: Mapping[str, tuple[KnownContact, ...]],
    companies: Mapping[str, Collection[int]],
) -> Mapping[str, tuple[KnownContact, ...]]:
    """The contacts, with those marked that have an address at their company besides one at another's, under this one."""
    elsewhere = {
        (handle, known.contact_id): known
        for handle, found in contacts.items()
        for known in found
        if "@" in handle
        and known.company_id is not None
        and (of_domain := companies.get(handle.rpartition("@")[2]))
        and known.company_id not in of_domain
    }
    if not elsewhere:
        return contacts
    domains: dict[int, set[str]] = defaultdict(set)
    for contact_id, value in _ADDRESSES(session, ids={contact_id for _, contact_id in elsewhere}):
        domains[contact_id].add(value.rpartition("@")[2])
    at, _ = _companies(session, {domain for found in domains.values() for domain in found})
    moved = {
        key
        for key, known in elsewhere.items()
        if any(known.company_id in at.get(domain, ()) for domain in domains[known.contact_id])
    }
    return {
        handle: tuple(
            [replace(known, moved=True) if (handle, known.contact_id) in moved else known for known in found]
        )
        for handle, found in contacts.items()
    }


def _companies(
    session: Session, domains: Collection[str]
) -> tuple[dict[str, tuple[int, ...]], frozenset[str]]:
    """The companies by domain, and those of these domains that were learned."""
    wanted = {parent for domain in domains for parent in _with_parents(domain)}
    found: dict[str, list[int]] = defaultdict(list)
    learned = set()
    for domain, company_id, is_learned in _COMPANIES(session, domains=wanted):
        found[domain].append(company_id)
        if is_learned:
            learned.add(domain)
    return {domain: tuple(sorted(ids)) for domain, ids in found.items()}, frozenset(learned)


def _with_parents(domain: str) -> list[str]:
    """The domain and every domain above it but the last label: `match` decides which of them says something."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def _named(session: Session, company_ids: Collection[int]) -> dict[int, tuple[str, bool]]:
    return {company_id: (name, partner) for company_id, name, partner in _NAMED(session, ids=company_ids)}


def _deals(
    session: Session, companies: Collection[int], contacts: Collection[int], said: Collection[int]
) -> dict[int, KnownDeal]:
    rows = {row[0]: row for row in _DEALS_OF_COMPANIES(session, ids=companies)}
    named = {*said, *(each for (each,) in _DEALS_OF_CONTACTS(session, ids=contacts))}
    rows.update({row[0]: row for row in _DEALS_BY_ID(session, ids=named - rows.keys())})
    if not rows:
        return {}
    roles: dict[int, set[int]] = defaultdict(set)
    guessed: dict[int, set[int]] = defaultdict(set)
    texts: dict[tuple[int, int], list[str]] = defaultdict(list)
    for what, deal_id, contact_id, text in _DETAILS(session, ids=rows.keys()):
        if what != _ROLE_OF:
            texts[what, deal_id].append(text)
            continue
        roles[deal_id].add(contact_id)
        if text == BY_CAPTURE:
            guessed[deal_id].add(contact_id)
    return {
        deal_id: KnownDeal(
            deal_id,
            company_id,
            owner_id,
            created,
            closed,
            outcome,
            name,
            frozenset(roles[deal_id]),
            tuple(sorted(texts.get((_PRODUCT_OF, deal_id), ()))),
            tuple(sorted(texts.get((_REFERENCE_OF, deal_id), ()))),
            frozenset(guessed[deal_id]),
            pipeline,
            thread_only,
        )
        for deal_id, company_id, owner_id, created, closed, outcome, name, pipeline, thread_only in rows.values()
    }


_REFERENCES = Lookup(
    lambda among: (
        select(_REFERENCE.value, _REFERENCE.deal_id)
        .join(table_of(Deal), _DEAL.id == _REFERENCE.deal_id)
        .where(among(_DEAL.owner_id, "owners"))
        .order_by(_REFERENCE.deal_id)
    )
)


def with_references(
    session: Session, directory: Directory, references: Collection[str], owners: Collection[int]
) -> Directory:
    """The directory with those deals of the owners that have these references, joined."""
    if not references:
        return directory
    found: dict[str, list[int]] = defaultdict(list)
    for value, deal_id in _REFERENCES(session, owners=owners):
        if (reference := joined(value)) in references:
            found[reference].append(deal_id)
    if not found:
        return directory
    by_reference = {reference: tuple(ids) for reference, ids in found.items()}
    added = {each for ids in by_reference.values() for each in ids} - directory.deals.keys()
    return replace(_with_deals(session, directory, added), by_reference=by_reference)


def _with_deals(session: Session, directory: Directory, ids: Collection[int]) -> Directory:
    deals = {**directory.deals, **_deals(session, (), (), ids)}
    companies = {deal.company_id for deal in deals.values() if deal.company_id is not None}
    named = _named(session, companies - directory.company_names.keys())
    names = {**directory.company_names, **{each: name for each, (name, _) in named.items()}}
    return replace(directory, deals=deals, company_names=names)


def with_named(session: Session, directory: Directory, keys: Collection[str]) -> Directory:
    """The directory with the deals that have these keys, folded, in the CRM."""
    if not keys:
        return directory
    rows = _KEYS(session, keys={*keys, *map(str.upper, keys)})
    by_key: dict[str, list[int]] = defaultdict(list)
    for key, deal_id in (*rows, *_FOLDED_KEYS(session, keys=set(keys) - {key for key, _ in rows})):
        by_key[key].append(deal_id)
    if not by_key:
        return directory
    ids = {deal_id for found in by_key.values() for deal_id in found}
    wider = _with_deals(session, directory, ids - directory.deals.keys())
    return replace(wider, by_key={key: tuple(found) for key, found in by_key.items()})


_CATALOGUE = select(_PRODUCT.name).order_by(_PRODUCT.name).limit(_MOST_PRODUCTS)


def _catalogue(session: Session) -> Mapping[str, tuple[frozenset[str], ...]]:
    return _by_word(tuple([name for (name,) in rows_of(session, _CATALOGUE)]))


@lru_cache(maxsize=4)
def _by_word(names: tuple[str, ...]) -> Mapping[str, tuple[frozenset[str], ...]]:
    """Each product by the longest of its words."""
    found: dict[str, set[frozenset[str]]] = defaultdict(set)
    for name in names:
        if words := frozenset(words_in(name)):
            found[max(words, key=lambda word: (len(word), word))].add(words)
    return {word: tuple(sorted(phrases, key=sorted)) for word, phrases in found.items()}
