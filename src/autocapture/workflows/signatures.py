"""What people's own signatures tell of them: title, company, numbers and links, each dated by the mail that says so.

Read once, at level *full*, from sealed texts of mails that contacts wrote; nothing else is kept of the text. It stands beside
what the CRM tells, never in its place: see `contact_listings.found_details`. A mobile number of who has no number in the CRM is a
handle too, so that their calls are theirs; other numbers may be a switchboard's. A company of our own making is called as most of
its people write it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import and_, bindparam, func, select
from sqlmodel import Session

from autocapture.application import Application
from autocapture.connect.vault import Place, VaultError
from autocapture.model.activities import Activity, ActivityText, Participant
from autocapture.model.created import COMPANY, AddressDetail, FoundNumber
from autocapture.model.crm import Company, Contact, ContactHandle
from autocapture.model.directory import Organization, untagged
from autocapture.normalize.contact_details import contact_details
from autocapture.normalize.signature import written
from autocapture.records import Address
from autocapture.store import created, details, strangers
from autocapture.store.bulk import among, insert, insert_missing, rows_of, table_of
from autocapture.store.details import Told
from autocapture.store.engine import reading, take_turn, writing
from autocapture.workflows.matching import rematch_in_batches
from autocapture.workflows.people import our_people

BATCH = 200
_ANYBODYS = frozenset({"AI", "CC", "CO", "EU", "FM", "GG", "IO", "LY", "ME", "SH", "SO", "TO", "TV", "WS"})
"""Top-level domains of countries under which anybody is."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """A text that was not read yet; `writer` is None where no contact from outside wrote it."""

    activity_id: int
    sealed: bytes
    writer: Address | None
    at: datetime


def read_signatures(app: Application) -> int:
    """Reads the signatures of all texts that were not read yet; the number of details that are new or newer."""
    organization: Organization | None = None
    found = 0
    while letters := _unread(app):
        organization = organization or our_people(app)
        told = [each for letter in letters for each in _told(app, letter)]
        with writing(app.engine) as session:
            take_turn(session)
            found += len(details.keep(session, told))
            text = table_of(ActivityText)
            session.connection().execute(
                text.update()
                .where(text.c.activity_id == bindparam("of"), text.c.sealed == bindparam("as_read"))
                .values(signature_read=True),
                [{"of": letter.activity_id, "as_read": letter.sealed} for letter in letters],
            )
    if found or _is_untold(app):
        use_details(app, organization or our_people(app))
    return found


def _is_untold(app: Application) -> bool:
    """Whether somebody has a number that no signature tells any more: the text may have been purged."""
    handle, detail, found = table_of(ContactHandle).c, table_of(AddressDetail).c, table_of(FoundNumber).c
    told = (
        select(detail.value)
        .join(table_of(ContactHandle), handle.value == detail.address)
        .where(handle.kind == "email", handle.contact_id == found.contact_id, detail.value == found.value)
        .where(detail.kind == "mobile")
        .exists()
    )
    with reading(app.engine) as session:
        return session.scalar(select(found.value).where(~told).limit(1)) is not None


def use_details(app: Application, organization: Organization) -> int:
    """Gives mobile numbers to whom the CRM gives none, takes back those that no signature tells any more, and calls companies of
    our own making by their names; the number of activities that are matched differently."""
    with writing(app.engine) as session:
        take_turn(session)
        numbers = _settle_numbers(session, organization)
        _name_companies(session)
    if not numbers:
        return 0
    with reading(app.engine) as session:
        concerned = strangers.activities_with(session, numbers)
    return rematch_in_batches(app, concerned)


def read_again(session: Session, addresses: Collection[str]) -> None:
    """These are addresses of contacts from now on: the texts that came from them tell of somebody."""
    text, party = table_of(ActivityText), table_of(Participant)
    if not addresses or session.scalar(select(text.c.activity_id).limit(1)) is None:
        return
    theirs = select(party.c.activity_id).where(
        among(session, party.c.address, sorted(addresses)), party.c.user_id.is_(None), party.c.role == "from"
    )
    session.connection().execute(
        text.update().where(text.c.activity_id.in_(theirs)).values(signature_read=False)
    )


def _unread(app: Application) -> list[_Letter]:
    text, activity, party = table_of(ActivityText).c, table_of(Activity).c, table_of(Participant).c
    author = and_(
        party.activity_id == activity.id,
        party.role == "from",
        party.user_id.is_(None),
        party.contact_id.is_not(None),
        activity.kind == "email",
        activity.direction == "inbound",
        activity.nature == "human",
    )
    statement = (
        select(text.activity_id, text.sealed, party.address, party.name, activity.occurred_at)
        .select_from(
            table_of(ActivityText)
            .join(table_of(Activity), activity.id == text.activity_id)
            .outerjoin(table_of(Participant), author)
        )
        .where(~text.signature_read)
        .order_by(text.activity_id)
        .limit(BATCH)
    )
    with reading(app.engine) as session:
        return [
            _Letter(key, sealed, None if address is None else Address(address, name or ""), at)
            for key, sealed, address, name, at in rows_of(session, statement)
        ]


def _told(app: Application, letter: _Letter) -> list[Told]:
    """What the writer's own signature tells; nothing of a text that cannot be opened."""
    writer = letter.writer
    if writer is None:
        return []
    try:
        opened = app.vault.open(letter.sealed, Place("activity_text", letter.activity_id, "sealed"))
    except VaultError:
        return []
    signature = written(opened.decode(errors="replace"), writer).signature
    return [
        Told(untagged(writer.email), each.kind, letter.at, letter.activity_id, each.value)
        for each in contact_details(signature, writer, region_of_domain(writer.email))
    ]


