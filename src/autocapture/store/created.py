"""Contacts and companies of our own making: found, written, taken back, and handed over to the CRM."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlmodel import Session, SQLModel

from autocapture.model.activities import Match, Participant
from autocapture.model.corrections import Correction
from autocapture.model.created import COMPANY, CONTACT, Created, FoundNumber, Tombstone
from autocapture.model.crm import Company, CompanyDomain, Contact, ContactHandle
from autocapture.store.bulk import among, delete_where_in, rows_of, table_of

_CREATED, _STONE = table_of(Created).c, table_of(Tombstone).c
_CONTACT, _HANDLE, _DOMAIN = table_of(Contact).c, table_of(ContactHandle).c, table_of(CompanyDomain).c
_PARTY, _MATCH = table_of(Participant).c, table_of(Match).c

_MODELS: Mapping[str, type[SQLModel]] = {CONTACT: Contact, COMPANY: Company}
_OWN_PARTS = {"contact_handle", "found_number", "participant", "company_domain", "contact"}
"""Tables whose references to a contact or company go with it, or are put right when it goes."""


def ours(session: Session, target: str) -> dict[int, str]:
    """The contacts or companies that autocapture created and that are its own still, with their address or domain."""
    statement = (
        select(_CREATED.target_id, _CREATED.value)
        .where(_CREATED.target == target, _CREATED.target_id.is_not(None), _CREATED.ended.is_(None))
        .order_by(_CREATED.target_id)
    )
    return dict(tuple(row) for row in rows_of(session, statement))


def ours_of(session: Session, addresses: Iterable[str]) -> dict[int, str]:
    """The contacts with these addresses that are autocapture's own."""
    statement = select(_CREATED.target_id, _CREATED.value).where(
        _CREATED.target == CONTACT,
        _CREATED.target_id.is_not(None),
        _CREATED.ended.is_(None),
        among(session, _CREATED.value, sorted(addresses)),
    )
    return dict(tuple(row) for row in rows_of(session, statement))


def is_created(target: str, number: Any) -> ColumnElement[bool]:
    """Whether the contact or company of this id is one that autocapture created, be it one that is being taken back."""
    created = table_of(Created).alias(f"created_{target}").c
    return select(created.id).where(created.target == target, created.target_id == number).exists()


def tombstones(session: Session, target: str, values: Collection[str]) -> set[str]:
    """Those of these addresses or domains of which nothing is to be created again."""
    if not values:
        return set()
    statement = select(_STONE.value).where(
        _STONE.target == target, among(session, _STONE.value, sorted(values))
    )
    return {value for (value,) in rows_of(session, statement)}


def forget_tombstones(session: Session, target: str, values: Collection[str]) -> None:
    if values:
        stone = table_of(Tombstone)
        session.connection().execute(
            stone.delete().where(stone.c.target == target, among(session, stone.c.value, sorted(values)))
        )


def companies_by_domain(session: Session, domains: Collection[str]) -> dict[str, dict[int, int]]:
    """By domain: the companies that the CRM, or we, know by it, each with the number of its contacts there.

    Looks through all addresses of contacts: asked for a batch of people, never for one.
    """
    found: dict[str, dict[int, int]] = defaultdict(dict)
    if not domains:
        return found
    named = select(_DOMAIN.domain, _DOMAIN.company_id).where(among(session, _DOMAIN.domain, sorted(domains)))
    for name, company_id in rows_of(session, named):
        found[name][company_id] = 0
    domain = domain_of(session, _HANDLE.value).label("domain")
    there = (
        select(domain, _CONTACT.company_id.label("company_id"))
        .join(table_of(Contact), _CONTACT.id == _HANDLE.contact_id)
        .where(_HANDLE.kind == "email", _CONTACT.company_id.is_not(None))
        .subquery()
    )
    counted = (
        select(there.c.domain, there.c.company_id, func.count())
        .where(among(session, there.c.domain, sorted(domains)))
        .group_by(there.c.domain, there.c.company_id)
    )
    for name, company_id, count in rows_of(session, counted):
        found[name][company_id] = count
    return found


def domain_of(session: Session, address: Any) -> Any:
    """What stands after the (only) @ of canonical addresses."""
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(address, func.instr(address, "@") + 1, type_=address.type)
    return func.split_part(address, "@", 2, type_=address.type)


