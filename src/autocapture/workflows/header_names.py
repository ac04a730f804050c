"""What people are called, by the headers of mails and invitations: as they write it themselves, else as others do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session

from autocapture.model.crm import Contact
from autocapture.model.directory import untagged
from autocapture.normalize.person_name import person_name
from autocapture.records import Address
from autocapture.store import created, details, strangers
from autocapture.store.bulk import table_of
from autocapture.store.details import Told

Named = tuple[str, bool, str, int, datetime]
"""As `strangers.names_of` gives it: address, whether by themselves, the name, the activity and its time."""


def names_by_address(named: Iterable[Named]) -> dict[str, str]:
    """What people are called, by address, of those whom headers name."""
    told: dict[str, list[Told]] = {}
    for each in _told(named):
        told.setdefault(each.address, []).append(each)
    return {address: _best(address, found) for address, found in told.items()}


def called(address: str, names: Mapping[str, str]) -> str:
    """What a person with this address is called: by what the address says where no header does, else the address itself."""
    return names.get(address) or _best(address, ())


def keep_names(session: Session, addresses: Collection[str]) -> None:
    """Keeps what people with these addresses are called, and calls the contacts so that autocapture created of them."""
    if not addresses:
        return
    people = {untagged(each) for each in addresses}
    newer = details.keep(session, _told(strangers.names_of(session, {*addresses, *people})))
    if not newer:
        return
    told: dict[str, list[Told]] = {}
    for each in details.told_of(session, {each.address for each in newer}):
        told.setdefault(each.address, []).append(each)
    rows = [
        {"row_id": contact_id, "called": _best(address, told[address])}
        for contact_id, address in created.ours_of(session, told).items()
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
