"""What autocapture created and the CRM brings: its row becomes the CRM's, and everything that hangs on it stays.

The mirror, as an import compares files with it, is without what is our own: no row is refused, or told as missing, because of
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from autocapture.crm.rows import Change, Values
from autocapture.model.created import COMPANY, CONTACT, FoundNumber, Tombstone
from autocapture.model.crm import Company, Contact, ContactHandle
from autocapture.store import created
from autocapture.store.bulk import among, insert_missing, table_of
from autocapture.workflows.company_of_person import company_of
from autocapture.workflows.signatures import read_again

_NAMES: Mapping[str, tuple[type[Contact] | type[Company], str]] = {
    CONTACT: (Contact, "emails"),
    COMPANY: (Company, "domains"),
}


def hand_over(
    session: Session, changes: Iterable[Change], ids: dict[str, dict[str, int]], now: datetime
) -> None:
    """Makes rows of ours, of which the CRM has new contacts and companies with the same address or domain, those of the CRM:
    under its key, in `ids`, and without what we called them by. The import then writes them as it does what it knew."""
    own = {
        target: {value: number for number, value in created.ours(session, target).items()}
        for target in _NAMES
    }
    for change in changes:
        if change.before is not None or not own.get(change.table):
            continue
        model, column = _NAMES[change.table]
        same = [each for each in _texts(change.after, column) if each in own[change.table]]
        if not same:
            continue
        number, key = own[change.table].pop(same[0]), change.key[0]
        table = table_of(model)
        before = session.scalar(select(col(model.source_id)).where(col(model.id) == number)) or ""
        session.connection().execute(table.update().where(table.c.id == number).values(source_id=key))
        ids[change.table][key] = number
        created.take_over(session, change.table, [number], now)
        if change.table == CONTACT:
            created.rename_in_corrections(session, before, key)
            created.unname(session, [number], ())
        else:
            created.unname(session, (), [number], keep_people=True)


def settle_with_crm(
    session: Session, changes: Collection[Change], contact_ids: Mapping[str, int], now: datetime
) -> None:
    """After an import: nothing of ours stands beside what the CRM has. Contacts whose address it has become part of its own, and
    so do companies on whose domain it has most contacts; numbers from signatures make way for its numbers; of addresses that it
    gave up nothing is created."""
    _absorb_contacts(session, now)
    _absorb_companies(session, now)
    _drop_numbers(
        session,
        {
            contact_ids[change.key[0]]: _texts(change.after, "phones")
            for change in changes
            if change.table == CONTACT
        },
    )
    _note_addresses(session, changes, now)


def _absorb_contacts(session: Session, now: datetime) -> None:
    own = created.ours(session, CONTACT)
    if not own:
        return
    rows = session.execute(
        select(col(ContactHandle.value), col(ContactHandle.contact_id))
        .where(
            col(ContactHandle.kind) == "email", among(session, col(ContactHandle.value), set(own.values()))
        )
        .order_by(col(ContactHandle.contact_id))
    )
    of_crm: dict[str, int] = {}
    for address, contact_id in rows:
        if contact_id not in own:
            of_crm.setdefault(address, contact_id)
    into = {number: of_crm[address] for number, address in own.items() if address in of_crm}
    created.take_over(session, CONTACT, into.keys(), now)
    created.absorb_contacts(session, into)


def _absorb_companies(session: Session, now: datetime) -> None:
    own = created.ours(session, COMPANY)
    by_domain = created.companies_by_domain(session, set(own.values()))
    into = {}
    for number, domain in own.items():
        others = {other: count for other, count in by_domain[domain].items() if other not in own}
        found = company_of(f"@{domain}", {domain: others} if others else {}, ())
        if others and found.company_id is not None:
            into[number] = found.company_id
    created.take_over(session, COMPANY, into.keys(), now)
    created.absorb_companies(session, into)


def _drop_numbers(session: Session, brought: Mapping[int, tuple[str, ...]]) -> None:
    """Who has a number in the CRM keeps none that a signature told, nor does anybody one that somebody else has there; one that
    it `brought` as well is its own."""
    rows = session.execute(select(col(FoundNumber.contact_id), col(FoundNumber.value))).all()
    if not rows:
        return
    found = table_of(FoundNumber)
    same = {(number, value) for number, value in rows if value in brought.get(number, ())}
    for contact_id, value in same:
        session.connection().execute(
            found.delete().where(found.c.contact_id == contact_id, found.c.value == value)
        )
    numbered = created.with_numbers_of_the_crm(session)
    taken = created.numbers_of_the_crm(session, {value for _, value in rows})
    for contact_id, value in rows:
        if (contact_id in numbered or value in taken) and (contact_id, value) not in same:
            created.drop_number(session, contact_id, value)


def _note_addresses(session: Session, changes: Iterable[Change], now: datetime) -> None:
    """An address that the CRM took from a contact, and gave to no other, is of nobody whom we should create. What those that it
    brought have written is read for what their signatures tell."""
    given_up: set[str] = set()
    brought: set[str] = set()
    for change in changes:
        if change.table == CONTACT and "emails" in change.after:
            before, after = set(_texts(change.before or {}, "emails")), set(_texts(change.after, "emails"))
            given_up |= before - after
            brought |= after
    held = set(
        session.scalars(
            select(col(ContactHandle.value)).where(
                col(ContactHandle.kind) == "email", among(session, col(ContactHandle.value), given_up)
            )
        )
    )
    stones = [
        {"target": CONTACT, "value": value, "at": now, "why": "given_up"} for value in sorted(given_up - held)
    ]
    created.forget_tombstones(session, CONTACT, brought)
    read_again(session, brought)
    insert_missing(session, Tombstone, stones)


def _texts(values: Values, column: str) -> tuple[str, ...]:
    found = values.get(column)
    return found if isinstance(found, tuple) else ()


def own_numbers(session: Session) -> dict[int, set[str]]:
    """By contact, the numbers that are no concern of the CRM's."""
    found: dict[int, set[str]] = defaultdict(set)
    for contact_id, value in session.execute(select(col(FoundNumber.contact_id), col(FoundNumber.value))):
        found[contact_id].add(value)
    return found