def end(session: Session, ids: Iterable[int], why: str, at: datetime, *, released: bool) -> None:
    """These rows of `created` are over; `released` ones stand for no contact or company any more."""
    row = table_of(Created)
    values: dict[str, Any] = {"ended": why, "ended_at": at}
    if released:
        values["target_id"] = None
    session.connection().execute(row.update().where(among(session, row.c.id, sorted(ids))).values(values))


def release(session: Session, target: str, target_ids: Collection[int]) -> None:
    """The rows of `created` that stood for these stand for nothing any more."""
    row = table_of(Created)
    session.connection().execute(
        row.update()
        .where(row.c.target == target, among(session, row.c.target_id, sorted(target_ids)))
        .values(target_id=None)
    )


def take_over(session: Session, target: str, target_ids: Collection[int], at: datetime) -> None:
    """The CRM brought these: they are its own from now on."""
    if target_ids:
        row = table_of(Created)
        session.connection().execute(
            row.update()
            .where(row.c.target == target, among(session, row.c.target_id, sorted(target_ids)))
            .values(ended="taken_over", ended_at=at, target_id=None)
        )


def needed_elsewhere(session: Session, target: str, target_ids: Collection[int]) -> set[int]:
    """Those of these contacts or companies that other tables refer to: a deal, a lead, a correction."""
    table = table_of(_MODELS[target])
    found: set[int] = set()
    if not target_ids:
        return found
    for other in SQLModel.metadata.sorted_tables:
        if other.name in _OWN_PARTS:
            continue
        for key in other.foreign_keys:
            if key.column is table.c.id:
                referring = select(key.parent).where(among(session, key.parent, sorted(target_ids)))
                found.update(number for (number,) in rows_of(session, referring.distinct()))
    return found


def corrected_to(session: Session, contacts: Collection[int]) -> set[int]:
    """Those of these contacts of whom a correction that stands says that somebody is them."""
    said, undone = table_of(Correction).c, table_of(Correction).alias("undone").c
    statement = (
        select(_CONTACT.id)
        .join(table_of(Correction), said.contact == _CONTACT.source_id)
        .where(
            among(session, _CONTACT.id, sorted(contacts)),
            ~select(undone.id).where(undone.undoes == said.id).exists(),
        )
    )
    return {number for (number,) in rows_of(session, statement.distinct())} if contacts else set()


def rename_in_corrections(session: Session, before: str, after: str) -> None:
    """A contact has another key than when corrections named it."""
    said = table_of(Correction)
    session.connection().execute(said.update().where(said.c.contact == before).values(contact=after))


def taking_part(session: Session, contacts: Collection[int]) -> set[int]:
    """Those of these contacts that took part in anything."""
    statement = select(_PARTY.contact_id).where(among(session, _PARTY.contact_id, sorted(contacts)))
    return {number for (number,) in rows_of(session, statement.distinct())} if contacts else set()


def without_activities(session: Session, target: str) -> set[int]:
    """The contacts of ours that took part in nothing that is there, or the companies without contact and activity."""
    own = ours(session, target).keys()
    if target == CONTACT:
        return own - taking_part(session, own)
    employing = select(_CONTACT.company_id).where(among(session, _CONTACT.company_id, sorted(own)))
    matched = select(_MATCH.target_id).where(
        _MATCH.target == COMPANY, among(session, _MATCH.target_id, sorted(own))
    )
    statements = (employing, matched) if own else ()
    return own - {number for each in statements for (number,) in rows_of(session, each.distinct())}


def unname(
    session: Session, contacts: Collection[int], companies: Collection[int], *, keep_people: bool = False
) -> None:
    """Takes away the handles and domains by which these are found, and the companies' contacts unless they are kept."""
    delete_where_in(session, FoundNumber, "contact_id", sorted(contacts))
    delete_where_in(session, ContactHandle, "contact_id", sorted(contacts))
    delete_where_in(session, CompanyDomain, "company_id", sorted(companies))
    if companies and not keep_people:
        contact = table_of(Contact)
        session.connection().execute(
            update(contact)
            .where(among(session, contact.c.company_id, sorted(companies)))
            .values(company_id=None)
        )


