"""What people are called, by the headers of mails and invitations: as they write it themselves, else as others do."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session

from autocapture.model.created import CONTACT
from autocapture.model.crm import Contact
from autocapture.model.directory import untagged
from autocapture.normalize.person_name import person_name
from autocapture.records import Address
from autocapture.store import created, details, strangers
from autocapture.store.bulk import table_of
from autocapture.store.details import Told

Named = tuple[str, bool, str, int, datetime]
"""As `strangers.names_of` gives it: address, whether by themselves, the name, the activity and its time."""


def name_of(address: str, named: Iterable[Named]) -> str:
    """What a person with this address is called: the address itself where nobody says."""
    told = [each for each in _told(named) if each.address == address]
    return _best(address, told)


def keep_names(session: Session, addresses: Collection[str]) -> None:
    """Keeps what people with these addresses are called, and calls the contacts so that autocapture created of them."""
    if not addresses:
        return
    people = {untagged(each) for each in addresses}
    if not details.keep(session, _told(strangers.names_of(session, {*addresses, *people}))):
        return
    told: dict[str, list[Told]] = {}
    for each in details.told_of(session, people):
        told.setdefault(each.address, []).append(each)
    own = created.ours(session, CONTACT)
    rows = [
        {"row_id": contact_id, "called": _best(address, told[address])}
        for contact_id, address in own.items()
        if address in told
    ]
    contact = table_of(Contact)
    statement = contact.update().where(
        contact.c.id == bindparam("row_id"), contact.c.name != bindparam("called")
    )
    if rows:
        session.connection().execute(statement.values(name=bindparam("called")), rows)


def _told(named: Iterable[Named]) -> list[Told]:
    found = []
    for address, by_self, name, activity_id, at in named:
        called = person_name(Address(address, name))
        if called:
            found.append(Told(untagged(address), "name" if by_self else "called", at, activity_id, called))
    return found


def _best(address: str, told: Iterable[Told]) -> str:
    by_kind = {each.kind: each.value for each in sorted(told)}
    return by_kind.get("name") or by_kind.get("called") or person_name(Address(address)) or address
