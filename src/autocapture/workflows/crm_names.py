"""Which deal or contact of the CRM somebody means by a key, an address or a name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, func, or_, select

from autocapture.errors import InputError
from autocapture.model.crm import Contact, ContactHandle, Deal

_NAMED = 5


def deal_named(session: Session, text: str) -> Deal:
    """The deal with this key, or else the only one of this name, case aside. Raises InputError for none or several."""
    wanted = text.strip()
    if not wanted:
        raise InputError("say which deal: by its key or name in the CRM")
    deal = session.exec(select(Deal).where(Deal.source_id == wanted)).first()
    if deal is not None:
        return deal
    same = select(Deal).where(or_(Deal.name == wanted, func.lower(col(Deal.name)) == wanted.lower()))
    found = session.exec(same.order_by(col(Deal.source_id)).limit(_NAMED)).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"there is no deal {wanted} in the CRM")
    raise InputError(f"several deals are called {wanted}; say its key: {_keys(found)}")


def contact_named(session: Session, text: str) -> Contact:
    """The contact with this key, or else the only one with this address or name, case aside. Raises InputError for none or
    several."""
    wanted = text.strip()
    if not wanted:
        raise InputError("say who it is: by key, address or name in the CRM")
    contact = session.exec(select(Contact).where(Contact.source_id == wanted)).first()
    if contact is not None:
        return contact
    by_handle = select(ContactHandle.contact_id).where(ContactHandle.value == wanted.lower())
    same = select(Contact).where(
        or_(
            Contact.name == wanted,
            func.lower(col(Contact.name)) == wanted.lower(),
            col(Contact.id).in_(by_handle),
        )
    )
    found = session.exec(same.order_by(col(Contact.source_id)).limit(_NAMED)).all()
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(f"there is no contact {wanted} in the CRM")
    raise InputError(f"several contacts are known as {wanted}; say the key: {_keys(found)}")


def _keys(found: Sequence[Deal | Contact]) -> str:
    return ", ".join(each.source_id for each in found)