def remove(session: Session, contacts: Collection[int], companies: Collection[int]) -> None:
    """Deletes what nothing names any more; no activity may be matched to it."""
    delete_where_in(session, Contact, "id", sorted(contacts))
    delete_where_in(session, Company, "id", sorted(companies))


def activities_of(session: Session, contacts: Collection[int], companies: Collection[int]) -> list[int]:
    """The activities in which these contacts took part, or that are matched to these companies."""
    found: set[int] = set()
    if contacts:
        took_part = select(_PARTY.activity_id).where(among(session, _PARTY.contact_id, sorted(contacts)))
        found.update(each for (each,) in rows_of(session, took_part.distinct()))
    if companies:
        matched = select(_MATCH.activity_id).where(
            and_(_MATCH.target == COMPANY, among(session, _MATCH.target_id, sorted(companies)))
        )
        found.update(each for (each,) in rows_of(session, matched.distinct()))
    return sorted(found)


def absorb_contacts(session: Session, into: Mapping[int, int]) -> None:
    """Each contact (key) becomes part of another one (value), which has its addresses already. What it took part in has nobody in
    its place until it is matched anew, and so is known for changed."""
    keys = dict(
        tuple(row)
        for row in rows_of(
            session,
            select(_CONTACT.id, _CONTACT.source_id).where(
                among(session, _CONTACT.id, sorted({*into, *into.values()}))
            ),
        )
    )
    for contact_id, other in sorted(into.items()):
        rename_in_corrections(session, keys[contact_id], keys[other])
    take_out(session, into.keys())
    unname(session, into.keys(), ())
    remove(session, into.keys(), ())


def take_out(session: Session, contacts: Collection[int]) -> None:
    """Nobody knows any more that these contacts took part, until what they took part in is matched anew."""
    party = table_of(Participant)
    session.connection().execute(
        party.update().where(among(session, party.c.contact_id, sorted(contacts))).values(contact_id=None)
    )


def absorb_companies(session: Session, into: Mapping[int, int]) -> None:
    """Each company (key) becomes part of another one (value), with its contacts and what is matched to it."""
    contact = table_of(Contact)
    for company_id, other in sorted(into.items()):
        session.connection().execute(
            contact.update().where(contact.c.company_id == company_id).values(company_id=other)
        )
        _move_matches(session, company_id, other)
    unname(session, (), into.keys())
    remove(session, (), into.keys())


def _move_matches(session: Session, company_id: int, other: int) -> None:
    """What was matched to the one is matched to the other, once."""
    match, twin = table_of(Match), table_of(Match).alias("twin")
    mine = and_(match.c.target == COMPANY, match.c.target_id == company_id)
    already = (
        select(twin.c.activity_id)
        .where(twin.c.activity_id == match.c.activity_id, twin.c.target == COMPANY, twin.c.target_id == other)
        .exists()
    )
    session.connection().execute(match.delete().where(mine, already))
    session.connection().execute(match.update().where(mine).values(target_id=other))


def numbers_of_the_crm(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers that contacts have by the CRM."""
    if not numbers:
        return set()
    statement = select(_HANDLE.value).where(
        _HANDLE.kind == "phone", among(session, _HANDLE.value, sorted(numbers)), ~_was_found()
    )
    return {value for (value,) in rows_of(session, statement.distinct())}


def with_numbers_of_the_crm(session: Session) -> set[int]:
    """The contacts of which the CRM tells a number."""
    statement = select(_HANDLE.contact_id).where(_HANDLE.kind == "phone", ~_was_found())
    return {contact_id for (contact_id,) in rows_of(session, statement.distinct())}


def drop_number(session: Session, contact_id: int, number: str) -> None:
    """A contact has this number from their signature no longer."""
    handle, found = table_of(ContactHandle), table_of(FoundNumber)
    for table in (handle, found):
        session.connection().execute(
            table.delete().where(table.c.contact_id == contact_id, table.c.value == number)
        )


def _was_found() -> ColumnElement[bool]:
    """Whether the handle is one that a signature told."""
    own = table_of(FoundNumber).alias("own").c
    return select(own.value).where(own.contact_id == _HANDLE.contact_id, own.value == _HANDLE.value).exists()
