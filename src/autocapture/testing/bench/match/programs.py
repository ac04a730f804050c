"""Ways to tell of messages which contacts and companies they are with: ours, and what bounds it from below and above."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Connection, MetaData, Table, select
from sqlmodel import Session, String, col
from sqlmodel import select as select_rows

from autocapture.application import Application
from autocapture.match import match
from autocapture.model.crm import CompanyDomain, Contact, ContactHandle
from autocapture.store.activities import Stored
from autocapture.store.bulk import in_chunks, table_of
from autocapture.store.engine import reading
from autocapture.workflows import collector
from autocapture.workflows.matching import groups_of
from autocapture.workflows.people import our_people


class Found(NamedTuple):
    """How many times somebody was known, and how many links to companies and deals there are."""

    contacts: int
    companies: int
    deals: int = 0


Program = Callable[[Sequence[Stored]], Found]
"""Looks at one batch of messages."""

OURS, DICTIONARY, BATCHED, TEMPORARY, PER_ROW = (
    "autocapture",
    "dictionary in memory",
    "batched IN",
    "temporary table",
    "SQLModel, a row each",
)

_HANDLE, _CONTACT, _DOMAIN = table_of(ContactHandle).c, table_of(Contact).c, table_of(CompanyDomain).c
_WHO = select(_HANDLE.value, _CONTACT.id, _CONTACT.company_id).join(
    table_of(Contact), _CONTACT.id == _HANDLE.contact_id
)
_WHERE = select(_DOMAIN.domain, _DOMAIN.company_id)

Known = Mapping[str, tuple[int, int | None]]
"""Contact and company by address."""


def autocapture(app: Application) -> Program:
    """As a capture and a re-match do it: what the handles of the batch reach is loaded, then each thread is matched."""
    organization = our_people(app)

    def run(batch: Sequence[Stored]) -> Found:
        contacts = companies = deals = 0
        with collector.at_rest():
            with reading(app.engine) as session:
                groups, directory = groups_of(session, organization, batch)
            for group in groups:
                for answer in match(group, directory).values():
                    contacts += len([1 for party in answer.parties if party.contact_id is not None])
                    of_deals = len([1 for link in answer.links if link.target == "deal"])
                    deals += of_deals
                    companies += len(answer.links) - of_deals
        return Found(contacts, companies, deals)

    return run


def dictionary(app: Application) -> Program:
    """The whole CRM as dictionaries: nothing in Python is faster, and memory grows with the CRM."""
    with reading(app.engine) as session:
        known = _by_address(session.connection().execute(_WHO))
        companies = _by_domain(session.connection().execute(_WHERE))
    return lambda batch: _looked_up(batch, known, companies)


def batched(app: Application) -> Program:
    """Two statements with lists of values for every few hundred addresses."""

    def run(batch: Sequence[Stored]) -> Found:
        with reading(app.engine) as session:
            connection = session.connection()
            addresses = _addresses(batch)
            known = _by_address(
                row
                for chunk in in_chunks(addresses)
                for row in connection.execute(
                    _WHO.where(_HANDLE.kind == "email", _HANDLE.value.in_(chunk)).order_by(_CONTACT.id)
                )
            )
            companies = _by_domain(
                row
                for chunk in in_chunks(_domains(addresses))
                for row in connection.execute(_WHERE.where(_DOMAIN.domain.in_(chunk)))
            )
        return _looked_up(batch, known, companies)

    return run


def temporary(app: Application) -> Program:
    """The addresses and domains of a batch are written into a temporary table, and those in it selected."""
    wanted = Table(
        "bench_wanted", MetaData(), SqlColumn("value", String, primary_key=True), prefixes=["TEMPORARY"]
    )

    def rows(connection: Connection, statement: Any, key: ColumnElement[str], values: Collection[str]) -> Any:
        connection.execute(wanted.delete())
        connection.execute(wanted.insert(), [{"value": each} for each in values])
        # no join: SQLite, which knows nothing of the size of a temporary table, would walk through the other one
        return connection.execute(statement.where(key.in_(select(wanted.c.value))))

    def run(batch: Sequence[Stored]) -> Found:
        with reading(app.engine) as session:
            connection = session.connection()
            wanted.create(connection, checkfirst=True)
            addresses = _addresses(batch)
            of_mail = _WHO.where(_HANDLE.kind == "email")
            known = _by_address(rows(connection, of_mail, _HANDLE.value, addresses))
            companies = _by_domain(rows(connection, _WHERE, _DOMAIN.domain, _domains(addresses)))
        return _looked_up(batch, known, companies)

    return run


def per_row(app: Application) -> Program:
    """Each address by itself, through SQLModel's objects."""

    def run(batch: Sequence[Stored]) -> Found:
        with reading(app.engine) as session:
            each = [_one_by_one(session, stored) for stored in batch]
        return Found(sum(one.contacts for one in each), sum(one.companies for one in each))

    return run


def _one_by_one(session: Session, stored: Stored) -> Found:
    contacts, companies = 0, set[int]()
    for address in _outside(stored):
        handle = session.exec(
            select_rows(ContactHandle).where(
                col(ContactHandle.kind) == "email", col(ContactHandle.value) == address
            )
        ).first()
        contact = None if handle is None else session.get(Contact, handle.contact_id)
        if contact is not None and contact.company_id is not None:
            contacts += 1
            companies.add(contact.company_id)
            continue
        domain = address.rpartition("@")[2]
        of_domain = session.exec(
            select_rows(CompanyDomain).where(col(CompanyDomain.domain) == domain)
        ).first()
        if of_domain is not None:
            companies.add(of_domain.company_id)
    return Found(contacts, len(companies))


PROGRAMS: Mapping[str, Callable[[Application], Program]] = {
    OURS: autocapture,
    DICTIONARY: dictionary,
    BATCHED: batched,
    TEMPORARY: temporary,
    PER_ROW: per_row,
}


def _outside(stored: Stored) -> list[str]:
    return [party.address for party in stored.draft.parties if party.user_id is None]


def _addresses(batch: Iterable[Stored]) -> list[str]:
    return sorted({address for stored in batch for address in _outside(stored)})


def _domains(addresses: Iterable[str]) -> list[str]:
    return sorted({address.rpartition("@")[2] for address in addresses})


def _by_address(rows: Iterable[Any]) -> Known:
    return {address: (contact, company) for address, contact, company in rows}


def _by_domain(rows: Iterable[Any]) -> Mapping[str, int]:
    return {domain: company for domain, company in rows}  # noqa: C416  rows are tuples to Python alone


def _looked_up(batch: Iterable[Stored], known: Known, companies: Mapping[str, int]) -> Found:
    contacts = links = 0
    for stored in batch:
        found: set[int] = set()
        for address in _outside(stored):
            who = known.get(address)
            if who is not None:
                contacts += 1
            company = who[1] if who is not None else companies.get(address.rpartition("@")[2])
            if company is not None:
                found.add(company)
        links += len(found)
    return Found(contacts, links)