def region_of_domain(address: str) -> str | None:
    """The country by which somebody with this address writes national numbers; None where the domain does not say."""
    top = address.rpartition(".")[2].upper()
    region = {"UK": "GB"}.get(top, top)
    return region if region in SUPPORTED_REGIONS and region not in _ANYBODYS else None


def _settle_numbers(session: Session, organization: Organization) -> set[str]:
    """Brings the numbers that contacts have from their signatures in line with those; the numbers that changed."""
    handle, detail, found = table_of(ContactHandle), table_of(AddressDetail), table_of(FoundNumber)
    mobile = and_(detail.c.kind == "mobile", handle.c.kind == "email", handle.c.value == detail.c.address)
    told = {
        (contact_id, number)
        for contact_id, number in rows_of(
            session, select(handle.c.contact_id, detail.c.value).join(detail, mobile).distinct()
        )
        if number not in organization.handles
    }
    had = {tuple(row) for row in rows_of(session, select(found.c.contact_id, found.c.value))}
    if not told and not had:
        return set()
    numbered = created.with_numbers_of_the_crm(session)
    others = created.numbers_of_the_crm(session, {number for _, number in told})
    wanted = {
        (contact_id, number)
        for contact_id, number in told
        if contact_id not in numbered and number not in others
    }
    for contact_id, number in sorted(had - wanted):
        created.drop_number(session, contact_id, number)
    fresh = [{"contact_id": contact_id, "value": number} for contact_id, number in sorted(wanted - had)]
    insert(session, FoundNumber, fresh)
    insert_missing(session, ContactHandle, [{"kind": "phone", **row} for row in fresh])
    return {number for _, number in had ^ wanted}


def _name_companies(session: Session) -> None:
    """Each by what most of its people's signatures call it; of as many, the one that was said last."""
    own = created.ours(session, COMPANY)
    if not own:
        return
    contact, handle, detail = table_of(Contact).c, table_of(ContactHandle).c, table_of(AddressDetail).c
    statement = (
        select(
            contact.company_id,
            detail.value,
            func.count(),
            func.max(detail.said_at, type_=detail.said_at.type),
        )
        .select_from(
            table_of(Contact)
            .join(table_of(ContactHandle), handle.contact_id == contact.id)
            .join(table_of(AddressDetail), detail.address == handle.value)
        )
        .where(
            among(session, contact.company_id, sorted(own)),
            handle.kind == "email",
            detail.kind == "company",
        )
        .group_by(contact.company_id, detail.value)
    )
    called: dict[int, list[tuple[int, datetime, str]]] = defaultdict(list)
    for company_id, name, count, said_at in rows_of(session, statement):
        called[company_id].append((count, said_at, name))
    rows = [{"row_id": number, "called": max(names)[2]} for number, names in sorted(called.items())]
    company = table_of(Company)
    renaming = company.update().where(
        company.c.id == bindparam("row_id"), company.c.name != bindparam("called")
    )
    if rows:
        session.connection().execute(renaming.values(name=bindparam("called")), rows)
