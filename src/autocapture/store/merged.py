"""Contacts and companies that the CRM made one: what hangs on the one that is gone hangs on the other.

Who took part in an activity, and to which company it is matched, is told by matching it anew; until then nobody is named.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, select
from sqlmodel import Session

from autocapture.model.crm import Contact, Deal, DealContact, Lead, LearnedDomain, NumberBlock, Switchboard
from autocapture.store.bulk import delete_where_in, rows_of, table_of
from autocapture.store.created import remove, rename_in_corrections, take_out, unname

_CONTACT, _ROLE = table_of(Contact).c, table_of(DealContact)


def merge_contacts(session: Session, into: Mapping[int, int]) -> None:
    """Each contact (key) becomes part of another one (value): its roles, leads and what people said of it."""
    for contact_id, other in sorted(into.items()):
        keys = dict(
            tuple(row)
            for row in rows_of(
                session,
                select(_CONTACT.id, _CONTACT.source_id).where(_CONTACT.id.in_((contact_id, other))),
            )
        )
        rename_in_corrections(session, keys[contact_id], keys[other])
        _move_roles(session, contact_id, other)
        _point(session, table_of(Lead).c.contact_id, contact_id, other)
    take_out(session, into.keys())
    unname(session, into.keys(), ())
    delete_where_in(session, Switchboard, "contact_id", sorted(into))
    remove(session, into.keys(), ())


def merge_companies(session: Session, into: Mapping[int, int]) -> None:
    """Each company (key) becomes part of another one (value), with its contacts and deals."""
    for company_id, other in sorted(into.items()):
        _point(session, table_of(Contact).c.company_id, company_id, other)
        _point(session, table_of(Deal).c.company_id, company_id, other)
    for learned in (LearnedDomain, NumberBlock):
        delete_where_in(session, learned, "company_id", sorted(into))
    unname(session, (), into.keys())
    remove(session, (), into.keys())


def _move_roles(session: Session, contact_id: int, other: int) -> None:
    """A role of the other on the same deal stays as it is."""
    twin = _ROLE.alias("twin")
    already = (
        select(twin.c.deal_id)
        .where(twin.c.deal_id == _ROLE.c.deal_id, twin.c.contact_id == other)
        .correlate(_ROLE)
        .exists()
    )
    session.connection().execute(_ROLE.delete().where(_ROLE.c.contact_id == contact_id, already))
    _point(session, _ROLE.c.contact_id, contact_id, other)


def _point(session: Session, column: Column[int], before: int, after: int) -> None:
    table = column.table
    session.connection().execute(table.update().where(column == before).values({column.name: after}))
